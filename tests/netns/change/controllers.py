# SPDX-License-Identifier: Apache-2.0
"""Sessions of controllers by other protocols than Modbus, with what these remember over time:
S7comm's cyclic reads, connections of CIP and their data over UDP, what SLMP registered, nodes that
FINS exchanged, the numbers of IEC 104, channels of OPC UA. Messages and answers are those of
tests/lib.

`wide`: the next requests of the state are allowed only by the conduit `writes-plc`, for the place
REGISTER (policies.py)."""
import contextlib
import struct
import time

import bacnet
import dnp3
import enip
import fins
import iec104
import memobus
import opcua
import s7
import slmp
from cases import expect
from ends import Session
from moving import Moments
from net import wait_for
from policies import PLC_PORTS, REGISTER
from states import Tcp, Udp


class Plc(Tcp):
    """One request was answered, and then one answer is outstanding: in the middle of polling."""
    lasts = False
    protocol = None

    def __init__(self, field, six):
        self.f = Session(field, PLC_PORTS[self.protocol], six)
        self.six, self.plc = six, self.Controller()

    def say(self, request):
        self.f.exchange(request, self.answer(request))

    def read(self):
        self.say(self.request())

    def open(self):
        self.f.open()
        self.begin()
        self.read()

    def begin(self):
        """The messages that the protocol needs before the first request."""

    def prepare(self):
        self.open()
        self.said = self.request()
        self.f.ask(self.said)
        self.f.s.acknowledge()
        self.f.wait(lambda: self.f.c.acked == self.f.c.seq, "the acknowledgement")

    def go_on(self):
        self.f.answer(self.answer(self.said))
        self.read()


class Collected:
    """Collects what a controller would send."""

    def __init__(self):
        self.said = b""

    def sendall(self, part):
        self.said += part


class S7Polled(Plc):
    protocol, Controller = "s7comm", s7.Controller

    def begin(self):
        self.f.exchange(s7.connect(), s7.connection(0xD0, 1, 0x100))
        self.say(s7.setup())

    def request(self):
        self.tid += 1
        return s7.read([s7.place(s7.DB, 20, REGISTER, 2)], self.tid)

    def answer(self, request):
        to = Collected()
        self.plc.execute(to, request[7:])
        return to.said


class S7Cyclic(S7Polled):
    """The controller sends the values of a cyclic read, which was requested once, by itself."""
    wide = True

    def prepare(self):
        self.open()
        self.say(s7.cyclic([s7.place(s7.DB, 10, REGISTER, 2)], 2000))
        self.push()

    def push(self):
        self.f.answer(self.plc.push())

    def go_on(self):
        self.push()
        self.read()
        self.push()

    def poke(self):
        self.f.s.say(self.plc.push())


class EnipPolled(Plc):
    protocol, Controller, handle = "enip", enip.Controller, 0x5EC1

    def begin(self):
        self.connections = {"connections": {}}
        self.say(enip.register())

    def ask(self, cip):
        self.tid += 1
        return enip.request(self.handle, cip, self.tid)

    def request(self):
        return self.ask(enip.read("Speed"))

    def answer(self, request):
        return self.plc.answer(request, self.connections)


class EnipConnected(EnipPolled):
    """Polled over a connection of class 3, by a route that only the wide conduit allows."""
    wide = True
    SERIAL = 7

    def begin(self):
        super().begin()
        self.say(self.ask(enip.forward_open(self.SERIAL, 0x207, bytes([1, REGISTER]))))

    def request(self):
        self.tid += 1
        return enip.unit(self.handle, 0x1000 + self.SERIAL, self.tid, enip.read("Speed"))


