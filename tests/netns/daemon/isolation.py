# SPDX-License-Identifier: Apache-2.0
"""Isolations by people: live sessions end and both ends are told, other sessions lose nothing, and
the isolation stays, whatever happens to the box."""
import concurrent.futures
import json
import os
import signal
import socket
import threading
import time

from box import conduit
from cases import expect
from net import inside, mac_of, sh, wait_for
from waits import Waits

PLAIN = conduit("plain", "it", "ot", ["plain", "plain_tcp"])
OPS = conduit("ops_plain", "ops", "ot", ["plain", "plain_tcp"])
WEB = conduit("web", "it", "ops", ["web"])
ASSET = 'assets = { crane7 = { zone = "ot"; addresses = ["10.73.0.2"]; }; crane8 = { zone = "ot"; addresses = ["10.73.0.3"]; }; };\n'


class Counted:
    """A server in a zone, on its first address: it answers each word over TCP, and counts
    datagrams."""

    def __init__(self, box, zone, address):
        self.box, self.address, self.seen, self.ended = box, address, set(), False
        with inside(box.ns(zone)):
            self.tcp, self.udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind((address, 9001))
        self.tcp.listen(64)
        wait_for(self.bound, 5, "the port of the case before")
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.udp.settimeout(0.1)
        self.taken = []
        for work in (self.take, self.count):
            threading.Thread(target=work, daemon=True).start()

    def bound(self):
        try:
            self.udp.bind((self.address, 9000))
        except OSError:
            return False
        return True

    def take(self):
        while not self.ended:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            self.taken.append(s)

    def count(self):
        while not self.ended:
            try:
                self.seen.add(self.udp.recv(64))
            except socket.timeout:
                pass
            except OSError:
                return

    def open(self, zone):
        """A session from a zone. Returns its two ends."""
        n = len(self.taken)
        with inside(self.box.ns(zone)):
            s = socket.create_connection((self.address, 9001), 3)
        wait_for(lambda: len(self.taken) > n, 3, "the other end")
        s.settimeout(2)
        self.taken[-1].settimeout(2)
        return s, self.taken[-1]

    def close(self):
        self.ended = True
        try:
            # otherwise a thread that waits in accept would keep it open
            self.tcp.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        for s in [self.tcp, self.udp, *self.taken]:
            s.close()


def passes(session):
    """Whether a word passes in both directions."""
    there, here = session
    try:
        there.sendall(b"a")
        if here.recv(1) != b"a":
            return False
        here.sendall(b"b")
        return there.recv(1) == b"b"
    except OSError:
        return False


def is_told(end):
    """Whether this end was reset."""
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True
    except OSError:
        return False


def reaches(server, zone, udp=True):
    """Whether a datagram arrives, or a new connection is made."""
    mine = os.urandom(8)
    with inside(server.box.ns(zone)):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    try:
        if not udp:
            client.settimeout(0.4)
            client.connect((server.address, 9001))
            return True
        for _ in range(3):
            client.sendto(mine, (server.address, 9000))
            try:
                wait_for(lambda: mine in server.seen, 0.3, "it")
                return True
            except AssertionError:
                pass
        return False
    except OSError:
        return False
    finally:
        client.close()


def order(box, *words, check=True):
    return json.loads(box.sekisho(*words, "--json", check=check).stdout)


def said(box, last, code):
    return [e for e in box.events(last) if e.get("event", e.get("code")) == code or code in json.dumps(e)]


def stands(box):
    verify = json.loads(box.sekisho("verify", "--json", check=False, timeout=60).stdout)
    expect(verify["equal"], "verify: %s", verify)


