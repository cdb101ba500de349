# SPDX-License-Identifier: Apache-2.0
"""Datagrams where a device speaks by itself: by a conduit of its own, or because a client has
subscribed to it."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
import bacnet  # noqa: E402
from net import sh  # noqa: E402
from policies import PLC_PORTS, REGISTER  # noqa: E402
from states import Udp  # noqa: E402


class StationFirst(Udp):
    """Both ends use the protocol's port, so two conduits meet in one session of the kernel. The
    station asks by one of them, the device tells by the other. An event that ends the station's
    conduit does not end the device's."""
    lane, port = "commands", PLC_PORTS["bacnet"]
    device = bacnet.Device()

    def __init__(self, field, six):
        super().__init__(field, six)
        self.f.sport = self.port

    def text(self):
        self.n += 1
        return bacnet.ask(bacnet.read((bacnet.AO, 100 + REGISTER)), self.n % 256)

    def forget(self):
        """The next event's session has the same ports, and must not be this one."""
        for end in ("--sport", "--dport"):
            self.forgotten(end, self.port)

    def forgotten(self, end, port):
        sh("conntrack", "-D", "-f", "ipv6" if self.six else "ipv4", "-p", "udp", end, str(port), ns=self.f.field.data, check=False)

    def read(self):
        said = self.text()
        self.f.exchange(said, self.device.answer(said))

    def tell(self):
        self.n += 1
        said = bacnet.ask(bacnet.i_am(1000 + self.n))
        self.f.send(said, True)
        self.f.crossed(said, True)

    def prepare(self):
        self.read()
        self.tell()

    def go_on(self):
        self.tell()
        self.read()
        self.tell()


class DeviceFirst(StationFirst):
    """The same; the device's conduit has begun the session."""
    port, labelled = PLC_PORTS["bacnet"] + 1, False

    def prepare(self):
        self.tell()
        self.read()


class Subscribed(StationFirst):
    """The client has subscribed for an hour, and the kernel has forgotten their session. What the
    device sends then begins another one, which has no permit, so no list names it."""
    labelled, followed, subscribed = False, False, True

    def __init__(self, field, six):
        Udp.__init__(self, field, six)

    def subscribe(self):
        self.n += 1
        said = bacnet.ask(bacnet.subscribe((bacnet.AO, 100 + REGISTER), self.f.sport, 3600), self.n % 256)
        self.f.exchange(said, self.device.answer(said))

    def prepare(self):
        self.subscribe()
        self.forgotten("--sport", self.f.sport)

    def news(self):
        self.n += 1
        return bacnet.ask((1002, bacnet.ctx(0, self.f.sport) + bacnet.ctx(1, bacnet.oid(bacnet.DEVICE, 7)) +
                           bacnet.ctx(2, bacnet.oid(bacnet.AO, 100 + REGISTER)) + bacnet.ctx(3, 60) +
                           bacnet.con(4, bacnet.element(bacnet.PRESENT, bacnet.real(self.n)))))

    def tell(self):
        said = self.news()
        self.f.send(said, True)
        self.f.crossed(said, True)

    def poke(self):
        self.last = self.news(), True
        self.f.send(*self.last)

    def again(self):
        self.subscribe()
        self.go_on()


class SubscribedBeside(Subscribed):
    """The same; the device sends from another port, which its worker has not seen. A conduit of the
    device's own admits the session, but not this message."""
    port = PLC_PORTS["bacnet"] + 2

    def __init__(self, field, six):
        StationFirst.__init__(self, field, six)

    def tell(self):
        self.f.port = self.port + 1
        try:
            super().tell()
        finally:
            self.f.port = self.port

    def poke(self):
        self.f.port = self.port + 1
        super().poke()

    def go_on(self):
        """Without a question of the client, which needs a session of its own here: when its zone
        has used up its share, there is none."""
        self.tell()
        self.tell()


BOTH = (StationFirst, DeviceFirst, Subscribed, SubscribedBeside)
