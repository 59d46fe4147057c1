"""A mail server for tests: keeps what it accepts as .eml files, and refuses as it is told.

usage: smtp_sink.py DIRECTORY [--tls CERTIFICATE KEY] [--auth USER PASSWORD] [--temporary N]
                    [--permanent] [--drop N] [--no-ehlo]
Prints the port it listens on, and ends when its standard input closes.
"""
import argparse
import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("directory")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--auth", nargs=2)
parser.add_argument("--temporary", type=int, default=0)
parser.add_argument("--permanent", action="store_true")
parser.add_argument("--drop", type=int, default=0)
parser.add_argument("--no-ehlo", action="store_true")
options = parser.parse_args()
count = 0


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if options.permanent or address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        if options.temporary > 0:
            options.temporary -= 1
            return "450 4.2.0 greylisted, try again"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        global count
        count += 1
        name = os.path.join(options.directory, f"{count:04d}.eml")
        with open(name + ".part", "wb") as file:
            file.write(envelope.original_content)
        os.rename(name + ".part", name)
        with open(name + ".txt", "w") as file:
            print(envelope.mail_from, *envelope.rcpt_tos, file=file)
            print("tls" if session.ssl else "clear", session.authenticated, file=file)
        if options.drop > 0:
            options.drop -= 1
            server.transport.abort()
            return "250 nobody hears this"
        return "250 2.0.0 queued as 42"

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        if options.no_ehlo:
            return ["502 5.5.1 what is EHLO"]
        session.host_name = hostname
        return responses


def authenticator(server, session, envelope, mechanism, data):
    user, password = (part.decode() for part in (data.login, data.password))
    return AuthResult(success=[user, password] == options.auth, handled=False)


def serve():
    arguments = {}
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*options.tls)
        arguments |= {"tls_context": context, "require_starttls": True}
    if options.auth:
        arguments |= {
            "authenticator": authenticator, "auth_required": True,
            "auth_require_tls": bool(options.tls)}
    return SMTP(Handler(), enable_SMTPUTF8=True, hostname="sink.test", **arguments)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
