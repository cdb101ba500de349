# SPDX-License-Identifier: Apache-2.0
"""A mail server in the admin network, for mail.py. It wants TLS and a login, and writes each mail
to a file.   mail_server.py FOLDER ADDRESS"""
import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

FOLDER, ADDRESS = sys.argv[1:]
with open(FOLDER + "/password", encoding="ascii") as f:
    PASSWORD = f.read().strip()


class Keep:
    """Keeps each mail. A file gets its name when it is complete."""
    number = 0

    async def handle_DATA(self, server, session, envelope):
        self.number += 1
        with open(FOLDER + "/new", "wb") as f:
            f.write(envelope.content)
        os.rename(FOLDER + "/new", "%s/%d.mail" % (FOLDER, self.number))
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.password == PASSWORD.encode())


async def serve():
    context, keep = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Keep()
    context.load_cert_chain(FOLDER + "/server.pem", FOLDER + "/server.key")
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(keep, tls_context=context, require_starttls=True, auth_required=True, authenticator=login), ADDRESS, 587)
    await server.serve_forever()


asyncio.run(serve())
