# SPDX-License-Identifier: Apache-2.0
"""Alarms by SNMP: sekisho-inform in the admin namespace, as the unit's user and with the daemon's
settings, and Net-SNMP's snmptrapd at the other end. The wire between them can cut, change and
repeat datagrams. Every reported fault is really made."""
import contextlib
import hashlib
import hmac
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import threading

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from box import FACTS, HEAD, TOP, conduit
from cases import expect
from mail import READS, SERVER, link, scan, seen
from mail import USER as GROUP
from net import inside, sh, wait_for

PEERS = os.path.join(TOP, "build", "peers")
TRAPD, TRANSLATE = PEERS + "/usr/sbin/snmptrapd", PEERS + "/usr/bin/snmptranslate"
LIBRARIES = ":".join(PEERS + x + os.uname().machine + "-linux-gnu" for x in ("/usr/lib/", "/lib/"))
PORT, BEHIND = 162, 10162  # the port that the box sends to; the port where snmptrapd listens
USER = 61992  # images/systemd/sysusers.conf
AUTH, PRIVACY = "canary-auth-51c7", "canary-privacy-88e2"
MIB = "1.3.6.1.4.1.8072.9999.9999.1313"
# What our module imports of the standard ones, which Debian does not distribute. Net-SNMP itself
# knows their macros.
STANDARD = {"SNMPv2-SMI": "org OBJECT IDENTIFIER ::= { iso 3 }\ndod OBJECT IDENTIFIER ::= { org 6 }\ninternet OBJECT IDENTIFIER ::= { dod 1 }\n"
                          "private OBJECT IDENTIFIER ::= { internet 4 }\nenterprises OBJECT IDENTIFIER ::= { private 1 }\n",
            "SNMPv2-TC": 'DateAndTime ::= TEXTUAL-CONVENTION DISPLAY-HINT "2d-1d-1d,1d:1d:1d.1d,1a1d:1d" STATUS current DESCRIPTION "" SYNTAX OCTET STRING (SIZE (8 | 11))\n',
            "SNMPv2-CONF": ""}


def modules(folder):
    os.makedirs(folder, exist_ok=True)
    for name, text in STANDARD.items():
        with open("%s/%s.txt" % (folder, name), "w", encoding="ascii") as f:
            f.write("%s DEFINITIONS ::= BEGIN\n%sEND\n" % (name, text))
    shutil.copy(os.path.join(TOP, "docs", "SEKISHO-MIB.txt"), folder)
    return folder


