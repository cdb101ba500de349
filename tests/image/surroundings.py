# SPDX-License-Identifier: Apache-2.0
"""The surroundings of the image's machine in these tests: an office, a crane with a PLC, and an
administration at its cards, and what a person types at its console from the first start on."""
import calendar
import os
import re
import select
import socket
import subprocess
import threading
import time

import modbus
import serving
from cases import expect
from machine import PATIENCE, tap
from net import Capture, Net, Wire, decode, inside, ip4, tcp, udp, wait_for

PASSPHRASE, OF_KEY = "port of kita 8", "of the key 8"
MACS = ["52:54:00:5e:00:%02x" % n for n in (1, 2, 3)]
BOX = {"adm": "10.99.0.1", "office": "10.10.0.1", "crane": "10.30.0.1"}
OTHERS = ["52:54:00:5e:01:%02x" % n for n in (1, 2, 3)]  # addresses of the box that replaces it
ANSWERS = ["kita", "", "4119", "IT", "", "1", "enp0s3", "", "10.99.0.1/24", "", "enp0s4", "", "10.10.0.1/16", "office", "1", "", "IT", "enp0s5", "", "10.30.0.1/22", "crane", "3", "",
           "Cranes", "", "1"]
POLICY = """language_version = 1;
site = { name = "kita"; };
zones = {
  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; owner = "IT"; };
  crane = { interfaces = ["lan1"]; networks = ["10.30.0.0/22"]; class = "ot"; owner = "Cranes"; };
};
assets = { rtg01 = { zone = "crane"; addresses = ["10.30.1.10"]; }; };
services = { plc_read = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); }; };
conduits = ( { name = "office-reads-rtg01"; from = "office"; to = "crane"; destinations = ["rtg01"]; services = ["plc_read"];
  purpose = "reports"; owner = "IT"; review_by = "2099-03-31"; } );
"""