def zone_is_isolated(box):
    """Two zones are isolated from each other: sessions between them are reset at both ends, new
    ones do not open, other sessions go on. Each order is recorded with a name."""
    box.apply(PLAIN, OPS, WEB)
    server = Counted(box, "ot", "10.73.0.2")
    try:
        it, ops = server.open("it"), server.open("ops")
        expect(passes(it) and passes(ops) and reaches(server, "it"), "nothing passes before")
        last = box.last_seq()
        drill = order(box, "isolate", "zones", "it", "ot", "--rehearse", "--reason", "drill")
        expect(drill["rehearsed"] and drill["sessions"] >= 2 and drill["conduits"] == ["plain"], "%s", drill)
        expect(passes(it) and box.status()["isolations"] == [] and reaches(server, "it"), "a drill changed something")
        done = order(box, "isolate", "zones", "it", "ot", "--reason", "virus")
        expect(done["done"] and done["saved"] and done["sessions"] >= 2 and done["conduits"] == ["plain"], "%s", done)
        it[0].sendall(b"x")
        expect(is_told(it[0]) and is_told(it[1]), "an end was not told")
        expect(not reaches(server, "it") and not reaches(server, "it", udp=False), "something passes")
        expect(passes(ops) and reaches(server, "ops") and reaches(server, "ops", udp=False), "others do not go on")
        status = box.status()
        expect([(i["what"], i["reason"]) for i in status["isolations"]] == [("zones it ot", "virus")] and status["isolations"][0]["by"], "%s", status["isolations"])
        text = box.sekisho("status", "--all", "--lang", "en", check=False).stdout
        expect("isolated: it – ot" in " ".join(text.split()), "%s", text)
        expect(box.drops().get("isolated", 0) > 0, "not counted")
        stands(box)
        expect(order(box, "isolate", "zones", "it", "ot")["done"], "said once more")
        back = order(box, "rejoin", "zones", "it", "ot")
        expect(back["done"] and back["isolations"] == [], "%s", back)
        expect(reaches(server, "it") and reaches(server, "it", udp=False) and passes(ops), "not let go on")
        expect(not box.sekisho("rejoin", "zones", "it", "ot", check=False).returncode == 0, "rejoined twice")
        expect(box.sekisho("isolate", "asset", "nobody", check=False).returncode == 3, "a name that nobody has")
        # A proof that runs meanwhile answers correctly, and is not aborted.
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(box.sekisho, "verify", "--json", check=False, timeout=60) for _ in range(4)]
            for words in (("isolate", "zones", "it", "ot"), ("rejoin", "zones", "it", "ot")):
                expect(order(box, *words)["done"], "%s beside a comparison", words[0])
            for one in asked:
                expect(one.result().returncode == 0, "a comparison beside an isolation: %s", one.result().stdout)
        for code in ("isolation_rehearsed", "isolated", "rejoined"):
            wait_for(lambda code=code: [e for e in box.events(last) if code in json.dumps(e) and "zones it ot" in json.dumps(e)], 3, "the record " + code)
        stands(box)
        return "in %d us" % done["took_us"]
    finally:
        server.close()


KEPT = conduit("kept", "it", "ot", ["plain"])
STOPS = conduit("stops", "it", "ot", ["plain_tcp"])
LOOKS = conduit("looks", "it", "ot", ["udp_read"])
ALWAYS = 'always = ( { from = "it"; to = "ot"; services = ["plain_tcp"]; purpose = "work orders"; } );\n'
READ = bytes.fromhex("000100000006010300000001")  # Modbus: one holding register


def prepared(keep):
    return 'isolations = { it_from_ot = { cut = ["zones it ot"]; keep = [%s]; label = "IT from OT"; }; };\n' % ", ".join('"%s"' % k for k in keep)


class Stream:
    """Sends numbered datagrams from a zone to a server's port, one per millisecond, and counts
    those that arrive."""

    def __init__(self, server, zone):
        with inside(server.box.ns(zone)):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server, self.sent, self.ended, self.pace = server, [], threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.flow, daemon=True)
        self.thread.start()

    def flow(self):
        while not self.ended.is_set():
            mine = b"s%08d" % len(self.sent)
            self.socket.sendto(mine, (self.server.address, 9000))
            self.sent.append(mine)
            self.pace.wait(0.002)

    def lost(self):
        """Stops. Returns how many were lost, and how many were sent."""
        self.ended.set()
        self.thread.join()
        try:
            wait_for(lambda: self.sent[-1] in self.server.seen, 2, "the last one")
        except AssertionError:
            pass
        self.socket.close()
        return len([m for m in self.sent if m not in self.server.seen]), len(self.sent)


