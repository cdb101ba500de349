# SPDX-License-Identifier: Apache-2.0
"""docs/openapi.json for the tests: its operations, and its schemas without additional keys. So a
key that the document lacks fails here, although clients are told to ignore unknown keys."""
import copy
import json
import os

import jsonschema

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", ".."))
Validator = jsonschema.Draft202012Validator
PATH = os.path.join(TOP, "docs", "openapi.json")

with open(PATH, "rb") as f:
    BYTES = f.read()
DOCUMENT = json.loads(BYTES)
ROLES = DOCUMENT["x-roles"]
PERSONS = [role for role in ROLES if role != "display"]
STREAM = "text/event-stream"


def closed(schema):
    """The same schema; each object in it accepts only its own keys. A schema that sets
    additionalProperties itself keeps its setting."""
    if isinstance(schema, list):
        return [closed(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: ({n: closed(s) for n, s in v.items()} if k == "properties" else closed(v)) for k, v in schema.items()}
    if out.get("type") == "object" and "properties" in out and "additionalProperties" not in out:
        out["unevaluatedProperties"] = False
    return out


SCHEMAS = {name: closed(s) for name, s in DOCUMENT["components"]["schemas"].items()}
# Told is an Event with two more keys.
told = SCHEMAS["Told"]
told["properties"] = {**copy.deepcopy(SCHEMAS["Event"]["properties"]), **told["properties"]}
told["required"] = SCHEMAS["Event"]["required"] + told["required"]
told.pop("allOf")


def mistakes(schema, value, most=3):
    """What in a value does not match a schema of the document."""
    found = Validator(dict(schema, components={"schemas": SCHEMAS})).iter_errors(value)
    return ["%s: %s" % ("/".join(map(str, e.absolute_path)), e.message[:160]) for e, _ in zip(found, range(most))]


def operations():
    """(path, method, operation) of all operations."""
    return [(path, method.upper(), op) for path, item in DOCUMENT["paths"].items() for method, op in item.items()]


def answer(op, status):
    """The described answer with this status; None when the document has none."""
    found = op["responses"].get(str(status))
    return DOCUMENT["components"]["responses"][found["$ref"].rsplit("/", 1)[1]] if found is not None and "$ref" in found else found


def events(body):
    """(name, id, data) of each event in a stream, without comments."""
    for block in body.decode().split("\n\n"):
        said = dict(line.split(": ", 1) for line in block.split("\n") if line and line[0] != ":")
        if said:
            yield said.get("event"), said.get("id"), json.loads(said.get("data", "null"))


def unfit_events(described, body):
    return [("%s: " % name) + wrong for name, _, data in events(body) for wrong in (mistakes(described[name], data) if name in described else ["is not described"])]


def unfit(op, status, kind, body):
    """Why an answer does not match the document; [] when it does."""
    said = answer(op, status)
    if said is None:
        return ["status %d is not described" % status]
    if kind not in said["content"]:
        return ["type %r is not %s" % (kind, list(said["content"]))]
    schema = said["content"][kind]["schema"]
    if kind == STREAM:
        return unfit_events(said["content"][kind]["x-events"], body)
    if not kind.startswith("application/json"):
        return []
    try:
        return mistakes(schema, json.loads(body))
    except ValueError as e:
        return ["no JSON: %s" % e]