class EnipOutputs(Udp):
    """Data of an I/O connection to the device. The connection was opened over TCP."""
    lane, wide, port, SIZES, POINTS = "commands", True, 2222, (6, 32), (100 + REGISTER, 150, 160)
    accepted = True  # lists of sessions may name its TCP session, even if that has ended

    def __init__(self, field, six):
        super().__init__(field, six)
        self.field = field
        self.begin()

    def begin(self):
        """New ends that know nothing of each other yet."""
        self.session, self.n = EnipPolled(self.field, self.six), 0
        self.serial = self.session.f.sport

    def prepare(self):
        self.session.open()
        cip = enip.forward_open_io(self.serial, 0x20000 + self.serial, *self.SIZES, self.POINTS, interval=200000, multiplier=7)
        self.session.say(self.session.ask(cip))
        self.tell()

    def number(self, back):
        """The number of the device, or that of the originator."""
        return (0x20000 if back else 0x1000) + self.serial

    def next(self, back=False):
        self.n += 1
        return enip.io(self.number(back), struct.pack("<H", self.n).ljust(self.SIZES[back], b"\0"), self.n)

    def tell(self):
        self.f.exchange(self.next())

    def go_on(self):
        self.tell()

    def text(self):
        return self.next()

    def again(self):
        """An end that receives nothing opens the connection again."""
        self.session.f.forget()
        self.begin()
        self.prepare()

    def forget(self):
        super().forget()
        self.session.f.forget()


SILENT = 5  # seconds; conntrack forgets datagrams after ten or more


class EnipInputs(Moments, EnipOutputs):
    """Inputs from the device, and the originator's heartbeats, all the time."""
    wide, moves, SIZES, POINTS, count = False, True, (2, 32), (151, 150, 100), 20

    def tell(self):
        self.f.exchange(self.next(), self.next(True))
        self.told = time.monotonic()

    def prepare(self):
        super().prepare()
        self.said, self.at = [], []
        self.draw(self.field.rng)

    def during(self):
        # conntrack may have forgotten the flow, so that the next packets of both ends would be two
        # beginnings
        if time.monotonic() - self.told > SILENT:
            with contextlib.suppress(TimeoutError):
                self.tell()
        super().during()

    def speak(self):
        for back in (False, True):
            self.said.append((self.next(back), back))
            self.at.append(time.monotonic())
            try:
                self.f.send(*self.said[-1])
            except OSError:
                pass  # the link is down: nobody receives it

    def go_on(self):
        if self.lossless:
            with contextlib.suppress(TimeoutError):
                wait_for(lambda: not self.lost(), 2.0, "all datagrams")
            expect(not self.lost(), "%d of %d datagrams did not come: %s", len(self.lost()), len(self.said), self.lost())
        self.tell()

    def lost(self):
        now = time.monotonic()
        return ["%s, %.3f s ago" % (("out", "back")[said[1]], now - at) for said, at in zip(self.said, self.at) if not self.f.came(*said)]


class SlmpPolled(Plc):
    protocol, Controller, form = "slmp", slmp.Controller, slmp.Form(True, False)

    def request(self):
        self.tid += 1
        return self.form.read("d", 100 + REGISTER, 2, serial=self.tid)

    def answer(self, request):
        return self.plc.handle(request)


class SlmpMonitored(SlmpPolled):
    """Reads the registered devices; the requests do not name them again."""
    wide = True

    def begin(self):
        self.say(self.form.register([("d", REGISTER), ("d", REGISTER + 1)]))

    def request(self):
        self.tid += 1
        return self.form.monitor(self.tid)


class SlmpOverUdp(Udp):
    """A request is at the controller, which has not answered yet. The kernel keeps such a young
    flow for 15 seconds. If the event takes longer, the client has given up and asked again."""
    lane, port, KEPT = "commands", 5008, 13
    Controller, place = slmp.Controller, 100 + REGISTER

    def __init__(self, field, six):
        super().__init__(field, six)
        self.plc = self.Controller()

    def text(self):
        self.n += 1
        return self.request(self.n % 256)

    def request(self, n):
        return SlmpPolled.form.read("d", self.place, 2, serial=n)

    def answer(self, said):
        return self.plc.handle(said)

    def read(self):
        said = self.text()
        self.f.exchange(said, self.answer(said))

    def prepare(self):
        self.read()
        self.ask()

    def ask(self):
        self.said, self.at = self.text(), time.monotonic()
        self.f.exchange(self.said)

    def go_on(self):
        if time.monotonic() - self.at > self.KEPT:
            self.ask()
        answer = self.answer(self.said)
        self.f.send(answer, True)
        self.f.crossed(answer, True)
        self.read()

    def again(self):
        """The open request is lost with the process that knew it; the client asks once more."""
        self.read()