def reads(box, answered):
    """Whether a Modbus request over UDP reaches its server (`answered`: the server's socket)."""
    with inside(box.ns("it")):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        for _ in range(3):
            client.sendto(READ, ("10.73.0.2", 502))
            try:
                if answered.recv(64) == READ:
                    return True
            except socket.timeout:
                pass
        return False
    finally:
        client.close()


def prepared_goes_by_name(box):
    """A prepared isolation of the policy. The rehearsal says what it cuts and which `always`
    statements it breaks. Kept conduits lose no datagram, and everything else is cut. An apply
    without the isolation's name opens nothing; one that keeps fewer conduits cuts more. A start
    keeps the isolation. Reading is reopened first."""
    box.apply(KEPT, STOPS, LOOKS, OPS, extra=ASSET + ALWAYS + prepared(["kept"]))
    server = Counted(box, "ot", "10.73.0.2")
    with inside(box.ns("ot")):
        modbus = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    modbus.bind(("10.73.0.2", 502))
    modbus.settimeout(0.3)
    stream = Stream(server, "it")
    try:
        session = server.open("it")
        expect(passes(session), "no session passes before")
        expect(reads(box, modbus), "no reading passes before")
        wait_for(lambda: len(stream.sent) > 50 and stream.sent[-10] in server.seen, 5, "the stream")
        last = box.last_seq()
        drill = order(box, "isolate", "it_from_ot", "--rehearse", "--reason", "drill")
        expect(drill["conduits"] == ["stops", "looks"] and drill["by_conduit"]["stops"] >= 1 and len(drill["breaks"]) == 1 and "work orders" in drill["breaks"][0], "%s", drill)
        expect([a["name"] for a in drill["assets"]] == ["crane7", "crane8"] and passes(session), "%s", drill["assets"])
        done = order(box, "isolate", "it_from_ot", "--reason", "ransom note")
        session[0].sendall(b"x")
        expect(is_told(session[0]) and is_told(session[1]), "an end was not told")
        touched = box.status()["isolations"][0]["machines"]
        expect(touched == ["it", "crane7", "crane8"], "what it touches: %s", touched)

        def cut(when, kept=True):
            expect(reaches(server, "it") == kept, "what is kept %s after %s", "does not pass" if kept else "passes", when)
            expect(not reaches(server, "it", udp=False) and not reads(box, modbus), "passes after %s", when)
            expect([i["what"] for i in box.status()["isolations"]] == ["it_from_ot"], "%s", box.status().get("isolations"))
        cut("the order")
        stands(box)
        expect(order(box, "isolate", "asset", "crane8")["done"] and order(box, "rejoin", "asset", "crane8")["done"], "another beside it")
        box.apply(KEPT, STOPS, LOOKS, OPS, extra=ASSET + prepared(["kept", "stops"]))
        cut("an apply that keeps more")
        box.apply(KEPT, STOPS, LOOKS, OPS, extra=ASSET)
        cut("an apply without it")
        lost, of = stream.lost()
        expect(lost == 0, "%d of %d datagrams of what is kept were lost", lost, of)
        box.kill()
        expect(reaches(server, "it") and not reaches(server, "it", udp=False), "without the daemon")
        box.start()
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        cut("a start")
        stands(box)
        box.apply(KEPT, STOPS, LOOKS, OPS, extra=ASSET + prepared([]))
        cut("an apply that keeps nothing", kept=False)
        box.apply(KEPT, STOPS, LOOKS, OPS, extra=ASSET + prepared(["kept"]))
        cut("an apply that would keep it again", kept=False)
        opened = order(box, "rejoin", "it_from_ot", "--stage", "reads", "--rehearse")["conduits"]
        expect(opened == ["looks"], "the first stage would open %s", opened)
        first = order(box, "rejoin", "it_from_ot", "--stage", "reads")
        expect(first["done"] and first["isolations"][0]["stage"] == "reads", "%s", first)
        expect(reads(box, modbus) and not reaches(server, "it") and not reaches(server, "it", udp=False), "the first stage is another")
        stands(box)
        text = box.sekisho("rejoin", "it_from_ot", "--rehearse", "--lang", "en").stdout
        expect("compared" in text and "alarms:" in text and "conduit stops" in text and "conduit looks" not in text, "%s", text)
        expect(order(box, "rejoin", "it_from_ot")["done"] and reaches(server, "it", udp=False) and reaches(server, "it"), "not let go on")
        for code in ("isolation_rehearsed", "isolated", "rejoined_reads", "rejoined"):
            wait_for(lambda code=code: [e for e in box.events(last) if '"%s"' % code in json.dumps(e) and "it_from_ot" in json.dumps(e)], 3, "the record " + code)
        return "in %d us, %d datagrams of what is kept and 0 lost" % (done["took_us"], of)
    finally:
        stream.ended.set()
        modbus.close()
        server.close()
        box.sekisho("rejoin", "it_from_ot", check=False)


