# SPDX-License-Identifier: Apache-2.0
"""Alarms by mail: sekisho-notify in the admin namespace, as the unit's user and with the daemon's
settings, and a real mail server (aiosmtpd) with TLS at the other end. Every reported fault is
really made."""
import asyncio
import contextlib
import email
import email.policy
import json
import os
import signal
import socket
import ssl
import threading

from aiosmtpd.smtp import SMTP, AuthResult

from box import FACTS, HEAD, conduit
from cases import expect
from net import inside, sh, wait_for

SERVER, NAME, PORT = "10.79.0.25", "mail.example.test", 587
PASSWORD = "canary-8f3a-of-the-mail"
USER = 61993  # images/systemd/sysusers.conf
READS = conduit("reads", "it", "ot", ["read"])
TO = ["night@example.test", "it@example.test"]


def authority(folder):
    """A CA, and two certificates for servers from it: with the right name and with another one."""
    def openssl(*args):
        sh("openssl", *args)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=test CA",
            "-keyout", folder + "/ca.key", "-out", folder + "/ca.pem")
    for short, name in (("right", NAME), ("wrong", "other.example.test")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name, "-addext", "subjectAltName=DNS:" + name,
                "-keyout", "%s/%s.key" % (folder, short), "-out", "%s/%s.csr" % (folder, short))
        openssl("x509", "-req", "-in", "%s/%s.csr" % (folder, short), "-CA", folder + "/ca.pem", "-CAkey", folder + "/ca.key", "-days", "30",
                "-copy_extensions", "copy", "-out", "%s/%s.pem" % (folder, short))
    os.chmod(folder + "/ca.pem", 0o644)


