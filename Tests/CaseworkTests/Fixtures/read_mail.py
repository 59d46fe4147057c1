"""Reads a mail with Python's parser and prints what it understood as JSON: read_mail.py FILE"""
import base64
import email
import email.policy
import json
import sys

with open(sys.argv[1], "rb") as file:
    raw = file.read()
message = email.message_from_bytes(raw, policy=email.policy.default)


def address(name):
    field = message[name]
    return [[a.display_name, a.addr_spec] for a in field.addresses] if field else []


print(json.dumps({
    "defects": [str(d) for part in message.walk() for d in part.defects]
    + [str(d) for name in message.keys() for d in message[name].defects],
    "headers": [[name, str(value)] for name, value in message.items()],
    "from": address("From"), "to": address("To"), "replyTo": address("Reply-To"),
    "subject": str(message["Subject"]), "date": message["Date"].datetime.isoformat(),
    "longestLine": max(len(line) for line in raw.split(b"\r\n")),
    "bareLineEnds": raw.replace(b"\r\n", b"").count(b"\n") + raw.replace(b"\r\n", b"").count(b"\r"),
    "isASCII": all(octet < 128 for octet in raw),
    "text": message.get_body(("plain",)).get_content() if message.get_body(("plain",)) else "",
    "attachments": [
        {"name": part.get_filename(), "type": part.get_content_type(),
         "charset": part.get_content_charset() or "",
         "content": base64.b64encode(part.get_payload(decode=True)).decode()}
        for part in message.iter_attachments()],
}, ensure_ascii=True))