def asset_stays_isolated(box):
    """One asset isolated by hand: it stays so through an apply that moves its address and widens
    the policy, the death of the daemon, a restart, the death of enforce, a flush by another
    program, and the loss of the rules; a narrower policy opens nothing. The neighbour's sessions go
    on."""
    box.apply(PLAIN, OPS, extra=ASSET)
    server = Counted(box, "ot", "10.73.0.2")
    try:
        expect(reaches(server, "it") and reaches(server, "ops"), "nothing passes before")
        expect(order(box, "isolate", "asset", "crane7")["done"], "isolate")
        what = ["asset crane7"]

        def cut(when):
            expect(not reaches(server, "it") and not reaches(server, "ops") and not reaches(server, "it", udp=False), "passes after %s", when)
            expect([i["what"] for i in box.status()["isolations"]] == what, "%s", box.status().get("isolations"))
        cut("the order")
        box.apply(PLAIN, OPS, conduit("more", "it", "ot", ["ping", "plain"]), extra=ASSET.replace("0.2", "0.9"))
        cut("an apply")
        box.sekisho("rollback")
        cut("a rollback")
        box.kill()
        expect(not reaches(server, "it"), "passes without the daemon")
        expect(box.standing()["stands"] == "policy", "without the daemon: %s", box.standing().get("stands"))
        box.start()
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        cut("the daemon's death")
        os.kill(box.pids("enforce")[0], signal.SIGKILL)
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        cut("enforce's death")
        def is_put_back(name, element):
            sh("nft", "flush", "set", "inet", "sekisho", name, ns=box.data)
            wait_for(lambda: element in sh("nft", "list", "set", "inet", "sekisho", name, ns=box.data).stdout, 5, "it to be put back")
            cut("a foreign flush of " + name)
        is_put_back("apart4", "10.73.0.2")
        is_put_back("parted", "elements")
        sh("nft", "flush", "ruleset", ns=box.data)
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        cut("a foreign flush")
        box.kill()
        sh("nft", "flush", "ruleset", ns=box.data)
        box.start()
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        cut("a start without rules")
        stands(box)
        expect(order(box, "rejoin", "asset", "crane7")["done"], "rejoin")
        expect(reaches(server, "it") and reaches(server, "ops"), "not let go on")
    finally:
        server.close()