class Site:
    """Three namespaces around the box, a PLC in one of them, and a program in the office that tries
    forbidden packets all the time."""

    def __init__(self, folder):
        self.net = Net("skimg%d-" % os.getpid())  # another run may be active
        self.cards = []
        for (short, address), mac in zip((("adm", "10.99.0.2/24"), ("office", "10.10.0.2/16"), ("crane", "10.30.1.10/22")), MACS):
            ns = self.net.add(short)
            self.cards.append((tap(ns, "card"), mac))
            self.net.address(ns, "card", address)
            subprocess.run(["ip", "-n", ns, "route", "add", "default", "via", BOX[short]], check=True)
        self.office, self.crane, self.adm = (self.net.ns(x) for x in ("office", "crane", "adm"))
        self.arrived = Capture(self.net, self.crane, "card")
        self.written, self.sent, self.stopped, self.paused = [], 0, threading.Event(), threading.Event()
        with inside(self.crane):
            plc = socket.create_server(("10.30.1.10", 502))
        serving.each(plc, self.plc)
        self.thread = threading.Thread(target=self.attempts, daemon=True)
        self.thread.start()
        self.stick = folder + "/stick"
        subprocess.run(["mkfs.vfat", "-C", "-n", "SEKISHO", self.stick, str(1 << 20)], check=True, stdout=subprocess.DEVNULL)
        with open(folder + "/site.cfg", "w", encoding="utf-8") as f:
            f.write(POLICY)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:3072", "-passout", "pass:" + OF_KEY, "-keyout", folder + "/backup.key", "-out", folder + "/backup.pem",
                        "-days", "30", "-subj", "/CN=backup"], check=True, stderr=subprocess.DEVNULL)
        self.key = folder + "/backup.key"
        subprocess.run(["mcopy", "-i", self.stick, folder + "/site.cfg", folder + "/backup.pem", "::"], check=True)

    def plc(self, s):
        with s:
            while True:
                try:
                    pdu = modbus.answer(s)
                except OSError:  # the box ended the session, or is off
                    return
                if len(pdu) < 12:
                    return
                if pdu[7] != 3:
                    self.written.append(pdu)
                s.sendall(pdu[:4] + b"\0\x05" + pdu[6:8] + b"\x02\0\x07" if pdu[7] == 3 else pdu)

    def attempts(self):
        """Sends frames to the box's card, whether it is on or not, that no policy of this test
        allows."""
        wires = [Wire(self.office, "card", macs[1]) for macs in (MACS, OTHERS)]
        kinds = [ip4("10.10.0.66", "10.30.1.10", 17, udp("10.10.0.66", "10.30.1.10", 4000, 502, b"forbidden")),
                 ip4("10.10.0.66", "10.30.1.10", 6, tcp("10.10.0.66", "10.30.1.10", 4000, 80, 1, 0, 2)),
                 ip4("10.10.0.66", "10.30.1.10", 1, b"\x08\0\xf7\xff" + bytes(4)),
                 ip4("10.10.0.66", "10.30.2.20", 6, tcp("10.10.0.66", "10.30.2.20", 4000, 502, 1, 0, 2))]
        while not self.stopped.wait(0.02):
            for wire, packet in ((w, p) for w in wires for p in kinds if not self.paused.is_set()):
                try:
                    wire.send(packet)
                    self.sent += 1
                except OSError:  # the card's queue is full while the machine is off
                    pass

    def forbidden(self):
        """Frames from the office that reached the crane and belong to none of its allowed
        sessions."""
        found = [decode(f) for f in self.arrived.incoming()]
        return [p[:4] for p in found if p and p[1] == "10.10.0.66"]

    def read(self, timeout=20):
        """Reads one register; b"" when the session ends."""
        with modbus.connect(self.office, "10.30.1.10", 502, timeout=timeout * PATIENCE) as s:
            s.sendall(modbus.read_holding(0, 1))
            return modbus.answer(s)

    def write(self):
        with modbus.connect(self.office, "10.30.1.10", 502, timeout=20 * PATIENCE) as s:
            s.sendall(modbus.write_register(5, 1))
            try:
                return modbus.answer(s)
            except (ConnectionError, socket.timeout):
                return b""

    def reads(self):
        try:
            return self.read(5)[7:9] == b"\x03\x02"
        except OSError:
            return False

    def table(self):
        # The office resolves the box's address by the host's clock, and gives up after three
        # seconds. A slow machine has hardly begun to answer by then.
        wait_for(self.reads, 60 * PATIENCE, "an allowed read")
        expect(self.read()[7:9] == b"\x03\x02", "an allowed read has no answer")
        said, before = self.write(), len(self.written)
        expect(not said[7:8] == b"\x06" and not self.written, "a forbidden write passed: %r %r", said, self.written)
        expect(len(self.written) == before and self.read()[7:9] == b"\x03\x02", "after a refused write no read passes")
        self.silent()

    def silent(self):
        expect(self.sent > 0 and not self.forbidden(), "%d of %d packets passed: %s", len(self.forbidden()), self.sent, self.forbidden()[:5])

    def close(self):
        self.stopped.set()
        self.thread.join()
        self.net.close()


def open_ports(ns, address, ports, seconds=2.0):
    """The ports that answer within this time, multiplied for a slow machine. All are asked at once,
    so each has the whole time."""
    asked, found, poll = {}, [], select.poll()
    with inside(ns):
        for port in ports:
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex((address, port))
            asked[s.fileno()] = (port, s)
            poll.register(s, select.POLLOUT)
    end = time.monotonic() + seconds * PATIENCE
    while asked and end > time.monotonic():
        for fd, _ in poll.poll(max(0, end - time.monotonic()) * 1000):
            poll.unregister(fd)
            port, s = asked.pop(fd)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                found.append(port)
            s.close()
    for _, s in asked.values():
        s.close()
    return sorted(found)


