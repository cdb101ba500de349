# SPDX-License-Identifier: Apache-2.0
"""The states of a flow, one class each: how it is brought into the state, and how its ends go on
from there. The ends send each thing once, so what does not arrive was lost.

Attributes say what an event may mean for the state:
  lane      commands (inspected, closed), hold, open, observe, shadow, pick_up, naming, fast
  writes    the client's last request is a write of value 7, which nobody has acknowledged
  ended     the session has ended at both ends
  wide      its next requests are allowed only by the conduit of writes, at the place REGISTER,
            even if they are reads
  refused   the policy never allowed the request that the client repeats here
  halfway   prepared before the workers are killed once
  hurries   prepared last, because the state does not last
  followed  lists can name the session: its handshake is over
  answered  its server has sent at least a SYN|ACK
  accepted  every request for which it could be cut was accepted once, so a list can foretell it
  wrote     a write of it was accepted
  partial   only a part of its last request has been sent
  moves     it sends all the time, so two lists need not be equal
  lasts     after it has gone on, it is like any other open session
  forgotten the kernel may have forgotten its session, because the event took so long
  labelled  the kernel's session has the permit of its client; otherwise its datagrams are judged
            by the rows in force, as those of a new session
  subscribed  only a subscription allows what its server sends"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from ends import ACK, FIN, Datagrams, Session, ip  # noqa: E402
from modbus import read_holding, write_register  # noqa: E402
from net import wait_for  # noqa: E402
from policies import PORTS  # noqa: E402



def read_answer(tid, count=4, unit=1):
    return tid.to_bytes(2, "big") + bytes([0, 0, 0, 3 + 2 * count, unit, 3, 2 * count]) + bytes(2 * count)


class Tcp:
    lane, writes, ended, refused, halfway, hurries = "commands", False, False, False, False, False
    followed, answered, accepted, wrote, partial, moves = True, True, True, False, False, False
    lasts, wide, labelled, subscribed, forgotten = True, False, True, False, False
    lossless = True  # of the event: what it sends meanwhile arrives without being repeated
    observing = False  # of the policy before: requests that the rows do not allow pass
    tid = 1

    def __init__(self, field, six):
        self.f = Session(field, PORTS[self.lane], six)
        self.six = six

    def request(self):
        self.tid += 1
        return read_holding(0, 4, tid=self.tid)

    def read(self):
        self.f.exchange(self.request(), read_answer(self.tid))

    def write(self, value=7):
        self.tid += 1
        return write_register(1, value, tid=self.tid)

    def open(self):
        self.f.open()
        self.read()

    def prepare(self):
        self.open()

    def go_on(self):
        """What the ends do next when they lost nothing; a read at the end."""
        self.read()

    def poke(self):
        """The client's next packet, whatever happens to it."""
        self.f.c.say(self.request())

    def forget(self):
        self.f.forget()

    def name(self):
        return type(self).__name__


class SynSent(Tcp):
    followed, answered, hurries = False, False, True

    def prepare(self):
        self.f.call()

    def go_on(self):
        self.f.call_again_if_forgotten(2)
        self.f.answer_call()
        self.f.c.acknowledge()
        self.read()

    def poke(self):
        self.f.c.segment(seq=self.f.c.isn, ack=0, flags=2)


class SynAnswered(Tcp):
    followed = False

    def prepare(self):
        self.f.call()
        self.f.answer_call()

    def go_on(self):
        if self.f.call_again_if_forgotten(5):
            self.f.answer_call()
        self.f.c.acknowledge()
        self.read()


class OpenAndSilent(Tcp):
    pass


class RequestUnacknowledged(Tcp):
    """The request is at the server's host, whose stack did not accept it: the client will repeat
    it."""

    def last(self):
        return self.request()

    def prepare(self):
        self.open()
        self.said = self.last()
        self.at = self.f.c.seq
        self.f.ask(self.said)

    def repeat(self):
        self.f.c.segment(self.said, seq=self.at)

    def go_on(self):
        count = self.times()
        self.repeat()
        self.f.wait(lambda: self.times() > count, "the repetition at the server")
        self.f.answer(self.result())
        self.read()

    def result(self):
        return read_answer(self.tid)

    def times(self):
        return sum(d == self.said for *_, d in list(self.f.s.log))

    poke = repeat


