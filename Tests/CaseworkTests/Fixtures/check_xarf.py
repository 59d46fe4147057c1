"""Validates the reports of a notice: check_xarf.py FILE [SCHEMA_DIRECTORY]. Prints a list of problems,
from the package `xarf` and, where a schema of the type is in the directory, from `jsonschema`."""
import base64
import hashlib
import json
import os
import sys

import xarf

with open(sys.argv[1], encoding="utf-8") as file:
    reports = json.load(file)
problems = []
for report in reports:
    result = xarf.parse(json.dumps(report))
    problems += [f"xarf: {error}" for error in result.errors]
    for item in report["evidence"]:
        payload = base64.b64decode(item["payload"], validate=True)
        if item["hash"] != "sha256:" + hashlib.sha256(payload).hexdigest() or item["size"] != len(payload):
            problems.append("the evidence's hash or size is wrong")
    if len(sys.argv) > 2:
        import jsonschema
        from referencing import Registry, Resource

        schemas = {}
        for folder, _, names in os.walk(sys.argv[2]):
            for name in names:
                if name.endswith(".json"):
                    with open(os.path.join(folder, name)) as file:
                        schema = json.load(file)
                    schemas[schema["$id"]] = schema
        registry = Registry().with_resources(
            (key, Resource.from_contents(value)) for key, value in schemas.items())
        name = f"{report['category']}-{report['type'].replace('_', '-')}"
        schema = schemas.get(f"https://xarf.org/schemas/v4/types/{name}.json")
        core = schemas["https://xarf.org/schemas/v4/xarf-core.json"]
        validator = jsonschema.Draft202012Validator(
            schema or core, registry=registry,
            format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
        problems += [f"schema: {error.message}" for error in validator.iter_errors(report)]
print(json.dumps({"count": len(reports), "problems": problems}))