def environment(folder):
    os.makedirs(folder + "/kept/cert_indexes", exist_ok=True)
    return {"LD_LIBRARY_PATH": LIBRARIES, "SNMP_PERSISTENT_DIR": folder + "/kept", "SNMPCONFPATH": folder, "MIBDIRS": modules(folder + "/mibs"), "MIBS": "SEKISHO-MIB",
            "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}


class Receiver:
    """snmptrapd with one user. Keeps each received notification as its objects by name."""

    def __init__(self, box, folder, auth=AUTH, privacy=PRIVACY, user="sekisho", port=BEHIND):
        self.folder, self.log = folder + "/trapd", folder + "/trapd.log"
        os.makedirs(self.folder, exist_ok=True)
        with open(self.folder + "/trapd.conf", "w", encoding="ascii") as f:
            f.write('createUser %s SHA-256 "%s" AES "%s"\nauthUser log %s priv\n' % (user, auth, privacy, user))
        self.process = box.net.spawn([TRAPD, "-f", "-n", "-C", "-c", self.folder + "/trapd.conf", "-Lf", self.log, "-A", "-OQ", "-F", "%P\x1f%v\x1e\n", "udp:%s:%d" % (SERVER, port)],
                                     box.admin, log=folder + "/trapd.out", env=environment(self.folder))
        wait_for(lambda: self.listens(box, port), 15, "snmptrapd")

    def listens(self, box, port):
        return ":%d " % port in sh("ss", "-Hlun", ns=box.admin).stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def took(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as f:
            parts = f.read().split("\x1e\n")
        found = []
        for head, values in (x.rsplit("\n", 1)[-1].split("\x1f", 1) if "\x1f" in x else ("", "") for x in parts):
            one = {"how": head}
            for value in values.split("\t"):
                name, _, text = value.partition(" = ")
                one[name.split("::")[-1].split(".")[0] if "SEKISHO-MIB" in name else name] = text.strip('"').replace("SEKISHO-MIB::", "")
            if values:
                found.append(one)
        return found

    def serials(self, about=""):
        return [int(x["sekishoSerial"]) for x in self.about(about)]

    def about(self, word, kind=None):
        return [x for x in self.took() if word in x["sekishoSentence"] and (kind is None or kind in str(x))]


class Wire:
    """The wire between the box and snmptrapd. `forth` and `back` turn each datagram into the list
    of datagrams that are passed on."""

    def __init__(self, box, forth=None, back=None):
        self.forth, self.back = forth or (lambda d: [d]), back or (lambda d: [d])
        self.seen, self.sent = [], []
        self.box = None
        self.ended = False
        with inside(box.admin):
            self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.behind = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.front.bind((SERVER, PORT))
            self.behind.connect((SERVER, BEHIND))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended:
            for s in select.select([self.front, self.behind], [], [], 0.1)[0]:
                with contextlib.suppress(ConnectionRefusedError):
                    if s is self.front:
                        data, self.box = s.recvfrom(65536)
                        self.seen.append(data)
                        self.sent.append(data)
                        for d in self.forth(data):
                            self.behind.send(d)
                    else:
                        data = s.recv(65536)
                        self.seen.append(data)
                        for d in self.back(data):
                            self.front.sendto(d, self.box)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(10)
        self.front.close()
        self.behind.close()


class Inform:
    """The box with a receiver in its box.cfg, and the program as the unit runs it; both are ended
    after the case."""

    def __init__(self, box, passphrases=(AUTH, PRIVACY)):
        self.box, self.process = box, None
        self.folder, self.run, self.state = (box.run_folder + x for x in ("/snmp", "/run-inform", "/state-inform"))
        sh("rm", "-rf", self.folder, self.run, self.state)
        for folder in (self.folder, self.folder + "/secret", self.run, self.state):
            os.makedirs(folder, mode=0o755)
        with open(self.folder + "/secret/passphrases", "w", encoding="ascii") as f:
            f.write("\n".join(passphrases) + "\n")
        for path in (self.folder + "/secret/passphrases", self.run, self.state):
            os.chown(path, USER, USER)
            os.chmod(path, 0o400 if path.endswith("passphrases") else 0o700)
        self.policy = folder = box.run_folder + "/policy"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/box.cfg", "w", encoding="utf-8") as f:
            f.write(FACTS % 1 + 'snmp_receiver = { address = "%s"; user = "sekisho"; };\n' % SERVER)
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
        env = {"STATE_DIRECTORY": self.state, "RUNTIME_DIRECTORY": self.run, "CREDENTIALS_DIRECTORY": self.folder + "/secret", "TZ": "UTC", "PATH": os.environ["PATH"]}
        if "LD_LIBRARY_PATH" in os.environ:
            env["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
        self.process = self.box.net.spawn(["setpriv", "--reuid", str(USER), "--regid", str(USER), "--groups", str(GROUP), "--", self.box.build + "/sekisho-inform", self.box.run_folder + "/run/inform.conf", self.box.run_folder + "/run/control.sock"],
                                          self.box.net.ns("admin"), log=self.folder + "/log", env=env)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.run + "/state")

    def fares(self):
        return self.box.status()["snmp"]

    def failing(self, why):
        """The error, if it matches `why` and keeps waiting informs from being sent; else None."""
        m = self.fares()
        return m["why"] if m["state"] == "failing" and m["waiting"] > 0 and why in m["why"] else None

    def faults(self):
        return [x for x in self.box.status()["interfaces"] if x["link"] != "up"]

    def quiet(self):
        """Waits until it runs without an error, nothing waits to be sent, and every link is up."""
        wait_for(lambda: self.fares()["state"] == "good" and self.fares()["waiting"] == 0 and not self.faults(), 60, "a box with nothing wrong")

    def quiet_but_link(self):
        wait_for(lambda: self.fares()["state"] == "good" and self.fares()["waiting"] == 0, 30, "all told")

    def ledger(self):
        with open(self.state + "/ledger", encoding="utf-8") as f:
            return json.load(f)

    def waits(self, what):
        return any(w["what"] == what and "lan2" in w["en"] for w in self.ledger()["waiting"])

    def engine(self):
        with open(self.state + "/engine", "rb") as f:
            return f.read()


def once(receiver):
    """Checks that nothing came twice, and that the order is right."""
    serials = receiver.serials()
    expect(serials == sorted(set(serials)), "serials: %s", serials)


def informed(box):
    """A cable is unplugged: an encrypted inform. It is plugged in again: another inform with the
    same key. The passphrases appear nowhere, and the datagrams are not readable."""
    with Inform(box) as n, Wire(box) as wire, Receiver(box, n.folder) as r:
        n.quiet()
        link(box, "down")
        wait_for(lambda: r.about("lan2"), 30, "the inform about the link")
        began = r.about("lan2")[0]
        link(box, "up")
        wait_for(lambda: r.about("lan2", "sekishoCleared"), 40, "the inform about its end")
        ended = r.about("lan2", "sekishoCleared")[0]
        status = box.status()
        expect("INFORM" in began["how"] and "v3" in began["how"] and "user sekisho" in began["how"], "%s", began)
        expect("sekishoRaised" in str(began) and began["sekishoKey"] == ended["sekishoKey"] and began["sekishoCode"] == "fault", "%s %s", began, ended)
        expect(began["sekishoSite"] == status["site"]["name"] and int(began["sekishoGeneration"]) == status["generation"]["number"], "%s", began)
        expect(began["sekishoSeverity"] == "serious" and began["sekishoWhen"].startswith(status["now"][:4] if "now" in status else "20"), "%s", began)
        expect(began["sekishoSentence"] != ended["sekishoKey"] and began["sekishoDropped"] == "0", "%s", began)
        once(r)
        passed = b"".join(wire.seen)
        for word in ("lan2", began["sekishoSite"], began["sekishoKey"], began["sekishoSentence"], "fault", AUTH, PRIVACY):
            expect(word.encode() not in passed, "%s passes in clear text", word)
        for data in wire.seen:
            expect(parts_of(data)[0] == (2, b"\3"), "another version of SNMP")
        engines, of_link = set(), 0
        sent = [d for d in wire.sent if not clear(d)]
        for data in sent:
            engine, (kind, pdu) = opened(data)
            engines.add(engine)
            # alarms of other cases may begin or end meanwhile
            of_link += began["sekishoKey"].encode() in pdu
            expect(kind == 0xa6 and header(data)[1] == 7, "%x %s", kind, pdu)
        expect(of_link >= 2 and engines == {n.engine()}, "%d, %s", of_link, engines)
        everything = ""
        for path in (n.folder + "/log", n.run + "/state", n.state + "/ledger", box.run_folder + "/sekishod.log", box.run_folder + "/run/inform.conf"):
            with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as f:
                everything += f.read()
        for question in ("status", "effective", "events"):
            everything += box.sekisho(question, "--json", check=False).stdout
        expect(AUTH not in everything and PRIVACY not in everything, "a passphrase stands in an output")
        expect("SNMP" in box.sekisho("status", "--all", "--lang", "en", check=False).stdout, "nothing in status")
        verified = box.sekisho("verify", "--lang", "en", check=False)
        expect(verified.returncode == 0, "verify: %s", verified.stdout)
        return "%d informs, %d datagrams" % (len(r.took()), len(wire.seen))


def receiver_away(box):
    """While no receiver acknowledges informs, they wait on the disk, also when the program is
    killed and the receiver restarts. Then all are sent, once and in order. The box keeps its engine
    id."""
    with Inform(box) as n:
        with Wire(box) as wire:
            link(box, "down")
            wait_for(lambda: n.fares()["state"] == "failing" and n.fares()["waiting"] > 0, 40, "informs that do not go")
            # another alarm may wait already; a link that comes back before anybody saw it down has
            # no end
            wait_for(lambda: n.waits("begin"), 30, "the beginning, which waits")
            said = " ".join(box.sekisho("status", "--all", "--lang", "en", check=False).stdout.split())
            expect("alarms do not get to the SNMP receiver %s:%d: Timeout" % (SERVER, PORT) in said, "%s", said)
            expect("SNMP 受信側" in box.sekisho("status", "--all", "--lang", "ja", check=False).stdout, "no Japanese")
            expect(wire.seen, "it did not even try")
            link(box, "up")
            wait_for(lambda: n.waits("end"), 30, "the end, which waits as well")
            waiting = n.ledger()["waiting"]
            engine = n.engine()
            n.stop()
            n.start()
            with Receiver(box, n.folder) as r:
                wait_for(lambda: r.about("lan2", "sekishoCleared"), 60, "what waited")
                n.quiet()
                once(r)
                expect([x["serial"] for x in waiting] == r.serials()[:len(waiting)] and len(r.about("lan2", "sekishoRaised")) == 1, "%s: %s", waiting, r.took())
            # one more start, so that the box's engine time begins anew
            with Receiver(box, n.folder) as r:
                link(box, "down")
                wait_for(lambda: r.about("lan2", "sekishoRaised"), 60, "the inform to the new one")
                expect(min(r.serials()) > waiting[-1]["serial"], "again: %s", r.serials())
                once(r)
        expect(n.engine() == engine and len(engine) == 17, "another engine")
        expect(all(AUTH.encode() not in d and b"lan2" not in d for d in wire.seen), "in clear text")
        return "%d waited" % len(waiting)


def snmp_disk_full(box):
    """A disk that is full from the first start on: nothing is sent before the program has stored
    the number of its start. Then informs are sent although the full disk stores none, and status
    says so."""
    with Inform(box) as n, Wire(box), Receiver(box, n.folder) as r:
        n.stop()
        sh("mount", "-t", "tmpfs", "-o", "size=64k,mode=700,uid=%d,gid=%d" % (USER, USER), "tmpfs", n.state)

        def fill():
            with contextlib.suppress(OSError), open(n.state + "/filler", "wb", buffering=0) as f:
                while True:
                    f.write(b"x" * 4096)
        try:
            fill()
            link(box, "down")
            n.start()
            wait_for(lambda: n.failing("No space"), 40, "a failure for want of a number")
            expect(not r.took(), "%s", r.took())
            os.unlink(n.state + "/filler")
            wait_for(lambda: r.about("lan2", "sekishoRaised"), 60, "the inform, with room")
            n.quiet_but_link()
            fill()
            link(box, "up")
            wait_for(lambda: r.about("lan2", "sekishoCleared"), 30, "the inform on a full disk")
            link(box, "down")
            wait_for(lambda: len(r.about("lan2", "sekishoRaised")) == 2, 30, "another one")
            wait_for(lambda: n.fares()["waiting"] == 0, 20, "nothing that waits")
            expect(n.fares()["state"] == "good" and "No space" in n.fares()["why"], "%s", n.fares())
            said = "".join(box.sekisho("status", "--all", "--lang", "en", check=False).stdout.split())
            expect("cannotstorewhichweresent" in said, "%s", said)
            once(r)
        finally:
            n.stop()
            sh("umount", "-l", n.state)
        return "%d informs" % len(r.took())


def snmp_records_anew(box):
    """The folder of the records is emptied while the daemon is down: an inform says so, although
    the new records count from 1 again."""
    with Inform(box) as n, Wire(box), Receiver(box, n.folder) as r:
        n.quiet()
        # More records than a start writes.
        for i in range(24):
            with open(n.policy + "/site.cfg", "w", encoding="utf-8") as f:
                f.write(HEAD + "conduits = (\n  " + conduit("reads", "it", "ot", ["read", "write"] if i % 2 == 0 else ["read"]) + "\n);\n")
            box.sekisho("apply", n.policy + "/site.cfg")
        newest = box.events()[-1]["seq"]
        wait_for(lambda: n.ledger()["after"] >= newest, 20, "a look at all of it")
        box.kill()
        sh("sh", "-c", "rm -f %s/state/journal/*" % box.run_folder)
        box.start()
        wait_for(box.running, 30, "the roles anew")
        found = wait_for(lambda: [e for e in box.events() if e.get("code") == "emptied"], 20, "the record of it")
        expect(found[0]["seq"] < newest, "%d records, %d before", found[0]["seq"], newest)
        wait_for(lambda: r.about("all earlier records are gone"), 60, "the inform about it")
        once(r)
        return "record %d of %d before" % (found[0]["seq"], newest)


def a_long_backlog(box):
    """Nearly as many informs as a ledger holds, over an hour old: they are sent in order and once,
    while the program is killed in between. The number that had no room is reported once."""
    with Inform(box) as n, Wire(box) as wire:
        n.quiet()
        n.stop()
        ledger = n.ledger()
        first = ledger["serial"] + 8
        ledger["dropped"] = 7
        ledger["waiting"] = [{"what": "begin" if i % 2 == 0 else "end", "when": "2026-01-01T00:%02d:00Z" % (i % 60), "key": "fault " + "岸" * 90 + " number %d" % (i // 2), "grave": True,
                              "en": "fault %d " % i + "x" * 900, "ja": "異常 %d" % i + "あ" * 300, "generation": 3, "serial": first + i} for i in range(190)]
        ledger["serial"] = first + 189
        with open(n.state + "/ledger", "w", encoding="utf-8") as f:
            json.dump(ledger, f)
        with Receiver(box, n.folder) as r:
            n.start()
            wait_for(lambda: len(r.serials()) > 20, 40, "the first ones")
            n.stop()
            n.start()
            wait_for(lambda: r.serials() and r.serials()[-1] >= first + 189, 90, "the last one")
            n.quiet()
            told = r.took()
            serials = r.serials()
            # The program may have been killed before it stored an acknowledgement, so one inform
            # may come twice.
            expect(sorted(set(serials)) == list(range(first, serials[-1] + 1)) and serials == sorted(serials) and len(serials) <= len(set(serials)) + 1, "%s", serials)
            expect([x["sekishoDropped"] for x in told[:2]] == ["7", "0"] and {x["sekishoDropped"] for x in told[2:]} == {"0"}, "%s", told[:3])
            expect(told[0]["sekishoWhen"].startswith("2026-1-1,0:0:0") and told[0]["sekishoGeneration"] == "3", "%s", told[0])
            expect(550 < len(told[0]["sekishoSentence"].encode()) <= 560 and "\ufffd" not in told[0]["sekishoSentence"], "%s", told[0]["sekishoSentence"])
            keys = {x["sekishoKey"] for x in told[:180]}
            expect(85 < len(keys) < 95 and max(len(k.encode()) for k in keys) <= 120 and "\ufffd" not in str(keys), "%d keys: %s", len(keys), sorted(keys)[:2])
            expect(max(len(d) for d in wire.seen) + 100 - len("test") <= 1232, "a datagram of %d bytes", max(len(d) for d in wire.seen))
        return "%d informs" % len(serials)


def wrong_keys(box):
    """A receiver with another user or other passphrases, or a box without any: nothing arrives,
    nothing is lost, and status says why. With the right ones everything is sent."""
    with Inform(box) as n, Wire(box):
        whys = []
        link(box, "down")
        for more, why in (({"user": "somebody"}, "Unknown user name"), ({"auth": "another-auth-000"}, "Authentication failure"), ({"privacy": "another-privacy-0"}, "")):
            n.stop()
            sh("rm", "-rf", n.folder + "/trapd", n.folder + "/trapd.log")
            with Receiver(box, n.folder, **more) as r:
                n.start()
                whys.append(wait_for(lambda: n.failing(why), 60, "a failure: %s" % why))
                expect(not r.took(), "%s", r.took())
        secret = n.folder + "/secret/passphrases"
        for text in ("-\n", "short\nshort\n", AUTH + "\n"):
            with open(secret, "w", encoding="ascii") as f:
                f.write(text)
            n.stop()
            n.start()
            wait_for(lambda: n.failing("passphrases"), 30, "a failure without keys")
        with open(secret, "w", encoding="ascii") as f:
            f.write(AUTH + "\n" + PRIVACY + "\n")
        n.stop()
        sh("rm", "-rf", n.folder + "/trapd", n.folder + "/trapd.log")
        with Receiver(box, n.folder) as r:
            n.start()
            wait_for(lambda: r.about("lan2"), 40, "the right receiver")
            once(r)
        return "; ".join(whys)


def ack_lost(box):
    """The receiver got an inform, but its acknowledgement is lost: the inform comes again with the
    same serial number, and then no more."""
    lose = [3]

    def back(data):
        lose[0] -= 1 if not clear(data) and lose[0] > 0 else 0
        return [data] if clear(data) or lose[0] == 0 else []
    with Inform(box) as n, Wire(box, back=back), Receiver(box, n.folder) as r:
        n.quiet()
        link(box, "down")
        wait_for(lambda: n.fares()["state"] == "good" and n.fares()["waiting"] == 0 and r.about("lan2"), 60, "an acknowledgement")
        # On a busy machine another alarm can lose the acknowledgements. It has a number of its own.
        serials, every = r.serials("lan2"), r.serials()
        expect(len(set(serials)) == 1 and len(every) > len(set(every)), "%s of %s", serials, every)
        link(box, "up")
        wait_for(lambda: r.about("lan2", "sekishoCleared"), 40, "the next one")
        after = r.serials("lan2")
        expect(after[:-1] == serials and after[-1] > serials[-1], "%s, then %s", serials, after)
        return "%d of %d informs came again" % (len(every) - len(set(every)), len(every))


# ---- answers of others ---------------------------------------------------------------------------

def ber(kind, *parts):
    body = b"".join(parts)
    length = bytes([len(body)]) if len(body) < 128 else bytes([0x82, len(body) >> 8, len(body) & 255])
    return bytes([kind]) + length + body


def number(n):
    return ber(2, n.to_bytes((n.bit_length() + 8) // 8, "big", signed=True))


def parts_of(data):
    """The parts of a sequence."""
    def head(at):
        n, at = data[at + 1], at + 2
        if n & 0x80:
            n, at = int.from_bytes(data[at:at + (n & 0x7f)], "big"), at + (n & 0x7f)
        return at, at + n
    at, end = head(0)
    found = []
    while at < end:
        start, at_next = head(at)
        found.append((data[at], data[start:at_next]))
        at = at_next
    return found


def header(data):
    """msgID and msgFlags."""
    own = parts_of(ber(0x30, parts_of(data)[1][1]))
    return int.from_bytes(own[0][1], "big"), own[2][1][0]


def clear(data):
    return header(data)[1] & 2 == 0


def unprotected(data, flags, pdu=0xa2):
    """An answer to `data` by an attacker who knows everything that is readable on the wire, but no
    key."""
    security = parts_of(parts_of(data)[2][1])
    scoped = ber(0x30, ber(4, security[0][1]), ber(4, b""), ber(pdu, number(1), number(0), number(0), ber(0x30)))
    return ber(0x30, number(3), ber(0x30, number(header(data)[0]), number(65507), ber(4, bytes([flags])), number(3)),
               ber(4, ber(0x30, *(ber(k, v) for k, v in (security[:3] + [security[3], (4, b""), (4, b"")])))), scoped)


def opened(data):
    """Decrypts an inform, using only its keys and the standards (RFC 3414, 3826, 7860). Returns its
    context engine and its PDU."""
    security_raw = parts_of(data)[2][1]
    security = parts_of(security_raw)
    engine, boots, time, user, mac, salt = (x[1] for x in security)

    def key(passphrase):
        whole = hashlib.sha256((passphrase.encode() * (1048576 // len(passphrase) + 1))[:1048576]).digest()
        return hashlib.sha256(whole + engine + whole).digest()
    expect(user == b"sekisho" and len(mac) == 24 and data.count(mac) == 1, "%s", security)
    expect(hmac.new(key(AUTH), data.replace(mac, bytes(24)), "sha256").digest()[:24] == mac, "not authenticated by HMAC-SHA-256")
    start = int.from_bytes(boots, "big").to_bytes(4, "big") + int.from_bytes(time, "big").to_bytes(4, "big") + salt
    aes = Cipher(algorithms.AES(key(PRIVACY)[:16]), modes.CFB(start)).decryptor()
    scoped = parts_of(aes.update(parts_of(data)[3][1]) + aes.finalize())
    return scoped[0][1], scoped[2]


def answers_of_others(box):
    """In place of the receiver, an attacker answers endlessly with recorded, invented and random
    messages. None counts as an acknowledgement, and the program goes on. Then the receiver gets
    everything, once."""
    dice = random.Random(1)
    recorded, hostile, on = [], [0], [False]

    def lies(data):
        whole = [x for x in recorded if dice.random() < 0.2] + [unprotected(data, 0), unprotected(data, 1), unprotected(data, 3)]
        if dice.random() < 0.2:
            whole.append(unprotected(data, 0, 0xa8))  # this ends an attempt, as silence does
        for x in recorded + whole:
            for _ in range(20):
                y = bytearray(x)
                for _ in range(dice.randrange(1, 4)):
                    y[dice.randrange(len(y))] = dice.randrange(256)
                whole.append(bytes(y))
            whole.append(x[:dice.randrange(len(x))])
        whole += [ber(0x30, number(v), ber(4, b"public"), ber(0xa2, number(1), number(0), number(0), ber(0x30))) for v in (0, 1)]
        whole += [bytes(dice.randrange(256) for _ in range(dice.randrange(1500))) for _ in range(10)] + [b"", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80" * 300]
        dice.shuffle(whole)
        return whole[:300]

    with Inform(box) as n, Wire(box) as wire, Receiver(box, n.folder) as r:
        n.quiet()
        wire.back = lambda d: recorded.append(d) or [d]
        link(box, "down")
        wait_for(lambda: r.about("lan2"), 30, "one that goes")
        n.quiet_but_link()
        before = r.serials()
        pid = n.process.pid
        turn = [0]

        def forth(data):
            # The program first asks for the engine id. Every second time this question gets a right
            # answer, so that both this question and the informs after it meet false answers.
            turn[0] += 1
            if clear(data) and turn[0] % 2:
                return [data]
            answers = lies(data)
            hostile[0] += len(answers)
            for x in answers:
                wire.front.sendto(x, wire.box)
            return []
        wire.forth = forth
        link(box, "up")
        wait_for(lambda: hostile[0] > 1500, 120, "lies")
        expect(n.process.poll() is None and n.process.pid == pid, "the program ended")
        expect(r.serials() == before, "went to the receiver")
        why = wait_for(lambda: n.failing(""), 20, "a failure")
        wire.forth = lambda d: [d]
        n.stop()
        n.start()
        wait_for(lambda: r.about("lan2", "sekishoCleared"), 60, "what waited")
        once(r)
        return "%d datagrams, %s" % (hostile[0], why)


def recorded_answers(box):
    """Recorded acknowledgements are replayed in place of the receiver's, to the first message of
    each round and to every other one. None counts, because no two messages have the same number or
    the same initialisation vector."""
    recorded = []
    with Inform(box) as n, Wire(box, back=lambda d: recorded.append(d) or [d]) as wire, Receiver(box, n.folder) as r:
        n.quiet()
        link(box, "down")
        wait_for(lambda: r.about("lan2"), 30, "one that goes")
        n.quiet_but_link()
        answers, before = [d for d in recorded if not clear(d)], r.serials()
        expect(answers, "no answer was recorded")

        def forth(data):
            if clear(data):
                return [data]
            for d in answers:
                wire.front.sendto(d, wire.box)
            return []
        wire.forth = forth
        link(box, "up")
        wait_for(lambda: n.failing(""), 60, "a failure")
        began = len(wire.sent)
        wait_for(lambda: len([d for d in wire.sent[began:] if not clear(d)]) >= 3, 60, "another round")
        expect(n.fares()["waiting"] > 0 and r.serials() == before, "%s", r.serials())
        wire.forth = lambda d: [d]
        wait_for(lambda: r.about("lan2", "sekishoCleared"), 60, "what waited")
        once(r)
        numbers = [header(d)[0] for d in wire.sent]
        salts = [parts_of(parts_of(d)[2][1])[5][1] for d in wire.sent if not clear(d)]
        expect(len(set(numbers)) == len(numbers) and len(set(salts)) == len(salts), "%s %s", numbers, salts)
        return "%d messages" % len(numbers)


def daemon_gone(box):
    """The daemon dies: an inform says so, with the site and generation from before. It is back:
    another inform."""
    with Inform(box) as n, Wire(box), Receiver(box, n.folder) as r:
        n.quiet()
        box.kill()
        wait_for(lambda: [x for x in r.took() if x["sekishoCode"] == "daemon"], 60, "the inform about the daemon")
        box.start()
        wait_for(box.running, 30, "the roles")
        wait_for(lambda: [x for x in r.took() if x["sekishoCode"] == "daemon" and "sekishoCleared" in str(x)], 60, "the inform about its end")
        once(r)
        found = [x for x in r.took() if x["sekishoCode"] == "daemon"]
        expect(len(found) == 2 and {x["sekishoSite"] for x in found} == {"test"} and int(found[0]["sekishoGeneration"]) > 0, "%s", found)
        return "%d informs" % len(r.took())


def nothing_else(box):
    """The program has no capability and only asks the box for its state. It talks only to the
    receiver, and nobody can connect to it."""
    with Inform(box) as n:
        n.quiet()
        with open("/proc/%d/status" % n.process.pid, encoding="ascii") as f:
            s = dict(x.rstrip("\n").split(":", 1) for x in f)
        expect(s["Uid"].split() == [str(USER)] * 4 and int(s["CapEff"], 16) == 0, "%s", s)
        expect(":161 " not in sh("ss", "-Hlun", ns=box.net.ns("admin")).stdout and not sh("ss", "-Hun", ns=box.net.ns("admin")).stdout, "a socket that stays")

        def asked(*words):
            return sh("setpriv", "--reuid", str(USER), "--regid", str(USER), "--groups", str(GROUP), box.build + "/sekisho", *words, "--socket",
                      box.run_folder + "/run/control.sock", check=False)
        expect(asked("status", "--json").returncode in (0, 1) and asked("events", "--json").returncode == 0, "status as its user")
        for words in (("history",), ("confirm",), ("rollback",), ("effective",)):
            expect(asked(*words).returncode == 3, "%s: %s", words, asked(*words).stdout)
        said = box.sekisho("effective", "--lang", "en").stdout
        expect("SNMP receiver" in said and "udp/%d" % PORT in said, "%s", said)
        with inside(box.admin), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as declared:
            other.bind((SERVER, 161))
            declared.bind((SERVER, PORT))
            for listener in (other, declared):
                listener.settimeout(2)
            with inside(box.net.ns("admin")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                for port in (161, PORT):
                    with contextlib.suppress(PermissionError):
                        s.sendto(b"x", (SERVER, port))
            expect(declared.recv(10) == b"x", "the declared one")
            with contextlib.suppress(TimeoutError):
                other.recv(10)
                expect(False, "another port was reached")
        with open(n.policy + "/box.cfg", "w", encoding="utf-8") as f:
            f.write(FACTS % 1)
        box.sekisho("apply", n.policy + "/site.cfg")
        expect(not os.path.exists(box.run_folder + "/run/inform.conf") and box.status()["snmp"] is None, "settings that stay")
        expect("SNMP receiver" not in box.sekisho("effective", "--lang", "en").stdout, "a rule that stays")
        box.sekisho("rollback")
        expect(os.path.exists(box.run_folder + "/run/inform.conf") and box.status()["snmp"] is not None, "settings that do not come back")
    return "history, confirm, rollback, effective"


def named_by_the_mib(box):
    """Net-SNMP reads the shipped module without a complaint, and it names everything that the
    program sends."""
    folder = box.run_folder + "/mib"
    env = environment(folder)
    for name, number_of in (("sekishoRaised", ".0.1"), ("sekishoCleared", ".0.2"), ("sekishoRecorded", ".0.3"), ("sekishoSite", ".1.1"), ("sekishoCode", ".1.2"),
                            ("sekishoKey", ".1.3"), ("sekishoSeverity", ".1.4"), ("sekishoWhen", ".1.5"), ("sekishoSentence", ".1.6"), ("sekishoGeneration", ".1.7"),
                            ("sekishoSerial", ".1.8"), ("sekishoDropped", ".1.9")):
        p = subprocess.run([TRANSLATE, "-Pewucd", "-Td", "-On", "SEKISHO-MIB::" + name], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        expect(p.returncode == 0 and not p.stderr and p.stdout.startswith("." + MIB + number_of + "\n"), "%s: %s %s", name, p.stdout, p.stderr)
        expect("DESCRIPTION" in p.stdout and ("MAX-ACCESS\taccessible-for-notify" in p.stdout or "NOTIFICATION-TYPE" in p.stdout), "%s", p.stdout)
    return "12 names"


def attack_informed(box):
    """A scan and a self-test: an inform for each, with the machines and a first step; the test is
    marked and less severe. After an acknowledgement they are cleared."""
    with Inform(box) as n, Wire(box), Receiver(box, n.folder) as r:
        n.quiet()

        def informs():
            # repeated until the alarm comes again, because an earlier case may have acknowledged it
            scan(box)
            return r.about("10.71.0.2 (it)", "sekishoRaised")
        wait_for(informs, 40, "the inform about the scan")
        began = [x for x in r.about("10.71.0.2 (it)", "sekishoRaised") if x["sekishoCode"] == "attack"][0]
        expect("sekishoRaised" in str(began) and began["sekishoSeverity"] == "serious" and ("First: " in began["sekishoSentence"] or "最初の対応: " in began["sekishoSentence"]), "%s", began)
        box.sekisho("attacks", "--test")
        wait_for(lambda: r.about("TEST: ") or r.about("【試験】"), 30, "the inform about the test")
        expect((r.about("TEST: ") or r.about("【試験】"))[0]["sekishoSeverity"] != "serious", "%s", r.took())
        seen(box)
        wait_for(lambda: [x for x in r.about("10.71.0.2 (it)", "sekishoCleared")], 40, "the inform about its end")


CASES = (informed, attack_informed, receiver_away, snmp_disk_full, snmp_records_anew, a_long_backlog, wrong_keys, ack_lost, answers_of_others, recorded_answers, daemon_gone, nothing_else, named_by_the_mib)