def file_is_damaged(box):
    """The file of the isolations is unreadable: everything is isolated, the box says so, and a
    person ends it."""
    box.apply(PLAIN, OPS)
    server = Counted(box, "ot", "10.73.0.2")
    try:
        box.kill()
        with open(box.run_folder + "/state/isolations", "wb") as f:
            f.write(b"sekisho isolations 1\n")
        box.start()
        wait_for(lambda: box.running() and box.in_force(), 15, "the policy in force")
        expect([i["what"] for i in box.status()["isolations"]] == ["everything"] and not reaches(server, "it"), "%s", box.status()["isolations"])
        expect(order(box, "rejoin", "everything")["done"] and reaches(server, "it"), "not let go on")
    finally:
        server.close()


def many_sessions_are_isolated(box):
    """A prepared isolation by name with 10,000 sessions: at most 100 ms pass from the order to the
    last forwarded datagram. The stream of a kept conduit loses none."""
    box.apply(PLAIN, OPS, extra='isolations = { alone = { cut = ["zone ot"]; keep = ["ops_plain"]; }; };\n')
    server = Counted(box, "ot", "10.73.0.2")
    stream, crowd, stop, n = [], [], threading.Event(), 0
    with inside(box.ns("ops")):
        kept = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with inside(box.ns("it")):
        crowd = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(10)]
    pace = threading.Event()

    def flow():
        while not stop.is_set():
            mine = b"k%08d" % len(stream)
            kept.sendto(mine, ("10.73.0.2", 9000))
            stream.append(mine)
            pace.wait(0.001)
    try:
        # Sessions in conntrack with the permit of a real one; they differ only in their ports.
        wait_for(lambda: reaches(server, "it"), 5, "what passes before")
        mark = [line for line in sh("conntrack", "-L", "-p", "udp", "--src", "10.71.0.2", ns=box.data).stdout.split() if line.startswith("mark=")][0][5:]
        orders = "".join("-A -p udp -s 10.71.0.2 -d 10.73.0.2 --sport %d --dport 9000 -r 10.73.0.2 -q 10.71.0.2 --reply-port-src 9000 --reply-port-dst %d "
                         "-t 600 -m %s\n" % (p, p, mark) for p in range(20000, 30000))
        sh("sh", "-c", "cat > %s/many; conntrack -R %s/many" % (box.run_folder, box.run_folder), ns=box.data, check=False, input=orders)
        n = int(sh("conntrack", "-C", ns=box.data).stdout)
        expect(n >= 10000, "%d sessions", n)
        threading.Thread(target=flow, daemon=True).start()
        talker, sent = crowd[0], []

        def talk():
            while not stop.is_set():
                mine = b"i%08d" % len(sent)
                talker.sendto(mine, ("10.73.0.2", 9000))
                sent.append((time.monotonic(), mine))
                pace.wait(0.001)
        threading.Thread(target=talk, daemon=True).start()
        wait_for(lambda: len(sent) > 200 and sent[100][1] in server.seen and len(stream) > 200, 5, "both streams")
        word, waits = time.monotonic(), Waits([box.daemon.pid, *box.pids("enforce")], measured=False)
        done = order(box, "isolate", "alone", "--reason", "many")
        answered = time.monotonic()
        waits.sample()
        wait_for(lambda: sent[-1][0] > answered + 0.2, 5, "more to be sent")
        stop.set()
        pace.wait(0.3)
        passed = [at for at, mine in sent if mine in server.seen]
        expect(done["done"] and done["sessions"] >= 10000, "%s sessions of %d", done.get("sessions"), n)
        expect(done["took_us"] / 1e6 - waits.between(word, answered) <= 0.1, "%d us, of which it waited for a core %.3f s", done["took_us"], waits.between(word, answered))
        expect(max(passed) <= answered, "passed %.1f ms after the answer", 1000 * (max(passed) - answered))
        lost = [mine for mine in stream if mine not in server.seen]
        expect(not lost, "%d of %d datagrams of a conduit that is kept were lost: %s", len(lost), len(stream), lost[:3])
        return "%d sessions, %.1f ms in the box, the last datagram %.1f ms after the command began, %d of others and 0 lost" % (
            done["sessions"], done["took_us"] / 1000, 1000 * (max(passed) - word), len(stream))
    finally:
        stop.set()
        for s in crowd + [kept]:
            s.close()
        server.close()
        box.sekisho("rejoin", "alone", check=False)
        sh("conntrack", "-F", ns=box.data, check=False)