class WriteUnacknowledged(RequestUnacknowledged):
    writes = wrote = True

    def last(self):
        return self.write()

    def result(self):
        return self.said


class Retransmitting(RequestUnacknowledged):
    def prepare(self):
        super().prepare()
        for n in (2, 3):
            self.repeat()
            self.f.wait(lambda n=n: self.times() >= n, "repetition %d" % n)


class WriteRetransmitting(Retransmitting):
    writes = wrote = True
    last, result = WriteUnacknowledged.last, WriteUnacknowledged.result


class PartForwarded(Tcp):
    """All of a PDU except its last bytes is at the server."""
    cut, partial = 9, True

    def last(self):
        return self.request()

    def result(self):
        return read_answer(self.tid)

    def prepare(self):
        self.open()
        self.said = self.last()
        self.f.ask(self.said[:self.cut])

    def go_on(self):
        self.f.exchange(self.said[self.cut:], self.result())
        self.read()

    def poke(self):
        self.f.c.say(self.said[self.cut:])


class PartOfHeader(PartForwarded):
    """The received part shows neither the function nor the unit."""
    cut = 3


class WritePartForwarded(PartForwarded):
    writes, accepted = True, False
    last = WriteUnacknowledged.last

    def result(self):
        return self.said


class AheadOfAGap(Tcp):
    """The second of two requests came first."""

    def last(self):
        return self.request()

    def result(self):
        return read_answer(self.tid)

    def prepare(self):
        self.open()
        self.first = self.request()
        first_answer = read_answer(self.tid)
        self.second = self.last()
        self.answers = first_answer + self.result()
        self.at = self.f.c.seq
        self.f.c.segment(self.second, seq=self.at + len(self.first))

    def go_on(self):
        want = self.f.s.got + self.first + self.second
        self.f.c.segment(self.first, seq=self.at)
        self.f.c.segment(self.second, seq=self.at + len(self.first))
        self.f.c.seq = (self.at + len(self.first + self.second)) & 0xffffffff
        self.f.wait(lambda: self.f.s.got == want, "both requests at the server")
        self.f.answer(self.answers)
        self.read()

    def poke(self):
        self.f.c.segment(self.first + self.second, seq=self.at)


class WriteAheadOfAGap(AheadOfAGap):
    writes, accepted = True, False
    last = WriteUnacknowledged.last

    def result(self):
        return self.second


class PartWaiting(AheadOfAGap):
    """A part of the second request came before the first. Where a session may be picked up, only
    whole PDUs are forwarded ahead of a gap."""
    lane, partial = "pick_up", True

    def prepare(self):
        self.open()
        self.first = self.request()
        first_answer = read_answer(self.tid)
        self.second = self.last()
        self.answers = first_answer + self.result()
        self.at = self.f.c.seq
        self.f.c.segment(self.second[:9], seq=self.at + len(self.first))


class PipelinedToTheLimit(Tcp):
    def prepare(self):
        self.open()
        self.answers = b""
        for _ in range(16):
            self.f.ask(self.request())
            self.answers += read_answer(self.tid)
        self.f.s.acknowledge()

    def go_on(self):
        self.f.answer(self.answers)
        self.read()


class AnswerOutstanding(Tcp):
    def prepare(self):
        self.open()
        self.f.ask(self.request())
        self.f.s.acknowledge()
        self.f.wait(lambda: self.f.c.acked == self.f.c.seq, "the acknowledgement")

    def go_on(self):
        self.f.answer(read_answer(self.tid))
        self.read()


class WriteAnswerOutstanding(AnswerOutstanding):
    """A write that was allowed, delivered and acknowledged; its answer comes later."""
    wrote = True

    def prepare(self):
        self.open()
        self.said = self.write()
        self.f.ask(self.said)
        self.f.s.acknowledge()
        self.f.wait(lambda: self.f.c.acked == self.f.c.seq, "the acknowledgement")

    def go_on(self):
        self.f.answer(self.said)
        self.read()


