# SPDX-License-Identifier: Apache-2.0
"""Checks docs/json.md against the programs' real output: every key of the output is documented."""
import json
import os
import re

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Objects whose keys are names of the site, of reasons or of counters, and not words of the format.
FREE = {"reasons", "counters"}


def words():
    with open(os.path.join(TOP, "docs", "json.md"), encoding="utf-8") as f:
        text = f.read()
    found = set(re.findall(r'"([a-z_0-9]+)"\s*:', text))
    for name in re.findall(r"`([a-z_0-9.]+)`", text):
        found.update(name.split("."))
    return found


def keys(value, path=""):
    """The paths of all keys in a JSON value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path + "." + key
            if key not in FREE:
                yield from keys(inner, path + "." + key)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner, path + "[]")


def undocumented(output):
    """Paths in lines of JSON that docs/json.md lacks; the lines must be JSON."""
    known = words()
    paths = {p for line in output.splitlines() for p in keys(json.loads(line))}
    return sorted(p for p in paths if p.rsplit(".", 1)[1] not in known), len(paths)
