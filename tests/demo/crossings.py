# SPDX-License-Identifier: Apache-2.0
"""The attempts of the demonstration: client, server, what is tried, the real client program, and
the expected result (tries.py)."""
import os
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import makers  # noqa: E402
import modbus  # noqa: E402
from net import SLOWNESS, Wire, decode, inside, ip4, tcp, udp  # noqa: E402
from tries import (PATIENT, QUIET, arrived, datagram, dns_query, is_write, outcome, payload_with, ping, program,  # noqa: E402
                   raw_speak, speak, whole_pdus)


class Crossing:
    """`observed`: it passes, and a record must say that it would have been refused. `alone`: not at
    the same time as others."""

    def __init__(self, group, who, whom, what, expected, attempt, leak=None, receiver=None, conduit=None, observed=False, alone=False):
        self.group, self.who, self.whom, self.what, self.expected = group, who, whom, what, expected
        self.attempt, self.leak, self.receiver, self.conduit = attempt, leak, receiver, conduit
        self.observed, self.alone = observed, alone


# ---- the list ------------------------------------------------------------------------------------

def crossings(t):
    ns = t.net.ns
    office, tos, gate, vendor, inet = (ns(x) for x in ("office", "tos", "gate", "vendor", "inet"))
    db, web, maint = "10.20.0.10", "10.20.0.20", "10.20.0.30"
    db6 = "2001:db8:20::10"
    rtg01, rtg02, rtg03 = "10.30.1.10", "10.30.1.11", "10.30.1.12"
    rtg02_6 = "2001:db8:30::11"
    read, write = modbus.read_holding, modbus.write_register
    two = write(400, 1)
    rows, group = [], []

    def title(english, japanese):
        group[:] = [(english, japanese)]

    def add(*args, **kw):
        rows.append(Crossing(group[0], *args, **kw))

    r = "tos-reads-cranes"
    title("The TOS reads cranes; it writes nothing", "TOS はクレーンを読めるが、書けない")
    add("tos-db", "rtg02", ("read 10 registers", "レジスタ 10 個を読む"), "passed",
        speak(tos, rtg02, 502, [read(0, 10)], db), conduit=r)
    add("tos-db", "rtg02", ("read 10 registers, IPv6", "レジスタ 10 個を読む（IPv6）"), "passed",
        speak(tos, rtg02_6, 502, [read(0, 10)], db6), conduit=r)
    add("tos-db", "rtg02", ("read, request cut into 12 segments", "読み取り要求を 12 分割で送る"), "passed",
        speak(tos, rtg02, 502, [bytes([b]) for b in read(0, 10)], db), conduit=r)
    add("tos-db", "rtg02", ("write one register", "レジスタ 1 個に書く"), "reset",
        speak(tos, rtg02, 502, [two], db), whole_pdus(db, is_write), "crane", r)
    add("tos-db", "rtg02", ("write split over two segments", "書き込みを 2 分割で送る"), "reset",
        speak(tos, rtg02, 502, [two[:7], two[7:]], db), whole_pdus(db, is_write), "crane", r)
    add("tos-db", "rtg02", ("write one register, IPv6", "レジスタ 1 個に書く（IPv6）"), "reset",
        speak(tos, rtg02_6, 502, [two], db6), whole_pdus(db6, is_write), "crane", r)
    add("tos-db", "rtg02", ("a read and a write in one segment", "読み取りと書き込みを 1 セグメントで送る"), "reset",
        speak(tos, rtg02, 502, [read(0, 1) + two], db), whole_pdus(db, is_write), "crane", r)
    add("tos-db", "rtg02", ("write many registers", "複数のレジスタに書く"), "reset",
        speak(tos, rtg02, 502, [modbus.write_registers(400, [1, 2])], db), whole_pdus(db, is_write), "crane", r)
    add("tos-db", "rtg02", ("read register 100 (0-99 allowed)", "100 番を読む（許可は 0～99）"), "reset",
        speak(tos, rtg02, 502, [read(95, 6)], db),
        whole_pdus(db, lambda u, f, d: f == 3 and sum(struct.unpack("!HH", d)) > 100), "crane", r)
    add("tos-db", "rtg02", ("read from unit 2", "ユニット 2 から読む"), "reset",
        speak(tos, rtg02, 502, [read(0, 1, unit=2)], db), whole_pdus(db, lambda u, f, d: u == 2), "crane", r)
    add("tos-db", "rtg02", ("HTTP on port 502", "502 番ポートで HTTP"), "reset",
        speak(tos, rtg02, 502, [b"GET / HTTP/1.1\r\nHost: rtg02\r\n\r\n"], db), payload_with(db, b"GET / HTTP"), "crane", r)
    title("Maintenance writes one register of one crane", "保守端末が書けるのは 1 台の 1 レジスタだけ")
    add("tos-maint", "rtg01", ("read (reading conduit)", "読む（読み取り用コンジット）"), "passed",
        speak(tos, rtg01, 502, [read(0, 10)], maint), conduit=r)
    add("tos-maint", "rtg01", ("write 400 = 1 (overlapping conduit)", "400 番に 1 を書く（重なるコンジット）"), "passed",
        speak(tos, rtg01, 502, [two], maint), conduit="maint-sets-rtg01")
    add("tos-maint", "rtg01", ("write 400 = 2 (0-1 allowed)", "400 番に 2 を書く（許可は 0～1）"), "reset",
        speak(tos, rtg01, 502, [write(400, 2)], maint),
        whole_pdus(maint, lambda u, f, d: f == 6 and d[-1] == 2), "crane", "maint-sets-rtg01")
    add("tos-maint", "rtg02", ("write on another crane", "別のクレーンに書く"), "reset",
        speak(tos, rtg02, 502, [two], maint), whole_pdus(maint, lambda u, f, d: is_write(u, f, d) and d[:2] != b"\x01\x90"),
        "crane", r)
    title("A conduit that only observes: it passes, and is recorded", "observe のコンジット: 通過させて記録する")
    add("gate", "rtg03", ("write (observe: passes, is recorded)", "書く（observe: 通過、記録のみ）"), "passed",
        speak(gate, rtg03, 502, [write(7, 7)]), conduit="gate-watches-rtg03", observed=True)
    for name, rows_of in makers.GROUPS:
        title(*name)
        for row in rows_of(tos):
            add(*row)
    title("The office uses the TOS, and reaches no crane", "事務所は TOS を使えるが、クレーンには届かない")
    add("office", "rtg01", ("Modbus from the office", "事務所から Modbus"), "silent",
        speak(office, rtg01, 502, [read(0, 1)], patience=QUIET), arrived("10.10.0.5"), "crane")
    add("office", "tos-web", ("web page over TLS (curl)", "TLS で画面を開く（curl）"), "passed",
        program(office, "curl", "-sk", "--max-time", str(5 * SLOWNESS), "https://10.20.0.20/"), conduit="office-uses-tos")
    add("office", "tos-web", ("SSH on port 443, IPv6 (ssh)", "443 番ポートで SSH（IPv6、ssh）"), "reset",
        program(office, "ssh", "-F", "none", "-p", "443", "-o", "ConnectTimeout=%d" % (3 * SLOWNESS), "-o", "BatchMode=yes", "-o",
                "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "2001:db8:20::20", good=999),
        payload_with("2001:db8:10::5", b"SSH-2.0-OpenSSH"), "tos", "office-uses-tos")
    add("office", "tos-web", ("plain HTTP on port 443 (curl)", "443 番ポートで平文 HTTP（curl）"), "reset",
        program(office, "curl", "-sS", "--max-time", str(5 * SLOWNESS), "http://10.20.0.20:443/"),
        payload_with("10.10.0.5", b"GET / HTTP"), "tos", "office-uses-tos")
    add("office", "tos-web", ("ping", "ping"), "passed", ping(office, web), conduit="office-pings-tos")
    add("office", "tos-web", ("ping, IPv6", "ping (IPv6)"), "passed", ping(office, "2001:db8:20::20"), conduit="office-pings-tos")
    add("office", "rtg01", ("ping", "ping"), "silent", ping(office, rtg01), arrived("10.10.0.5", proto=1), "crane")
    add("office", "tos-web", ("DNS question", "DNS の問い合わせ"), "passed",
        datagram(office, web, 53, dns_query("tos.kita.example")), conduit="office-asks-names")
    add("office", "tos-web", ("not DNS on port 53", "53 番ポートで DNS 以外"), "silent",
        datagram(office, web, 53, b"\xff" * 5 + b"tunnel-tunnel-tunnel"), payload_with("10.10.0.5", b"tunnel-tunnel"), "tos",
        "office-asks-names")
    title("Gates, a vendor, the internet", "ゲート、保守会社、インターネット")
    add("gate", "tos-db", ("SQL query (psql)", "SQL 問い合わせ（psql）"), "passed",
        program(gate, "env", "PGCONNECT_TIMEOUT=%d" % (5 * SLOWNESS), t.psql, "-h", db, "-U", "tos", "-d", "postgres", "-tc", "select 1"),
        conduit="gate-books")
    add("gate", "tos-db", ("SSH banner on port 5432", "5432 番ポートで SSH"), "reset",
        raw_speak(gate, db, 5432, b"SSH-2.0-probe\r\n"), payload_with("10.40.0.10", b"SSH-2.0-probe"), "tos", "gate-books")
    add("tos-maint", "gate", ("SSH to the gate computers", "ゲートのコンピューターへ SSH"), "passed", greet(tos, "10.40.0.10", maint),
        conduit="tos-keeps-gates")
    add("vendor", "gate", ("SSH while its permission lasts", "期限内の SSH"), "passed",
        raw_speak(vendor, "10.40.0.10", 22, b"SSH-2.0-vendor\r\n"), conduit="vendor-helps-gates")
    add("vendor", "rtg01", ("Modbus from a vendor", "保守会社から Modbus"), "silent",
        speak(vendor, rtg01, 502, [read(0, 1)], patience=QUIET), arrived("203.0.113.5"), "crane")
    add("internet", "rtg01", ("Modbus from the internet", "インターネットから Modbus"), "silent",
        speak(inet, rtg01, 502, [read(0, 1)], patience=QUIET), arrived("198.51.100.2"), "crane")
    add("internet", "tos-web", ("TLS from the internet", "インターネットから TLS"), "silent",
        speak(inet, web, 443, [b"x"], patience=QUIET), arrived("198.51.100.2"), "tos")
    title("Scans and forgeries", "スキャンと偽装")
    add("office", "cranes", ("port scan, 1,000 ports", "1,000 ポートのスキャン"), "silent", scan(office, rtg01),
        arrived("10.10.0.5"), "crane", alone=True)
    for what, packets, source in forgeries(db, rtg01):
        add("office", "rtg01", what, "silent", forge(t, packets, source, rtg01), forged(source), "crane", alone=True)
    add("office", "tos-web", ("allowed question in two fragments", "許可された問い合わせを 2 分割で送る"), "passed",
        question_in_fragments(t, web), conduit="office-asks-names")
    title("Management cannot be seen from any zone", "どのゾーンからも管理用ネットワークには届かない")
    for short in ("office", "tos", "crane", "gate", "vendor", "inet"):
        add(short if short != "inet" else "internet", "management", ("HTTPS, SSH, ping to 10.99.0.1", "10.99.0.1 へ HTTPS・SSH・ping"),
            "silent", management(ns(short), "10.99.0.1"))
    add("office", "the box", ("its own data address", "装置自身のデータ側アドレス"), "silent",
        management(office, "10.10.0.1", pings=False))
    return rows


def greet(ns, address, source):
    # ssh cannot choose its source address when it only greets: the maintenance host uses a socket
    # that is bound to it
    def action():
        s = modbus.connect(ns, address, 22, source, timeout=PATIENT)
        s.settimeout(PATIENT)
        try:
            s.sendall(b"SSH-2.0-maintenance\r\n")
            return s.recv(200).startswith(b"SSH-")
        finally:
            s.close()
    return lambda: outcome(action)


def scan(ns, address):
    """A thousand ports, in parts, because other attempts need sockets as well."""
    def part(first):
        with inside(ns):
            sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(250)]
        try:
            for port, s in enumerate(sockets, first):
                s.setblocking(False)
                s.connect_ex((address, port))
            return wait_quiet(sockets)
        finally:
            for s in sockets:
                s.close()
    return lambda: "silent" if sum(part(first) for first in range(1, 1001, 250)) == 0 else "passed"