class HalfClosed(AnswerOutstanding):
    lasts = False

    def prepare(self):
        super().prepare()
        self.f.c.say(b"", flags=FIN | ACK)
        self.f.wait(lambda: self.f.s.fin, "the client's FIN")
        self.f.s.acknowledge()

    def go_on(self):
        self.f.answer(read_answer(self.tid))
        self.f.s.say(b"", flags=FIN | ACK)
        self.f.wait(lambda: self.f.c.fin, "the server's FIN")
        self.f.c.acknowledge()

    def poke(self):
        self.f.s.say(read_answer(self.tid))


class HalfClosedByServer(Tcp):
    """The server has closed its direction; the client still asks, and gets only
    acknowledgements."""
    lasts = False

    def prepare(self):
        self.open()
        self.f.s.say(b"", flags=FIN | ACK)
        self.f.wait(lambda: self.f.c.fin, "the server's FIN")
        self.f.c.acknowledge()

    def go_on(self):
        self.f.ask(self.request())
        self.f.s.acknowledge()
        self.f.wait(lambda: self.f.c.acked == self.f.c.seq, "the acknowledgement")


class BothClosed(Tcp):
    ended = True

    def prepare(self):
        self.open()
        for one, other in ((self.f.c, self.f.s), (self.f.s, self.f.c)):
            one.say(b"", flags=FIN | ACK)
            self.f.wait(lambda other=other: other.fin, "a FIN")
            other.acknowledge()

    def go_on(self):
        """The same ends begin a new session."""
        self.f.c.reset_state()
        self.f.s.reset_state()
        self.open()

    def poke(self):
        self.f.c.acknowledge()


class ResetUnheard(Tcp):
    """The client sent a forbidden request and does not get the reset, so it repeats the request.
    Under observe the request is at the server, which has not acknowledged it."""
    refused = True

    def prepare(self):
        self.open()
        self.said = write_register(200, 7)
        if self.observing:
            self.f.ask(self.said)
            self.f.c.seq = (self.f.c.seq - len(self.said)) & 0xffffffff
            return
        self.f.c.segment(self.said)
        self.f.wait(lambda: self.f.c.was_reset() and self.f.s.was_reset(), "resets at both ends")

    def poke(self):
        self.f.c.segment(self.said)


class MetHalfWay(Tcp):
    """The worker that knew the session has died."""
    halfway = True


class PickedUp(Tcp):
    lane, halfway = "pick_up", True


class Held(Tcp):
    lane = "hold"


class Open(Tcp):
    lane = "open"


class Observed(Tcp):
    """The rows do not allow the write; it passes and is recorded."""
    lane, wrote = "observe", True

    def go_on(self):
        said = self.write()
        self.f.exchange(said, said)
        self.read()


class Shadowed(Tcp):
    """A conduit that only observes overlaps one that enforces."""
    lane = "shadow"


class LetGoOf(Tcp):
    lane = "fast"

    def request(self):
        self.tid += 1
        return b"question %d\n" % self.tid

    def read(self):
        said = self.request()
        self.f.exchange(said, b"answer to " + said)


CLIENT_HELLO = bytes.fromhex("160301002f0100002b0303") + bytes(range(32)) + bytes.fromhex("000004130113020100")
SERVER_HELLO = bytes.fromhex("160303002a020000260303") + bytes(range(32)) + bytes.fromhex("00130100")


class NamedOpen(Tcp):
    """TLS, which has to be recognised; neither end has sent data, so its protocol is not known
    yet."""
    lane, cut = "naming", 0

    def request(self):
        self.tid += 1
        return b"\x17\x03\x03\0\x20" + self.tid.to_bytes(2, "big") * 16

    def read(self):
        said = self.request()
        self.f.exchange(said, said)

    def prepare(self):
        self.f.open()
        if self.cut:
            self.f.ask(CLIENT_HELLO[:self.cut])

    def go_on(self):
        if self.cut < len(CLIENT_HELLO):
            self.f.ask(CLIENT_HELLO[self.cut:])
        self.f.answer(SERVER_HELLO)
        self.read()

    def poke(self):
        self.f.c.say(CLIENT_HELLO[self.cut:] or self.request())


class NamedPart(NamedOpen):
    """A part of its first message is at the server."""
    cut = 3


class NamedByClient(NamedOpen):
    """The client has sent its first message."""
    cut = len(CLIENT_HELLO)


class NamedLetGoOf(NamedOpen):
    """Both ends have sent their first messages, and the session is not inspected any more."""
    lane = "let_go"

    def prepare(self):
        super().prepare()
        super().go_on()

    def go_on(self):
        self.read()

    def poke(self):
        self.f.c.say(self.request())


