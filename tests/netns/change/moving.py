# SPDX-License-Identifier: Apache-2.0
"""States in which a packet is on its way during the event: in a queue, judged and in the ring, or
after the queue. These states are short, so each sends many packets, at random times around the
event."""
import os
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from states import Named, Tcp, Udp, read_answer  # noqa: E402

# seconds from the beginning of the event: an apply and its dry run take about this long
SPREAD = 0.25


class Moments:
    """Draws the times of sending. `during` runs in its own thread from the event's beginning on."""
    count = 12

    def draw(self, rng):
        at = sorted(rng.uniform(0, SPREAD) for _ in range(self.count))
        self.pauses = [b - a for a, b in zip([0.0] + at, at)]

    def during(self):
        for pause in self.pauses:
            threading.Event().wait(pause)
            self.speak()


class UnderWay(Moments, Tcp):
    """Requests, each sent once."""
    moves, accepted = True, False

    def prepare(self):
        self.open()
        self.said, self.answers = [], b""
        self.want = len(self.f.s.got)
        self.at = self.f.c.seq
        self.draw(self.f.c.rng)

    def one(self):
        return self.request(), read_answer(self.tid)

    def speak(self):
        request, answer = self.one()
        self.said.append(request)
        self.answers += answer
        self.f.c.say(request)

    def arrived(self):
        return self.f.s.got[self.want:] == b"".join(self.said)

    def repeat(self):
        """As stacks do, acknowledges what has arrived, and repeats everything that was not
        acknowledged."""
        self.f.s.acknowledge()
        have = len(self.f.s.got) - self.want
        self.f.c.segment(b"".join(self.said)[have:], seq=self.at + have)

    def go_on(self):
        for _ in range(1 if self.lossless else 8):
            try:
                self.f.wait(self.arrived, "all of %d requests at the server" % len(self.said), 1.0)
                break
            except TimeoutError:
                if self.lossless:
                    raise
                self.repeat()
        self.f.wait(self.arrived, "all of %d requests at the server" % len(self.said), 1.0)
        self.f.answer(self.answers)
        self.read()

    def poke(self):
        if self.arrived():
            self.speak()
        else:
            self.f.c.segment(b"".join(self.said)[len(self.f.s.got) - self.want:], seq=self.at + len(self.f.s.got) - self.want)


class HeldUnderWay(UnderWay):
    """A live session goes on while nobody inspects it: none of its packets is lost."""
    lane = "hold"


class OpenUnderWay(HeldUnderWay):
    lane = "open"


class LostUnderWay(UnderWay):
    """A request is lost before the box, and repeated after later ones. A worker that met the
    session at a later request must accept the repetition."""
    LOST = 4

    def speak(self):
        if len(self.said) != self.LOST:
            return super().speak()
        request, answer = self.one()
        self.said.append(request)
        self.answers += answer
        self.f.c.seq = (self.f.c.seq + len(request)) & 0xffffffff

    def go_on(self):
        self.lossless = False
        super().go_on()


class HeldLostUnderWay(LostUnderWay):
    lane = "hold"


class PickedUpLostUnderWay(LostUnderWay):
    lane = "pick_up"


class WriteUnderWay(UnderWay):
    """The same with writes: of those that were sent before the refusal, some have arrived."""
    writes = True

    def one(self):
        said = self.write()
        return said, said

    def late(self, done_at):
        """Bytes that reached the server when their permit had ended, with a tenth of a second's
        grace."""
        return self.f.s.arrived(done_at + 0.1)


class UdpUnderWay(Moments, Udp):
    moves = True
    count = 20

    def prepare(self):
        self.f.exchange(self.text(), self.text())
        self.said = []
        self.draw(self.f.field.rng)

    def speak(self):
        self.said.append(self.text())
        self.f.send(self.said[-1])

    def go_on(self):
        if self.lossless:
            for text in self.said:
                self.f.crossed(text)
        self.f.exchange(self.text(), self.text())


class NamedUnderWay(UdpUnderWay):
    """Questions to a name server, inspected."""
    lane, port, text = "naming", 53, Named.text

    def speak(self):
        self.said.append(self.text())
        self.n += 1  # the next one is a question again
        self.f.send(self.said[-1])


MOVING = (UnderWay, WriteUnderWay, HeldUnderWay, OpenUnderWay, LostUnderWay, HeldLostUnderWay, PickedUpLostUnderWay,
          UdpUnderWay, NamedUnderWay)