class FinsPolled(Plc):
    """Polled after the exchange of node addresses."""
    protocol, Controller, first = "fins", fins.Memory, 100 + REGISTER

    def begin(self):
        self.f.exchange(fins.node(), fins.nodes())

    def request(self):
        self.tid += 1
        return fins.tcp(fins.read("d", self.first, 2, self.tid % 256))

    def answer(self, request):
        return fins.tcp(self.plc.answer(request[16:]))


class FinsWide(FinsPolled):
    """The same by the wide conduit."""
    wide, first = True, REGISTER


class FinsOverUdp(SlmpOverUdp):
    port, Controller = 9600, fins.Memory

    def request(self, n):
        return fins.read("d", self.place, 2, n)

    def answer(self, said):
        return self.plc.answer(said)


class MemobusPolled(Plc):
    protocol, Controller, first = "memobus", memobus.Memory, 100 + REGISTER

    def request(self):
        self.tid += 1
        return memobus.read_holding(self.first, 2, self.tid % 256)

    def answer(self, request):
        return self.plc.answer(request)


class MemobusWide(MemobusPolled):
    wide, first = True, REGISTER


class MemobusOverUdp(FinsOverUdp):
    port, Controller = PLC_PORTS["memobus"], memobus.Memory

    def request(self, n):
        return memobus.read_holding(self.place, 2, n)


class Iec104Polled(Plc):
    """Both ends number their messages, from the first start of data on."""
    protocol, Controller, first = "iec104", iec104.Ends, 100 + REGISTER

    def begin(self):
        self.f.exchange(iec104.u(iec104.STARTDT_ACT), iec104.u(iec104.STARTDT_CON))

    def request(self):
        return self.plc.ask(iec104.read(self.first))

    def answer(self, _):
        return self.plc.tell(iec104.measured(self.first, 1.5, iec104.REQ))


class Iec104Wide(Iec104Polled):
    wide, first = True, REGISTER


class Dnp3Polled(Plc):
    protocol, Controller, first = "dnp3", dnp3.Outstation, 100 + REGISTER

    def request(self):
        self.tid += 1
        return dnp3.ask(1, dnp3.points(1, 2, self.first, self.first), self.tid % 16)

    def answer(self, request):
        return self.plc.answer(request)


class Dnp3Wide(Dnp3Polled):
    wide, first = True, REGISTER


class Dnp3OverUdp(FinsOverUdp):
    port, Controller = PLC_PORTS["dnp3"], dnp3.Outstation

    def request(self, n):
        return dnp3.ask(1, dnp3.points(1, 2, self.place, self.place), n % 16)


class OpcuaPolled(Plc):
    """Polled over a channel without security, which its first two messages opened."""
    protocol, Controller, first = "opcua", opcua.Ends, 100 + REGISTER

    def begin(self):
        for said, back in self.plc.begin():
            self.f.exchange(said, back)

    def request(self):
        return self.plc.ask(opcua.read([opcua.node(2, self.first)]))

    def answer(self, _):
        return self.plc.tell(opcua.answer(634, opcua.array([opcua.data_value(opcua.variant(6, 5))])))


class OpcuaWide(OpcuaPolled):
    wide, first = True, REGISTER


class BacnetPolled(FinsOverUdp):
    """BACnet/IP, which only has datagrams, and one port for both ends."""
    port, Controller = PLC_PORTS["bacnet"], bacnet.Device

    def request(self, n):
        return bacnet.ask(bacnet.read((bacnet.AO, self.place)), n)


class BacnetWide(BacnetPolled):
    wide, place = True, REGISTER


CONTROLLERS = (BacnetPolled, BacnetWide, MemobusPolled, MemobusWide, MemobusOverUdp, Iec104Polled, Iec104Wide, Dnp3Polled, Dnp3Wide, Dnp3OverUdp, OpcuaPolled, OpcuaWide,
               S7Polled, S7Cyclic, EnipPolled, EnipConnected, EnipOutputs, EnipInputs, SlmpPolled, SlmpMonitored, SlmpOverUdp, FinsPolled, FinsWide, FinsOverUdp)
