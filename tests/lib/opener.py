# SPDX-License-Identifier: Apache-2.0
"""Sends unanswered SYNs or datagrams one after the other, each of another session, and measures how
long each send takes. On a veth pair the sender's processor does all the kernel's work for a
frame."""
import time

import net


class Opener:
    """Sends from an interface of a namespace to a target behind the box, each time from another
    port or host, at most once in `apart` seconds."""

    def __init__(self, ns, interface, gateway_mac, hosts, rng, datagrams=False):
        self.wire, self.datagrams = net.Wire(ns, interface, gateway_mac), datagrams
        self.hosts, self.ports, self.sent, self.next = hosts, rng.sample(range(1024, 65536), 64000), 0, time.monotonic()

    def open(self, target, port, apart):
        """Sends one frame. Returns the nanoseconds that it took."""
        source, sport = self.hosts[self.sent % len(self.hosts)], self.ports[self.sent // len(self.hosts) % len(self.ports)]
        if self.datagrams:
            packet = net.ip4(source, target, 17, net.udp(source, target, sport, port, b"x"))
        else:
            packet = net.ip4(source, target, 6, net.tcp(source, target, sport, port, 1000, 0, 2))
        while time.monotonic() < self.next:
            pass
        begun = time.perf_counter_ns()
        self.wire.send(packet)
        took = time.perf_counter_ns() - begun
        self.sent += 1
        # missed sends are not made up for all at once
        self.next = max(self.next + apart, time.monotonic() - 0.01)
        return took

    def close(self):
        self.wire.close()