def nothing_opens_what_is_isolated(box):
    """A kept conduit still ends in time. A conduit that passes packets while no worker inspects
    them (`open`) is cut although its workers are stopped."""
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 5))
    box.apply(conduit("kept", "it", "ot", ["plain"], until=ends), conduit("looks", "it", "ot", ["udp_read"], when_down="open", when_overloaded="open"), OPS,
              extra=prepared(["kept"]))
    server = Counted(box, "ot", "10.73.0.2")
    with inside(box.ns("ot")):
        modbus = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    modbus.bind(("10.73.0.2", 502))
    modbus.settimeout(0.3)
    workers = []
    try:
        expect(reads(box, modbus), "no reading passes before")
        expect(order(box, "isolate", "it_from_ot")["done"] and reaches(server, "it"), "what is kept is cut")
        workers = box.pids("dpi")
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        expect(workers and not reads(box, modbus), "a stopped worker opens what is isolated")
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
        wait_for(lambda: not reaches(server, "it"), 15, "the end of what is kept")
        stands(box)
        expect(order(box, "rejoin", "it_from_ot")["done"] and not reaches(server, "it"), "rejoining brought back what has ended")
        wait_for(lambda: reads(box, modbus), 10, "reading to go on")
    finally:
        for pid in workers:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass
        modbus.close()
        server.close()
        box.sekisho("rejoin", "it_from_ot", check=False)


def machine_is_isolated(box):
    """A machine that the policy does not name is isolated by its MAC address, with the address that
    it takes afterwards; other machines of its network go on."""
    box.apply(PLAIN, OPS)
    server = Counted(box, "ot", "10.73.0.2")
    mac, leased = mac_of(box.ns("it"), "eth0"), "10.71.0.77"
    try:
        it, ops = server.open("it"), server.open("ops")
        # as labels have it
        done = order(box, "isolate", "mac", mac.upper().replace(":", "-"), "--reason", "alarm")
        expect(done["done"] and done["sessions"] >= 1 and "10.71.0.2" in done["isolations"][0]["addresses"], "%s", done)
        it[0].sendall(b"x")
        expect(is_told(it[0]) and is_told(it[1]) and not reaches(server, "it") and not reaches(server, "it", udp=False), "something passes")
        expect(passes(ops) and reaches(server, "ops"), "others do not go on")
        sh("ip", "addr", "add", leased + "/24", "dev", "eth0", ns=box.ns("it"))
        sh("ping", "-c", "1", "-W", "1", "-I", leased, "10.71.0.1", ns=box.ns("it"), check=False)
        wait_for(lambda: leased in box.status()["isolations"][0]["addresses"], 5, "the new address")
        with inside(box.ns("it")):
            other = socket.socket()
        other.bind((leased, 0))
        other.settimeout(0.5)
        try:
            expect(other.connect_ex((server.address, 9001)) != 0, "the new address passes")
        finally:
            other.close()
        box.kill()
        box.start()
        expect(not reaches(server, "it") and reaches(server, "ops"), "not isolated after a restart")
        stands(box)
        order(box, "rejoin", "mac", mac)
        expect(reaches(server, "it"), "not let go on")
        for words in (("mac", "01:00:5e:00:00:01"), ("mac", mac[:-1]), ("address", "10.71.0"), ("interface", "none")):
            expect(box.sekisho("isolate", *words, check=False).returncode == 3, "%s", words)
    finally:
        sh("ip", "addr", "del", leased + "/24", "dev", "eth0", ns=box.ns("it"), check=False)
        server.close()


CASES = [zone_is_isolated, machine_is_isolated, prepared_goes_by_name, nothing_opens_what_is_isolated, asset_stays_isolated, file_is_damaged, many_sessions_are_isolated]