def wait_quiet(sockets):
    """How many of these connecting sockets got any answer within the quiet time."""
    poll = select.poll()
    for s in sockets:
        poll.register(s, select.POLLOUT | select.POLLERR | select.POLLHUP)
    answered = set()
    end = time.monotonic() + QUIET
    while time.monotonic() < end:
        for fd, _ in poll.poll(max(1, int((end - time.monotonic()) * 1000))):
            answered.add(fd)
            poll.unregister(fd)
    return len(answered)


def office_wire(t):
    return Wire(t.net.ns("office"), "eth0", t.mac("office"))


def forgeries(someone, destination):
    """(what, packets from the IP header on, source address)."""
    me = "10.10.0.5"
    spoofed = []
    for port in (40000, 40001, 40002):
        spoofed += [ip4(someone, destination, 6, tcp(someone, destination, port, 502, 1, 0, 2)),
                    ip4(someone, destination, 6, tcp(someone, destination, port, 502, 2, 1, 0x18, b"spoofed!" * 2)),
                    ip4(someone, destination, 17, udp(someone, destination, port, 502, b"spoofed!" * 2))]
    yield ("source address of the TOS", "TOS を装った送信元アドレス"), spoofed, someone
    whole = udp(me, destination, 5000, 502, b"fragment" * 200)
    for ident, size in ((1, 8), (2, 512)):
        yield ("UDP in fragments of %d bytes" % size, "%d バイトずつの UDP フラグメント" % size), \
            [ip4(me, destination, 17, whole[at:at + size], ident, 1 if at + size < len(whole) else 0, at)
             for at in range(0, len(whole), size)], me
    syn = tcp(me, destination, 5001, 502, 1, 0, 2)
    yield ("TCP header cut in two", "2 つに分けた TCP ヘッダー"), \
        [ip4(me, destination, 6, syn[:8], 3, 1, 0), ip4(me, destination, 6, syn[8:], 3, 0, 8)], me
    yield ("fragment beyond 65,535 bytes", "65,535 バイトを超えるフラグメント"), [ip4(me, destination, 6, syn[8:], 4, 0, 65512)], me


