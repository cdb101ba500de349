# SPDX-License-Identifier: Apache-2.0
"""A lasting subscription of BACnet over IPv4 and IPv6: the client subscribes by conduit c, the
kernel forgets the session (its entries are deleted; waiting would take minutes), and the device
sends by itself. Live, because only the kernel's own tracking opens the device's session, and only a
worker's real successor finds its memory."""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import bacnet  # noqa: E402
from box import conduit  # noqa: E402
from cases import expect  # noqa: E402
from net import SLOWNESS, inside, sh, wait_for  # noqa: E402

ENDS = {socket.AF_INET: ("10.72.0.2", "10.73.0.2"), socket.AF_INET6: ("2001:db8:72::2", "2001:db8:73::2")}
PORT = 47808
SERVICES = """services = {
  bms_read = { protocol = "bacnet"; ports = ["udp/47808"]; allow = ( { functions = ["ReadProperty"]; } ); };
  bms_watch = { protocol = "bacnet"; ports = ["udp/47808"]; allow = ( { commands = ["read"]; } ); };
"""
ISOLATIONS = 'isolations = { all_of_it = { cut = ["zones ops ot"]; }; but_c = { cut = ["zones ops ot"]; keep = ["c"]; }; };\n'
AV = (bacnet.AV, 1)
TELL = bacnet.ask((1002, bacnet.ctx(0, 1) + bacnet.ctx(1, bacnet.oid(bacnet.DEVICE, 7)) + bacnet.ctx(2, bacnet.oid(*AV)) + bacnet.ctx(3, 60) +
                   bacnet.con(4, bacnet.element(bacnet.PRESENT, bacnet.real(21.5)))))
WRITE = bacnet.ask(bacnet.write(AV, bacnet.real(1)))
CANCEL = (5, bacnet.ctx(0, 1) + bacnet.ctx(1, bacnet.oid(*AV)))


def apply(box, *services):
    path = box.write(conduit("c", "ops", "ot", list(services)), extra=ISOLATIONS)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace("services = {\n", SERVICES, 1))
    box.sekisho("apply", path)


class Ends:
    """The client; the device, which may also send from another port; and another client."""

    def __init__(self, box, family):
        def end(zone, address, port):
            with inside(box.ns(zone)):
                s = socket.socket(family, socket.SOCK_DGRAM)
            s.bind((address, port))
            s.settimeout(2 * SLOWNESS)
            return s

        self.address = ENDS[family]
        self.client, self.other = end("ops", self.address[0], PORT), end("ops", self.address[0], 40000)
        self.device, self.beside = end("ot", self.address[1], PORT), end("ot", self.address[1], 1042)

    def asks(self, request):
        self.client.sendto(bacnet.ask(request), (self.address[1], PORT))
        expect(self.device.recv(2000) == bacnet.ask(request), "the device got something else")
        self.device.sendto(bacnet.tell(bacnet.simple_ack(1, 5)), (self.address[0], PORT))
        expect(self.client.recv(2000) == bacnet.tell(bacnet.simple_ack(1, 5)), "the client got something else")

    def tells(self, seconds=2.0):
        """Whether the device's message arrives, and nothing else."""
        self.client.settimeout(seconds * SLOWNESS)
        self.device.sendto(TELL, (self.address[0], PORT))
        try:
            got = self.client.recv(2000)
        except socket.timeout:
            return False
        expect(got == TELL, "%s arrived", got)
        return True

    def tries(self):
        """What the device may never send."""
        self.device.sendto(WRITE, (self.address[0], PORT))
        self.beside.sendto(WRITE, (self.address[0], PORT))
        self.device.sendto(TELL, (self.address[0], 40000))

    def hears_nothing(self, tells):
        for s in ([self.client] if tells else []) + [self.client, self.other]:
            if tells:
                self.device.sendto(TELL, (self.address[0], PORT))
                self.beside.sendto(TELL, (self.address[0], PORT))
            s.settimeout(0.1)
            try:
                raise AssertionError("%s arrived" % s.recv(2000))
            except socket.timeout:
                pass

    def close(self):
        for s in (self.client, self.other, self.device, self.beside):
            s.close()


def a_subscription_lasts(box):
    apply(box, "bms_watch")
    all_ends = [Ends(box, family) for family in ENDS]

    def forget():
        for family in ("ipv4", "ipv6"):
            sh("conntrack", "-D", "-f", family, "-p", "udp", "--dport", str(PORT), ns=box.data, check=False)

    def goes_on(what):
        forget()
        for e in all_ends:
            e.tries()
            wait_for(lambda e=e: e.tells(0.3), 8, "a message, " + what)
            forget()
            e.beside.sendto(TELL, (e.address[0], PORT))
            e.client.settimeout(2 * SLOWNESS)
            expect(e.client.recv(2000) == TELL, "%s: from another port", what)
            e.tries()
            e.hears_nothing(tells=False)

    def is_over(what):
        forget()
        for e in all_ends:
            e.tries()
            e.hears_nothing(tells=True)

    try:
        seq = box.last_seq()
        is_over("nobody subscribed")
        wait_for(lambda: [e for e in box.events(seq) if e.get("reason") == "not_opened"], 8, "a record")
        for e in all_ends:
            e.asks(bacnet.subscribe(AV, 1, 3600))
        goes_on("after silence")
        for pid in box.pids("dpi"):
            os.kill(pid, signal.SIGKILL)
        goes_on("after the worker's death")
        apply(box, "bms_read")
        is_over("narrowed")
        apply(box, "bms_watch")
        goes_on("allowed again")
        for name, keeps in (("all_of_it", False), ("but_c", True)):
            box.sekisho("isolate", name, "--reason", "test")
            if keeps:
                goes_on("isolated but for c")
            else:
                is_over("isolated")
            box.sekisho("rejoin", name, "--reason", "test")
            goes_on("rejoined")
        for e in all_ends:
            e.asks(CANCEL)
        is_over("cancelled")
        return "a subscription goes on over silence, a worker's death, applies and isolations, and ends with its row and its client"
    finally:
        for e in all_ends:
            e.close()


CASES = [a_subscription_lasts]
