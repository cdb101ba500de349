# SPDX-License-Identifier: Apache-2.0
"""Sends requests as bytes over TLS, and reads the answers of one connection."""
import contextlib
import socket
import ssl

from document import STREAM
from net import inside, wait_for
from people import HERE_IP, HOST


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def kind(self):
        return self.headers.get("content-type", "")


class Line:
    """A connection from one address, which is opened again when the box has closed it."""

    def __init__(self, site, source=HERE_IP):
        self.site, self.source, self.s, self.rest = site, source, None, b""
        self.context = ssl.create_default_context(cafile=site.run + "/state/secrets/certificate.pem")

    def dial(self, timeout=15):
        self.close()
        with inside(self.site.box.admin):
            s = socket.create_connection((HOST, 443), timeout, (self.source, 0))
        self.s, self.rest = self.context.wrap_socket(s, server_hostname=HOST), b""

    def close(self):
        if self.s is not None:
            self.s.close()
            self.s = None

    def send(self, data):
        # The box need not read a refused request to its end.
        with contextlib.suppress(ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            self.s.sendall(data)

    def more(self):
        try:
            part = self.s.recv(65536)
        except (ConnectionResetError, ssl.SSLError):
            part = b""
        self.rest += part
        return bool(part)

    def head(self):
        """Status and headers of the next answer, before its body; None if the connection ended
        instead."""
        while b"\r\n\r\n" not in self.rest:
            if not self.more():
                return None
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        return int(lines[0].split()[1]), {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}

    def reply(self, bodiless=False, enough=b"event: state"):
        """The next answer; None if the connection ended instead. Of a stream, everything up to the
        first complete event `enough`."""
        head = self.head()
        if head is None:
            return None
        status, headers = head
        if headers.get("content-type") == STREAM and not bodiless:
            return Reply(status, headers, self.stream(enough))
        length = 0 if bodiless else int(headers.get("content-length", "0"))
        while len(self.rest) < length and self.more():
            pass
        body, self.rest = self.rest[:length], self.rest[length:]
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Reply(status, headers, body)

    def stream(self, enough):
        """A stream has no end, so the connection is closed here."""
        said = b""
        while enough not in said or b"\n\n" not in said.split(enough, 1)[1]:
            while b"\r\n" not in self.rest and self.more():
                pass
            size, _, self.rest = self.rest.partition(b"\r\n")
            n = int(size or b"0", 16)
            while len(self.rest) < n + 2 and self.more():
                pass
            if n == 0:
                break
            said, self.rest = said + self.rest[:n], self.rest[n + 2:]
        self.close()
        return said[:said.rfind(b"\n\n") + 2]  # the next event may be incomplete

    def say(self, data, bodiless=False, timeout=15):
        """Sends one request as bytes, on the open connection or a new one."""
        for fresh in (False, True):
            if fresh or self.s is None:
                self.dial(timeout)
            self.send(data)
            r = self.reply(bodiless)
            if r is not None or fresh:
                return r
            self.close()
        return None

    def ask(self, method, target, headers=(), body=None):
        target = target.encode("latin-1") if isinstance(target, str) else target
        lines = ["Host: " + HOST, *headers]
        if body is not None:
            lines.append("Content-Length: %d" % len(body))
        data = method.encode() + b" " + target + b" HTTP/1.1\r\n" + "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")
        answers = []

        def has_place():
            r = self.say(data, method == "HEAD")
            answers.append(r)
            return r is None or r.status != 503 or b'"crowded"' not in r.body
        # A closed stream keeps its place until the box sends to it again.
        wait_for(has_place, 10, "the place of a stream that was left")
        return answers[-1]
