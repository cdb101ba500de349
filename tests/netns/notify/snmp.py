# SPDX-License-Identifier: Apache-2.0
"""Alarms by SNMP: sekisho-inform in the admin namespace, as the unit's user and with the settings that the daemon writes, and Net-SNMP's snmptrapd at the
other end, behind a wire that can cut, alter and repeat what goes over it. What is told is really broken first."""
import contextlib
import json
import os
import random
import select
import shutil
import signal
import socket
import subprocess
import threading

from box import FACTS, HEAD, TOP
from cases import expect
from mail import READS, SERVER, link
from mail import USER as GROUP
from net import inside, sh, wait_for

PEERS = os.path.join(TOP, "build", "peers")
TRAPD, TRANSLATE = PEERS + "/usr/sbin/snmptrapd", PEERS + "/usr/bin/snmptranslate"
LIBRARIES = ":".join(PEERS + x + os.uname().machine + "-linux-gnu" for x in ("/usr/lib/", "/lib/"))
PORT, BEHIND = 162, 10162  # where the box sends to; where snmptrapd listens
USER = 61992  # images/systemd/sysusers.conf
AUTH, PRIVACY = "canary-auth-51c7", "canary-privacy-88e2"
MIB = "1.3.6.1.4.1.8072.9999.9999.1313"
# What our module takes of the standard ones, which Debian does not distribute; Net-SNMP knows their macros itself.
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
    return {"LD_LIBRARY_PATH": LIBRARIES, "SNMP_PERSISTENT_DIR": folder + "/kept", "SNMPCONFPATH": folder, "MIBDIRS": modules(folder + "/mibs"), "MIBS": "SEKISHO-MIB",
            "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}


class Receiver:
    """snmptrapd with one user; what it took, each notification as its objects by name."""

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

    def serials(self):
        return [int(x["sekishoSerial"]) for x in self.took()]

    def about(self, word, kind=None):
        return [x for x in self.took() if word in x["sekishoSentence"] and (kind is None or kind in str(x))]


class Wire:
    """Between the box and snmptrapd: each datagram to and fro, as `forth` and `back` have it (a list of what goes on)."""

    def __init__(self, box, forth=None, back=None):
        self.forth, self.back = forth or (lambda d: [d]), back or (lambda d: [d])
        self.seen = []
        self.ended = False
        with inside(box.admin):
            self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.behind = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.front.bind((SERVER, PORT))
            self.behind.connect((SERVER, BEHIND))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        box = None
        while not self.ended:
            for s in select.select([self.front, self.behind], [], [], 0.1)[0]:
                with contextlib.suppress(ConnectionRefusedError):
                    if s is self.front:
                        data, box = s.recvfrom(65536)
                        self.seen.append(data)
                        for d in self.forth(data):
                            self.behind.send(d)
                    else:
                        data = s.recv(65536)
                        self.seen.append(data)
                        for d in self.back(data) if box else []:
                            self.front.sendto(d, box)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended = True
        self.thread.join(10)
        self.front.close()
        self.behind.close()


class Inform:
    """The box with a receiver in its box.cfg, and the program as the unit runs it; all of it gone behind the case."""

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
        folder = box.run_folder + "/policy"
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

    def fares(self):
        return self.box.status()["snmp"]

    def faults(self):
        return [x for x in self.box.status()["interfaces"] if x["link"] != "up"]

    def quiet(self):
        """It runs, and nothing is wrong that is still to be told."""
        wait_for(lambda: self.fares()["state"] == "good" and self.fares()["waiting"] == 0 and not self.faults(), 60, "a box with nothing wrong")

    def ledger(self):
        with open(self.state + "/ledger", encoding="utf-8") as f:
            return json.load(f)

    def engine(self):
        with open(self.state + "/engine", "rb") as f:
            return f.read()


def once(receiver):
    """Nothing came twice, and in order."""
    serials = receiver.serials()
    expect(serials == sorted(set(serials)), "serials: %s", serials)


def informed(box):
    """A cable is out: an inform, encrypted; it is in again: another one, of the same key. The passphrases are nowhere, and what passes is not to be read."""
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
        clear = b"".join(wire.seen)
        for word in ("lan2", began["sekishoSite"], began["sekishoKey"], began["sekishoSentence"], "fault", AUTH, PRIVACY):
            expect(word.encode() not in clear, "%s passes in clear text", word)
        expect(bytes([2, 1, 3]) in wire.seen[0], "another version of SNMP")
        everything = ""
        for path in (n.folder + "/log", n.run + "/state", n.state + "/ledger", box.run_folder + "/sekishod.log", box.run_folder + "/run/inform.conf"):
            with contextlib.suppress(FileNotFoundError), open(path, encoding="utf-8") as f:
                everything += f.read()
        for question in ("status", "effective", "events"):
            everything += box.sekisho(question, "--json", check=False).stdout
        expect(AUTH not in everything and PRIVACY not in everything, "a passphrase stands in an output")
        expect("SNMP" in box.sekisho("status", "--lang", "en", check=False).stdout, "nothing in status")
        verified = box.sekisho("verify", "--lang", "en", check=False)
        expect(verified.returncode == 0, "verify: %s", verified.stdout)
        print(r.took())
        return "%d informs, %d datagrams" % (len(r.took()), len(wire.seen))


CASES = (informed,)
