# SPDX-License-Identifier: Apache-2.0
"""Frames that only virtual interfaces pass on: many segments in one frame, with a checksum that is
still to be written at an offset that the sender chooses. The box sends exactly what it judged,
whoever then writes the checksum."""
import contextlib
import ctypes
import fcntl
import socket
import struct

import endpoint
from commands import readings
from endpoint import Plc, Raw, answered, is_cut, request, write
from ground import FAMILIES, POLICY, Capture, expect, inside, wait_for
from net import checksum, pseudo, tcp
from packets import ACK, PSH, ip
from speech import MODBUS

NEEDS_CHECKSUM = 1
GSO_TCP4, GSO_TCP6 = 1, 4
SIOCETHTOOL, SET_TX_CHECKSUMS, SET_TSO, SET_GSO = 0x8946, 0x17, 0x1f, 0x24
W, R = write(), request()


@contextlib.contextmanager
def without(ground, *offloads):
    """The box's interface of the controllers' zone writes checksums, or splits frames, in
    software."""
    def switch(what, value):
        with inside(ground.data), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            order = ctypes.create_string_buffer(struct.pack("II", what, value))
            fcntl.ioctl(s, SIOCETHTOOL, struct.pack("16sQ16x", b"ot0", ctypes.addressof(order)))
    for what in offloads:
        switch(what, 0)
    try:
        yield
    finally:
        for what in reversed(offloads):
            switch(what, 1)


class Virtual(Raw):
    """A client whose interface works like the link of a virtual machine."""

    def __init__(self, ground, address, port):
        super().__init__(ground, "ops", address, 502, port, ":" in address)
        with inside(ground.ns("ops")):
            self.link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
        self.link.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        self.link.bind(("eth0", 0))
        self.before = 14 + (40 if ":" in address else 20)  # offset of the TCP header

    def hand_over(self, segment, start, offset, kind=0, size=0, heads=0):
        """`start`: where the checksum begins; `offset`: from there to the place where it is
        written."""
        head = struct.pack("=BBHHHH", NEEDS_CHECKSUM, kind, heads, size, start, offset)
        self.link.send(head + self.head + ip(self.me, self.to, 6, segment))

    def made(self, data):
        return tcp(self.me, self.to, self.sport, self.port, self.seq, self.ack, ACK | PSH, data)

    def large(self, data, size):
        """One frame that is split into segments of `size` bytes when it is sent."""
        t = self.made(data)
        t = t[:16] + struct.pack("!H", checksum(pseudo(self.me, self.to, 6, len(t))) ^ 0xffff) + t[18:]
        self.hand_over(t, self.before, 16, GSO_TCP6 if ":" in self.to else GSO_TCP4, size, self.before + 20)
        self.seq = (self.seq + len(data)) & endpoint.M32

    def close(self):
        self.link.close()
        super().close()


def turned(r, at, forbidden):
    """A segment that looks like an allowed request. Writing its checksum at byte `at` turns it into
    the forbidden one, and its own checksum is right for the result. After it a PDU with a free
    number begins."""
    for free in range(1 << 16):
        tail = struct.pack("!HHH", free, 0, 6)
        if checksum((R + tail)[at:]) == struct.unpack("!H", forbidden[at:at + 2])[0]:
            break
    else:
        raise AssertionError("no number makes it")
    t = r.made(forbidden + tail)
    return t[:20] + R + tail


def read(capture, address):
    frames = [(came_in, f) for _, came_in, f in list(capture.frames)]
    return [p for two in readings(frames, address).values() for s in two for p in MODBUS.forbidden(s)]


def checksum_in_a_command(ground):
    """The checksum is written to the function code of a read, or to its address: neither a write
    nor another register arrives."""
    ground.apply(*POLICY)
    ground.settle_neighbours()
    port = ground.port(100)
    for families in FAMILIES:
        address = families["ot"]
        for at, forbidden in ((6, W[:8] + R[8:]), (8, request(4711))):
            for by_software in (True, False):
                port += 1
                plc = Plc(ground, address)
                capture = Capture(ground.net, ground.ns("ot"), "eth0")
                with without(ground, *([SET_TX_CHECKSUMS] if by_software else [])):
                    r = Virtual(ground, address, port).open()
                    answered(r)
                    r.hand_over(turned(r, at, forbidden), r.before + 20 + at, 0)
                    is_cut(r, plc)
                r.close()
                bad = plc.forbidden() + read(capture, address)
                capture.close()
                plc.close()
                expect(not bad, "at %d, written by %s: %s", at, "the box" if by_software else "nobody", bad)


def large_frames(ground):
    """Commands in one frame of many segments, which the box splits or nobody does: allowed ones are
    answered. A forbidden one never arrives, whether it is first, last, in the middle or across a
    boundary."""
    ground.apply(*POLICY)
    ground.settle_neighbours()
    port = ground.port(100)
    trains = (("allowed", R * 16, 100), ("first", W + R * 10, 48), ("in the middle", R * 7 + W + R * 7, 100),
              ("across a seam", R * 8 + W, 102), ("last byte alone", R * 8 + W, 107), ("eight bytes each", R * 6 + W, 8))
    for families in FAMILIES:
        address = families["ot"]
        for cut in ((), (SET_TSO, SET_GSO), (SET_TX_CHECKSUMS, SET_TSO, SET_GSO)):
            for name, train, size in trains:
                port += 1
                plc = Plc(ground, address)
                capture = Capture(ground.net, ground.ns("ot"), "eth0")
                with without(ground, *cut):
                    r = Virtual(ground, address, port).open()
                    answered(r)
                    r.large(train, size)
                    if name == "allowed":
                        r.until(lambda: len(r.got) == 17 * 17, 3.0, "the answers to 16 requests")
                        r.segment(flags=ACK)
                        answered(r)
                        r.segment(flags=endpoint.RST)
                        wait_for(lambda: plc.live is None, 3.0, "the free slot")
                    else:
                        is_cut(r, plc)
                r.close()
                bad = plc.forbidden() + read(capture, address)
                capture.close()
                plc.close()
                expect(not bad, "%s: %s", name, bad)


CASES = [checksum_in_a_command, large_frames]
