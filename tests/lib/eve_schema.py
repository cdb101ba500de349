# SPDX-License-Identifier: Apache-2.0
"""Judges lines of EVE by docs/eve.schema.json."""
import json
import os

import jsonschema

from box import TOP

SCHEMA = os.path.join(TOP, "docs", "eve.schema.json")


def judge():
    with open(SCHEMA, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)
