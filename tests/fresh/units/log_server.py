# SPDX-License-Identifier: Apache-2.0
"""A log server in the admin network, for log.py: syslog over TLS (RFC 5425, octets counted); the
message of each line becomes a line of a file.   log_server.py FOLDER ADDRESS PORT"""
import socket
import ssl
import sys

FOLDER, ADDRESS, PORT = sys.argv[1:]


def messages(connection):
    """Each message without its syslog header (RFC 5424: seven fields before the message)."""
    with connection.makefile("rb") as stream:
        while True:
            count = b""
            while (c := stream.read(1)) not in (b" ", b""):
                count += c
            if not c:
                return
            yield stream.read(int(count)).split(b" ", 7)[7].rstrip(b"\n")


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER + "/server.pem", FOLDER + "/server.key")
    with socket.create_server((ADDRESS, int(PORT))) as plain, open(FOLDER + "/came", "ab") as came:
        while True:
            connection, _ = plain.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    for message in messages(secure):
                        came.write(message + b"\n")
                        came.flush()
            except (OSError, ssl.SSLError) as e:  # the box has closed it, or connects again
                print(e, file=sys.stderr, flush=True)


main()