class Udp:
    lane, writes, ended, refused, halfway, hurries = "fast", False, False, False, False, False
    followed, answered, accepted, wrote, partial, moves = True, True, False, False, False, False
    lossless, lasts, wide, labelled, subscribed = True, False, False, True, False
    port, proto = 9000, 17

    def __init__(self, field, six):
        self.f = Datagrams(field, self.port, six, self.proto)
        self.six, self.n = six, 0

    def text(self):
        self.n += 1
        return b"%s %d %d" % (type(self).__name__.encode(), self.f.sport, self.n)

    def prepare(self):
        self.f.exchange(self.text())

    def go_on(self):
        self.f.exchange(self.text(), self.text())

    def poke(self):
        self.last = self.text(), False
        self.f.send(*self.last)

    @property
    def forgotten(self):
        return time.monotonic() - self.f.sent > 13  # it keeps a young flow for 15 s

    def again(self):
        """What its ends do when the earlier packets are not known any more; only datagrams on their
        way can be lost."""
        self.go_on()

    def forget(self):
        self.f.forget()

    def name(self):
        return type(self).__name__


class UdpUnanswered(Udp):
    pass


class UdpAnswered(Udp):
    def prepare(self):
        self.f.exchange(self.text(), self.text())


class Named(UdpAnswered):
    """DNS, which has to be recognised, inspected."""
    lane, port = "naming", 53

    def text(self):
        self.n += 1
        question = b"\5kuro%d" % (self.n % 10) + b"\4kita\0\0\1\0\1"
        flags = b"\1\0" if self.n % 2 else b"\x81\x80"
        return (self.f.sport + (self.n + 1) // 2 & 0xffff).to_bytes(2, "big") + flags + b"\0\1\0\0\0\0\0\0" + question


class Echoed(UdpAnswered):
    proto = 1


class FragmentsWaiting(Udp):
    """The first half of a datagram is at the box, which keeps it for two seconds. If the event
    takes longer, both halves are sent again."""
    KEPT, hurries = 1.5, True

    def halves(self):
        a, b, proto, body = self.f.packet(self.whole)
        self.ident = self.f.field.rng.randrange(1, 65536)
        for at, more in ((0, 1), (64, 0)):
            part = body[:64] if more else body[64:]
            if self.six:
                head = bytes([proto, 0]) + (at | more).to_bytes(2, "big") + self.ident.to_bytes(4, "big")
                yield ip(a, b, 44, head + part)
            else:
                yield ip(a, b, proto, part, ident=self.ident, flags=more, offset=at)

    def prepare(self):
        self.f.exchange(self.text())
        self.whole = self.text().ljust(120, b"f")
        first, self.second = self.halves()
        self.f.field.ops.send(first)
        self.at = time.monotonic()

    def go_on(self):
        since = time.monotonic()
        if since - self.at > self.KEPT:
            first, self.second = self.halves()
            self.f.field.ops.send(first)
        self.f.field.ops.send(self.second)
        hub = self.f.field.ot  # in fragments or whole: it only matters that the end of it came
        wait_for(lambda: any(t >= since and body.endswith(b"f" * 50) for t, *_, body in list(hub.others)), 2.0,
                 "the datagram from fragments (IPv%d)" % (6 if self.six else 4))
        self.f.exchange(self.text(), self.text())

    def poke(self):
        self.f.field.ops.send(self.second)
        super().poke()


TCP_STATES = (SynSent, SynAnswered, OpenAndSilent, RequestUnacknowledged, WriteUnacknowledged, Retransmitting, WriteRetransmitting,
              PartForwarded, PartOfHeader, WritePartForwarded, PartWaiting, AheadOfAGap, WriteAheadOfAGap, PipelinedToTheLimit,
              AnswerOutstanding, WriteAnswerOutstanding, HalfClosed, HalfClosedByServer, BothClosed, ResetUnheard, MetHalfWay, PickedUp, Held, Open, Observed,
              Shadowed, LetGoOf, NamedOpen, NamedPart, NamedByClient, NamedLetGoOf)
OTHER_STATES = (UdpUnanswered, UdpAnswered, Named, Echoed, FragmentsWaiting)
