# SPDX-License-Identifier: Apache-2.0
"""People who use a box under test: their accounts, and their requests over HTTPS."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from box import Box, conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import inside, wait_for  # noqa: E402

HOST, HERE_IP, THERE_IP = "10.79.0.1", "10.79.0.2", "10.79.0.66"
PHRASE = "three herons argue quietly"
COOKIE = "__Host-sekisho"


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Site:
    BOX = Box

    def __init__(self, prefix, build, run):
        self.build, self.run = build, run
        self.box = self.BOX(prefix, build, run)
        self.box.net.address(self.box.admin, "eth0", THERE_IP + "/24")
        self.box.start()
        self.box.apply(conduit("reads", "ops", "ot", ["read"]))
        wait_for(self.box.running, 10, "all roles")
        self.secrets, self.papers = {}, {}
        # files of the client certificate and key with which connections are opened
        self.shown = None
        with open(run + "/state/secrets/token", encoding="ascii") as f:
            self.token = f.read().strip()

    def user(self, *words, text=None, check=True):
        """An order as root, and its answer."""
        done = subprocess.run([self.build + "/sekisho", "user", *words, "--json", "--socket", self.run + "/run/control.sock"], input=text,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        expect(not check or done.returncode == 0, "user %s: %d %s", words, done.returncode, done.stdout)
        return json.loads(done.stdout)

    def add(self, name, *roles):
        said = self.user("add", name, "--full-name", name.title(), "--reason", "test", "--role", ",".join(roles), text=PHRASE + "\n")
        self.secrets[name], self.papers[name] = said["totp"]["secret"], said["recovery"]

    def has(self, name, *roles):
        """An account that an earlier case may have added already."""
        if name not in self.secrets:
            self.add(name, *roles)

    def paper(self, name):
        """A one-time paper code; makes new ones when all were used."""
        if not self.papers[name]:
            self.papers[name] = self.user("recovery", name)["recovery"]
        return self.papers[name].pop()

    def ask(self, method, path, headers=None, body=None, source=HERE_IP, timeout=15):
        context = ssl.create_default_context(cafile=self.run + "/state/secrets/certificate.pem")
        if self.shown is not None:
            context.load_cert_chain(*self.shown)
        with inside(self.box.admin):
            c = http.client.HTTPSConnection(HOST, context=context, timeout=timeout, source_address=(source, 0))
            c.connect()
        try:
            c.request(method, path, body=body, headers=headers or {})
            r = c.getresponse()
            return Answer(r.status, r, r.read())
        finally:
            c.close()

    @contextlib.contextmanager
    def listening(self, path, cookie, headers=None, source=HERE_IP):
        """A request whose answer is a stream, which the caller reads."""
        context = ssl.create_default_context(cafile=self.run + "/state/secrets/certificate.pem")
        with inside(self.box.admin):
            c = http.client.HTTPSConnection(HOST, context=context, timeout=15, source_address=(source, 0))
            c.connect()
        try:
            c.request("GET", path, headers=dict(headers or {}, **({} if cookie is None else {"Cookie": "%s=%s" % (COOKIE, cookie)})))
            yield c.getresponse()
        finally:
            c.close()

    def login(self, name, phrase=PHRASE, code=None, source=HERE_IP, headers=None, body=None):
        code = self.paper(name) if code is None else code
        body = json.dumps({"name": name, "password": phrase, "code": code}) if body is None else body
        return self.ask("POST", "/api/v1/login", dict({"Content-Type": "application/json"}, **(headers or {})), body, source)

    def challenge(self, source=HERE_IP):
        """A challenge for a key to sign."""
        return bytes.fromhex(self.ask("GET", "/api/v1/challenge", source=source).json()["challenge"])

    def login_by(self, name, proof, phrase=PHRASE, source=HERE_IP):
        """`proof`: a security key's answer as text."""
        return self.login(name, body=json.dumps({"name": name, "password": phrase, "key": proof}), code="", source=source)

    @contextlib.contextmanager
    def showing(self, pair):
        """Requests inside the block use connections with this certificate, or with none."""
        before, self.shown = self.shown, pair
        try:
            yield
        finally:
            self.shown = before

    def login_shown(self, name, phrase=PHRASE, source=HERE_IP):
        """A login with the connection's certificate as the second factor."""
        return self.login(name, body=json.dumps({"name": name, "password": phrase, "certificate": True}), code="", source=source)

    def key(self, cookie, order, label, phrase=PHRASE, source=HERE_IP, **more):
        return self.ask("POST", "/api/v1/key", {"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"},
                        json.dumps(dict(more, order=order, label=label, password=phrase)), source)

    def session(self, name, source=HERE_IP):
        r = self.login(name, source=source)
        expect(r.status == 200, "%s cannot log in: %d %s", name, r.status, r.body)
        return cookie_of(r)

    def get(self, path, cookie=None, source=HERE_IP, token=None):
        headers = {} if cookie is None else {"Cookie": "%s=%s" % (COOKIE, cookie)}
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        return self.ask("GET", path, headers, source=source)

    def order(self, cookie, order, timeout=90, source=HERE_IP, **more):
        """An order about the draft or the policy in force, by the owner of this session."""
        return self.ask("POST", "/api/v1/change", {"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"},
                        json.dumps(dict(more, order=order)), source, timeout)

    def records(self, cookie, body, source=HERE_IP, **headers):
        """An order about the records, by the owner of this session."""
        return self.ask("POST", "/api/v1/records", dict({"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"}, **headers), json.dumps(body), source)

    def account(self, cookie, order, name, phrase=PHRASE, source=HERE_IP, **more):
        """An order about another person's account, by the owner of this session, who looks at it
        first."""
        if order != "add" and "seen" not in more:
            found = [a for a in self.user("list")["accounts"] if a["name"] == name]
            more["seen"] = found[0]["seen"] if found else ""
        return self.ask("POST", "/api/v1/account", {"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"},
                        json.dumps(dict(more, order=order, name=name, password=phrase)), source)

    def passphrase(self, cookie, phrase, new, source=HERE_IP):
        """Changes one's own passphrase."""
        return self.ask("POST", "/api/v1/passphrase", {"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"},
                        json.dumps({"password": phrase, "new": new}), source)

    def texts(self, *conduits, extra=""):
        """The texts of a policy, as an order carries them."""
        main, out = self.box.write(*conduits, extra=extra), []
        for name in ("site.cfg", "box.cfg"):
            with open(os.path.join(os.path.dirname(main), name), encoding="utf-8") as f:
                out.append({"name": name, "text": f.read()})
        return out

    def logout(self, cookie, **headers):
        return self.ask("POST", "/api/v1/logout", dict({"Cookie": "%s=%s" % (COOKIE, cookie), "Content-Type": "application/json"}, **headers))


def cookie_of(answer):
    text = answer.headers.getheader("Set-Cookie")
    name, rest = text.split("=", 1)
    value, marks = rest.split("; ", 1)
    expect(name == COOKIE and sorted(marks.split("; ")) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"], "cookie: %s", text)
    expect(len(value) == 64, "not 256 bits: %d digits", len(value))
    return value


def totp(secret, at=None):
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack("!Q", int(at if at is not None else time.time()) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return "%06d" % ((struct.unpack("!I", digest[offset:offset + 4])[0] & 0x7fffffff) % 1000000)
