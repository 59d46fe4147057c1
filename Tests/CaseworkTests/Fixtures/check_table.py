"""Reads a notice's table with Python and holds each field against IntelMQ's harmonization:
check_table.py FILE. Prints the rows as JSON; a value that IntelMQ refuses is an error."""
import csv
import json
import os
import sys

with open(sys.argv[1], encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
problems = []
try:
    import intelmq
    from intelmq.lib.message import Event

    path = os.path.join(os.path.dirname(intelmq.__file__), "etc", "harmonization.conf")
    with open(path) as file:
        harmonization = json.load(file)
    for row in rows:
        event = Event(harmonization=harmonization)
        for key, value in row.items():
            if value == "":
                continue
            try:
                event.add(key, value)
            except Exception as error:
                problems.append(f"{key}={value}: {error}")
    checked = True
except (ImportError, FileNotFoundError) as error:
    checked = False
    print(error, file=sys.stderr)
print(json.dumps({"rows": rows, "problems": problems, "intelmq": checked}))