def figures(m, limit=float("inf")):
    """Numbers of a cold start, by the machine's own clock. It begins at power-on and counts
    executed instructions, one per nanosecond."""
    said = m.ask("machine")
    number = {k: re.search(p, said) for k, p in (("clock", r"clock: (\S+)Z, ([0-9.]+) s"), ("ready", r"daemon: ready ([0-9.]+) s"), ("memory", r"memory: (\d+) of (\d+) MiB"))}
    expect(all(number.values()), "machine does not say it: %s", said)
    firmware = calendar.timegm(time.strptime(number["clock"].group(1), "%Y-%m-%dT%H:%M:%S")) - m.since - float(number["clock"].group(2))
    ready, used = float(number["ready"].group(1)), int(number["memory"].group(1))
    expect(0 < ready < float(number["clock"].group(2)) and 0 < used < 512, "%s", said)
    expect(ready < limit, "ready after %.1f s of the %.0f that it may take", ready, limit)
    return "daemon ready %.1f s after the kernel's start, %.0f s after power-on, both by instructions; %.0f s of the host so far; %d of %s MiB of memory in use" % (
        ready, firmware + ready, time.monotonic() - m.began, used, number["memory"].group(2))


def as_they_were_made():
    """How many settings, and how many words of the command line, `machine` has to find unchanged.
    Each number twice, as `machine` prints it."""
    top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "images", "image")
    with open(top + "/root/etc/sysctl.d/50-sekisho.conf", encoding="ascii") as f:
        settings = sum(" = " in line and line[0] != "#" for line in f)
    with open(top + "/command-line", encoding="ascii") as f:
        words = len(f.read().split())
    return settings, settings, words, words


def begin(m):
    """A box that was never used: starts it, answers its first question, and sets a passphrase."""
    m.start()
    m.wait("Sekisho: slot A", 300)
    if not m.tpm:
        m.wait("no TPM 2.0.*> $", 600)
        m.say("1")
    m.wait("Language: 1 = Japanese", 600)
    seconds = time.monotonic() - m.began
    m.say("2")
    if m.tpm:
        m.recovery = m.wait("([a-z]{8}-){7}[a-z]{8}", 60).group()
        m.wait("last eight letters.*> $", 60)
        m.say(m.recovery[-8:])
    m.wait("at least ten characters", 60)
    return seconds


def passphrase(m):
    m.say(PASSPHRASE)
    m.wait("Once more", 60)
    m.say(PASSPHRASE)


def setup(m, site):
    for answer in ANSWERS:
        m.wait("> $", 120)
        m.say(answer)
    m.wait("keep", 120)
    expect("bonding_masters" not in m.text, "a file of the kernel's is offered as a card")
    m.wait("> $", 60)
    m.say("keep")
    m.wait("sekisho> ", 120)
    expect("user first" in m.text, "nobody is told that there is no account")
    said = m.ask("sekisho status --all")  # the first word, as messages write it
    expect("ENFORCING" in said, "%s", said)
    site.silent()
    expect(open_ports(site.office, "10.30.1.10", [502], 3.0) == [], "a session was opened without a policy")


def policy_from_a_stick(m, site):
    said = m.ask("load")
    expect("site.cfg" in said and "backup.pem" in said, "the stick was not read: %s", said)
    said = m.ask("check")
    expect("warnings: 0" in said, "%s", said)
    m.ask("apply", 120)
    m.ask("confirm")
    site.table()


def log_in(m, seconds=600, code=None):
    """`code`: a code of the second factor, if the console asks for one."""
    m.wait("Password: ", seconds)
    m.say("not the passphrase")
    m.wait("Login incorrect", 60)
    m.wait("login: |Password: ", 60)
    if m.text[:m.seen].endswith("login: "):
        m.say("root")
        m.wait("Password: ", 60)
    m.say(PASSPHRASE)
    if code:
        m.wait("(?:or a recovery code|またはリカバリーコード):[^>]*> $", 60)
        m.say(code)
    m.wait("sekisho> ", 60)


def events_say(m, words, times=1):
    """Waits until the records contain these words. It may take long, because a slot is called good
    only when each of its blocks was read."""
    wait_for(lambda: " ".join(m.ask("events --limit 50").split()).count(words) >= times, 300 * PATIENCE, words)