class Server:
    """A mail server at its address in the terminals' namespace. Keeps what it receives."""

    def __init__(self, box, folder, certificate="right"):
        self.mails, self.logins, self.senders = [], [], []
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain("%s/%s.pem" % (folder, certificate), "%s/%s.key" % (folder, certificate))
        with inside(box.admin):
            self.listener = socket.create_server((SERVER, PORT))
        self.loop = asyncio.new_event_loop()

        def session():
            return SMTP(self, tls_context=context, require_starttls=context is not None, auth_required=context is not None, authenticator=self.login)
        self.server = self.loop.run_until_complete(self.loop.create_server(session, sock=self.listener))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def login(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == PASSWORD.encode())

    async def handle_MAIL(self, server, session, envelope, address, options):
        self.senders.append(address)
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default)))
        return "250 OK"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        async def stop():
            self.server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        asyncio.run_coroutine_threadsafe(stop(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.listener.close()

    def said(self):
        return "\n".join(str(m["subject"]) + "\n" + m.get_content() for _, m in self.mails)


class Notify:
    """The box with a mail server in its box.cfg, and the program as the unit runs it; both are
    ended after the case."""

    def __init__(self, box, every=3, applies=True):
        """`applies`: puts a policy with the mail server into force; otherwise `line` is for one."""
        self.box, self.every, self.process = box, every, None
        self.folder, self.run, self.state = (box.run_folder + x for x in ("/mail", "/run-notify", "/state-notify"))
        sh("rm", "-rf", self.folder, self.run, self.state)
        for folder in (self.folder, self.folder + "/secret", self.run, self.state):
            os.makedirs(folder, mode=0o755)
        authority(self.folder)
        with open(self.folder + "/secret/password", "w", encoding="ascii") as f:
            f.write(PASSWORD + "\n")
        for path in (self.folder + "/secret/password", self.run, self.state):
            os.chown(path, USER, USER)
            os.chmod(path, 0o400 if path.endswith("password") else 0o700)
        self.line = 'mail_server = { address = "%s"; name = "%s"; ca = "%s/ca.pem"; from = "box@example.test"; to = ["%s"]; user = "box"; };\n' % (SERVER, NAME, self.folder, '", "'.join(TO))
        if not applies:
            return
        folder = box.run_folder + "/policy"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/box.cfg", "w", encoding="utf-8") as f:
            f.write(FACTS % 1 + self.line)
        with open(folder + "/site.cfg", "w", encoding="utf-8") as f:
            f.write(HEAD + "conduits = (\n  " + READS + "\n);\n")
        box.sekisho("apply", folder + "/site.cfg")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        sh("ip", "link", "set", "eth0", "up", ns=self.box.ns("ot"))

    def start(self):
        with open(self.box.run_folder + "/run/notify.conf", encoding="utf-8") as f:
            text = f.read()
        with open(self.folder + "/notify.conf", "w", encoding="utf-8") as f:
            f.write(text + "every %d\n" % self.every)

        env = {"STATE_DIRECTORY": self.state, "RUNTIME_DIRECTORY": self.run, "CREDENTIALS_DIRECTORY": self.folder + "/secret", "TZ": "UTC", "PATH": os.environ["PATH"]}
        self.process = self.box.net.spawn(["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--", self.box.build + "/sekisho-notify", self.folder + "/notify.conf", self.box.run_folder + "/run/control.sock"],
                                          self.box.net.ns("admin"), log=self.folder + "/log", env=env)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def mail(self):
        return self.box.status()["mail"]

    def quiet(self):
        """Waits until it runs without an error and everything was sent."""
        wait_for(lambda: self.mail()["state"] == "good" and not self.faults(), 30, "a box with nothing wrong")

    def faults(self):
        return [x for x in self.box.status()["interfaces"] if x["link"] != "up"]


def link(box, way):
    sh("ip", "link", "set", "eth0", way, ns=box.ns("ot"))


def told_and_over(box):
    """A cable is unplugged: at once one mail to all recipients, with a subject in both languages.
    It is plugged in again: a mail says so. The password appears nowhere."""
    with Notify(box) as n, Server(box, n.folder) as server:
        n.quiet()
        server.mails.clear()
        link(box, "down")
        wait_for(lambda: "lan2" in server.said(), 30, "the mail about the link")
        to, m = next(x for x in server.mails if "lan2" in x[1].get_content())
        expect(to == TO and "警報 1 件" in m["subject"] and "alarms: 1" in m["subject"], "%s %s", to, m["subject"])
        expect("lan2" in m.get_content() and m["auto-submitted"] == "auto-generated" and m["from"].addresses[0].addr_spec == "box@example.test", "%s", m)
        link(box, "up")
        wait_for(lambda: "all is well again" in server.said(), 40, "the mail about its end")
        last = server.mails[-1][1]
        expect("異常なし" in last["subject"] and "lan2" in last.get_content(), "%s %s", last["subject"], last.get_content())
        expect(len({x[1]["message-id"] for x in server.mails}) == len(server.mails), "a mail twice")
        expect(server.logins[0] == (b"box", PASSWORD.encode()), "the login")
        with open(n.state + "/ledger", encoding="utf-8") as f:
            everything = f.read()
        for path in (n.folder + "/log", n.run + "/state", box.run_folder + "/sekishod.log", box.run_folder + "/run/notify.conf"):
            with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as f:
                everything += f.read()
        for question in ("status", "effective", "events"):
            everything += box.sekisho(question, "--json", check=False).stdout
        expect(PASSWORD not in everything + server.said(), "the password stands in an output")
        verified = box.sekisho("verify", "--lang", "en", check=False)
        expect(verified.returncode == 0, "verify: %s", verified.stdout)
        return "%d mails" % len(server.mails)


def scan(box):
    """A scan of forty ports of the crane, each of which is refused; and what a person does about
    the alarm afterwards."""
    with inside(box.ns("it")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for port in range(7001, 7041):
            s.sendto(b"x", ("10.73.0.2", port))
    wait_for(lambda: [a for a in attacks(box) if a["attack"] == "scan"], 10, "an alarm of the scan")


def attacks(box):
    return json.loads(box.sekisho("attacks", "--json").stdout)["alarms"]


def seen(box):
    """Acknowledges the alarm; alarms of self-tests end by themselves."""
    for a in attacks(box):
        if a["state"] == "ringing":
            box.sekisho("attacks", "--acknowledge", str(a["number"]), "--reason", "test", "--by", "Mori")


def name_owner(box):
    """Applies a policy in which the zone ot has a contact; returns to whom mails about it go."""
    path = box.run_folder + "/policy/site.cfg"
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if "contact" not in text:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace('class = "ot";', 'class = "ot"; contact = "クレーン課、cranes@example.test (%s)";' % TO[0]))
        box.sekisho("apply", path)
    return TO + ["cranes@example.test"]


def attack_by_mail(box):
    """A scan and a self-test: each is in a mail with the machines and a first step, and the test is
    marked. The contact of the attacked zone gets it, too. An acknowledged alarm is over."""
    with Notify(box) as n, Server(box, n.folder) as server:
        owner = name_owner(box)
        n.quiet()
        server.mails.clear()
        scan(box)
        sent = wait_for(lambda: [to for to, m in server.mails if "10.71.0.2 (it)" in m.get_content()], 30, "the mail about the scan")
        expect(sent[0] == owner, "about an attack: %s", sent)
        said = server.said()
        expect("スキャンの疑い" in said or "connections to many destinations" in said, "%s", said)
        expect("最初の対応: " in said or "First: " in said, "%s", said)
        box.sekisho("attacks", "--test")
        wait_for(lambda: "【試験】" in server.said() or "TEST: " in server.said(), 30, "the mail about the test")
        seen(box)
        wait_for(lambda: "all is well again" in server.said(), 60, "the mail about its end")
        return "%d mails" % len(server.mails)


def to_the_owner(box):
    """What concerns a zone is sent to the mailboxes of its contact, too, each once: its cable, its
    isolation. What does not concern it is not."""
    with Notify(box) as n, Server(box, n.folder) as server:
        owner = name_owner(box)
        n.quiet()

        def sent_to(word):
            """The recipients of the first mail with this word."""
            return wait_for(lambda: [to for to, m in server.mails if word in m.get_content()], 30, "the mail about " + word)[0]
        for zone, interface, expected in (("ops", "lan1", TO), ("ot", "lan2", owner)):
            for way in ("down", "up"):
                server.mails.clear()
                sh("ip", "link", "set", "eth0", way, ns=box.ns(zone))
                expect(sent_to(interface) == expected, "%s %s: %s", interface, way, [x[0] for x in server.mails])
            n.quiet()
            wait_for(lambda: n.mail()["waiting"] == 0, 30, "all to be sent")
        server.mails.clear()
        box.sekisho("isolate", "zone", "ot", "--reason", "test")
        try:
            wait_for(lambda: [to for to, m in server.mails if to == owner], 30, "the mail about an isolation")
        finally:
            box.sekisho("rejoin", "zone", "ot")


def a_digest(box):
    """Alarms soon after a mail wait for the next mail and are sent together."""
    with Notify(box, every=12) as n, Server(box, n.folder) as server:
        n.quiet()
        link(box, "down")
        wait_for(lambda: server.mails, 30, "the first mail")
        first = len(server.mails)
        sh("nft", "flush", "ruleset", ns=box.data)
        wait_for(lambda: any(e.get("code") in ("flushed", "changed") for e in box.events()), 15, "the record of it")
        wait_for(lambda: n.mail()["waiting"] > 0, 15, "something that waits")
        expect(len(server.mails) == first, "a mail at once: %s", server.said())
        wait_for(lambda: len(server.mails) > first, 60, "the next mail")
        text = server.mails[first][1].get_content()
        expect("rules were" in text or "ルール" in text, "%s", text)
        return "%d waited" % text.count("\n")


def server_away(box):
    """While no server accepts mails, they wait on the disk, also when the program is killed. Then
    each is sent once."""
    with Notify(box) as n:
        link(box, "down")
        wait_for(lambda: n.mail()["state"] == "failing" and n.mail()["waiting"] > 0, 40, "mails that do not go")
        waiting = n.mail()["waiting"]
        said = box.sekisho("status", "--all", "--lang", "en", check=False).stdout
        expect("do not get to the mail server" in " ".join(said.split()), "%s", said)
        n.stop()
        n.start()
        with Server(box, n.folder) as server:
            wait_for(lambda: server.mails, 40, "what waited")
            wait_for(lambda: n.mail()["state"] == "good", 15, "status to be good")
            expect(server.said().count("lan2") >= 1 and waiting > 0, "%s", server.said())
            began = [x for _, m in server.mails for x in m.get_content().splitlines() if "lan2" in x and ("began" in x or "発生" in x)]
            expect(len(began) == 1, "told %d times: %s", len(began), began)
        return "%d lines waited" % waiting


def disk_full(box):
    """The disk accepts nothing. Mails are sent nevertheless, and status says that the box cannot
    store which were sent. When the disk has room again, the ledger is stored."""
    with Notify(box, every=1) as n, Server(box, n.folder) as server:
        n.quiet()
        n.stop()
        sh("mount", "-t", "tmpfs", "-o", "size=64k,mode=700,uid=%d,gid=%d" % (USER, USER), "tmpfs", n.state)
        try:
            with contextlib.suppress(OSError), open(n.state + "/filler", "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 4096)
            n.start()
            wait_for(lambda: n.mail()["state"] == "good" and "No space" in (n.mail()["why"] or ""), 30, "a word about the disk")
            for way in ("down", "up"):
                before = len(server.mails)
                link(box, way)
                wait_for(lambda: any("lan2" in m.get_content() for _, m in server.mails[before:]), 30, "a mail about the link that is %s" % way)
            wait_for(lambda: n.mail()["waiting"] == 0, 20, "nothing that waits")
            expect(n.mail()["state"] == "good" and n.mail()["since"] is not None, "%s", n.mail())
            for lang, words in (("en", "the box cannot store which were sent"), ("ja", "送信済みであることを保存できません")):
                said = box.sekisho("status", "--all", "--lang", lang, check=False).stdout
                expect("".join(words.split()) in "".join(said.split()), "%s", said)
            os.unlink(n.state + "/filler")
            wait_for(lambda: n.mail()["why"] is None and os.path.exists(n.state + "/ledger"), 30, "a ledger that is kept")
        finally:
            n.stop()
            sh("umount", "-l", n.state)
        expect(len({x[1]["message-id"] for x in server.mails}) == len(server.mails), "a mail twice")
        return "%d mails" % len(server.mails)


def records_anew(box):
    """The folder of the records is emptied while the daemon is down: the mail says so, although the
    new records count from 1 again. Nothing is reported twice."""
    with Notify(box, every=1) as n, Server(box, n.folder) as server:
        n.quiet()
        # More records than a start writes.
        for i in range(24):
            with open(box.run_folder + "/policy/site.cfg", "w", encoding="utf-8") as f:
                f.write(HEAD + "conduits = (\n  " + conduit("reads", "it", "ot", ["read", "write"] if i % 2 == 0 else ["read"]) + "\n);\n")
            box.sekisho("apply", box.run_folder + "/policy/site.cfg")
        sh("nft", "flush", "ruleset", ns=box.data)
        wait_for(lambda: "all rules were removed" in server.said(), 40, "the mail about the rules")
        wait_for(lambda: n.mail()["waiting"] == 0, 30, "nothing that waits")
        # A restart with the same records, and with fewer than the program had read, as after a
        # power cut: nothing is reported again, and new records are.
        for more, way in ((0, "down"), (500, "up")):
            n.stop()
            told = len(server.mails)
            with open(n.state + "/ledger", encoding="utf-8") as f:
                ledger = json.load(f)
            ledger["after"] += more
            with open(n.state + "/ledger", "w", encoding="utf-8") as f:
                json.dump(ledger, f)
            n.start()
            link(box, way)
            wait_for(lambda: any("lan2" in m.get_content() for _, m in server.mails[told:]), 30, "a mail about the link that is %s" % way)
            expect(not [m for _, m in server.mails[told:] if "all rules were removed" in m.get_content()], "told again: %s", server.said())
        sh("nft", "flush", "ruleset", ns=box.data)
        wait_for(lambda: [m for _, m in server.mails[told:] if "all rules were removed" in m.get_content()], 40, "the mail about the rules, once more")
        wait_for(lambda: n.mail()["waiting"] == 0, 30, "nothing that waits")
        newest, told = box.events()[-1]["seq"], len(server.mails)
        box.kill()
        sh("sh", "-c", "rm -f %s/state/journal/*" % box.run_folder)
        box.start()
        wait_for(box.running, 30, "the roles anew")
        found = wait_for(lambda: [e for e in box.events() if e.get("code") == "emptied"], 20, "the record of it")
        expect(found[0]["seq"] < newest, "%d records, %d before", found[0]["seq"], newest)
        wait_for(lambda: [m for _, m in server.mails[told:] if "all earlier records are gone" in m.get_content().lower()], 60, "the mail about it")
        expect(not [m for _, m in server.mails[told:] if "all rules were removed" in m.get_content()], "told again: %s", server.said())
        return "record %d of %d before" % (found[0]["seq"], newest)


def wrong_certificate(box):
    """A server with another name, or without TLS, gets neither login nor sender, and status says
    why."""
    with Notify(box) as n:
        for certificate in ("wrong", ""):
            with Server(box, n.folder, certificate) as server:
                link(box, "down" if certificate else "up")
                wait_for(lambda: n.mail()["state"] == "failing" and n.mail()["waiting"] > 0, 40, "a failure")
                before = n.mail()["why"]
                wait_for(lambda: n.mail()["why"] not in ("", None, "Could not connect to server") or n.mail()["why"] != before, 60, "the reason")
                expect(not server.mails and not server.logins and not server.senders, "%s %s", server.logins, server.senders)
        with Server(box, n.folder) as server:
            n.stop()
            n.start()
            wait_for(lambda: server.mails, 40, "the right server")
        return n.mail().get("why")


def daemon_dead(box):
    """The daemon dies: a mail says so. It is back: another mail."""
    with Notify(box) as n, Server(box, n.folder) as server:
        n.quiet()
        box.kill()
        wait_for(lambda: "daemon does not answer" in server.said() or "デーモンが応答しません" in server.said(), 60, "the mail about the daemon")
        box.start()
        wait_for(box.running, 30, "the roles")
        wait_for(lambda: "all is well again" in server.said(), 60, "the mail about its end")
        n.stop()
        wait_for(lambda: n.mail()["state"] == "away", 120, "status without the program", every=1)
        return "%d mails" % len(server.mails)


def asks_nothing_else(box):
    """The program's user can ask for the state of the box. Another question ends its connection.
    Programs of other users cannot reach a host that box.cfg does not name."""
    with Notify(box):
        def asked(uid, *words):
            return sh("setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", box.build + "/sekisho", *words, "--socket",
                      box.run_folder + "/run/control.sock", check=False)
        expect(asked(USER, "status", "--json").returncode in (0, 1) and asked(USER, "events", "--json").returncode == 0, "status as its user")
        for words in (("history",), ("confirm",), ("rollback",), ("effective",)):
            expect(asked(USER, *words).returncode == 3, "%s: %s", words, asked(USER, *words).stdout)
        expect(asked(65534, "status", "--json").returncode == 3, "anybody's status")
        for host, port in (("10.79.0.2", PORT), (SERVER, 25)):
            with inside(box.admin):
                listener = socket.create_server((host, port))
            with listener, inside(box.net.ns("admin")), socket.socket() as s:
                s.settimeout(2)
                with contextlib.suppress(PermissionError, TimeoutError):
                    s.connect((host, port))
                    expect(False, "%s %d was reached", host, port)
    return "history, confirm, rollback, effective"


CASES = (told_and_over, attack_by_mail, to_the_owner, a_digest, server_away, disk_full, records_anew, wrong_certificate, daemon_dead, asks_nothing_else)