def forge(t, packets, source, target):
    """Sends the packets. Everything that comes back to their forged source counts as an answer,
    except errors of the box."""
    home = "tos" if source.startswith("10.20.") else "office"

    def action():
        since = time.monotonic()
        wire = office_wire(t)
        for packet in packets:
            wire.send(packet)
        wire.close()
        select.select([], [], [], QUIET)  # how long an answer is waited for
        answers = [f for f in t.captures[home].incoming(since) if (decode(f) or (0, ""))[1] == target and b"spoofed" not in f
                   and struct.unpack("!H", (decode(f)[4] + bytes(4))[2:4])[0] in FORGED]
        return "passed" if answers else "silent"
    return action


def question_in_fragments(t, server):
    """For comparison with the forged packets: an allowed question, sent in fragments over the same
    wire, is answered."""
    def action():
        me, since = "10.10.0.5", time.monotonic()
        whole = udp(me, server, 5002, 53, dns_query("tos.kita.example"))
        wire = office_wire(t)
        for at in (0, 24):
            wire.send(ip4(me, server, 17, whole[at:at + 24] if at == 0 else whole[at:], 5, 1 if at == 0 else 0, at))
        wire.close()
        end = since + PATIENT
        while time.monotonic() < end:
            for f in t.captures["office"].incoming(since):
                found = decode(f)
                if found and found[1] == server and found[3] == 17 and found[4][:4] == struct.pack("!HH", 53, 5002):
                    return "passed"
            select.select([], [], [], 0.02)
        return "silent"
    return action


FORGED = (5000, 5001, 40000, 40001, 40002)  # source ports of forged packets


def forged(source):
    """Counts the forged frames of `source`: by their ports if that host sends own frames there,
    too."""
    def count(frames):
        found = [decode(f) for f in frames]
        return sum(1 for d in found if d and d[1] == source and
                   (not source.startswith("10.20.") or struct.unpack("!H", (d[4] + bytes(2))[:2])[0] in FORGED))
    return count


def management(ns, address, pings=True):
    def action():
        ports = (22, 80, 443, 8443)
        with inside(ns):
            sockets = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in ports]
        try:
            for port, s in zip(ports, sockets):
                s.setblocking(False)
                s.connect_ex((address, port))
            if pings and ping(ns, address)() == "passed":
                return "passed"
            return "silent" if wait_quiet(sockets) == 0 else "passed"
        finally:
            for s in sockets:
                s.close()
    return action
