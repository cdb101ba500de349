# SPDX-License-Identifier: Apache-2.0
"""The paths with Suricata, inline on the same queue as the accept-all loop, between the same hosts
over the same wires.

  suricata        three Modbus rules (suricata/modbus.rules); the packets of both directions are
                  queued
  suricata_named  two rules more: for TLS and DNS Suricata's "bypass" sets a mark of the connection,
                  and its later packets are not queued
  ..._ruled       the same, with what a firewall between zones needs as well, and Sekisho has:
                  tracking, a look-up of each source, and a set of the pairs that may speak (RULED)

The configuration is suricata/suricata.yaml, copied to a folder of the run. Before the measurement
the program checks that a read passes, and that a write behind it in the same connection does not.
"""
import contextlib
import os
import shutil
import socket
import struct
import subprocess

import memory
from paths import READER_PRIORITY, RUN, SERVER, TOOLS, TOP, Path, inside, sh, wait_for

ROOT = os.path.join(TOP, "build", "backports")
PROGRAM = os.path.join(ROOT, "usr", "bin", "suricata")
GIVEN = os.path.join(TOP, "tests", "bench", "suricata")
# In the chain of the accept-all loop: packets of a connection that Suricata has bypassed are
# accepted before the rule that queues.
LET_GO = """insert rule inet accept_loop forward ct mark and 1 == 1 accept
add chain inet accept_loop after { type filter hook postrouting priority 0; }
add rule inet accept_loop after meta mark and 1 == 1 ct mark set ct mark or 1
"""


RULED = """table inet beside {
 set pairs { type ipv4_addr . ipv4_addr . inet_service; elements = { %s } }
 chain source { type filter hook prerouting priority raw; fib saddr . iif oif missing drop; }
 chain zones {
  type filter hook forward priority -10; policy drop;
  ct state vmap { invalid : drop, established : accept, related : accept }
  ip saddr . ip daddr . th dport @pairs accept
 }
}
""" % ", ".join("10.1.0.2 . %s . %d" % (SERVER, port) for port in (502, 443, 444, 53))


def libraries():
    return dict(os.environ, LD_LIBRARY_PATH=os.pathsep.join(
        os.path.join(ROOT, "usr", "lib", name) for name in sorted(os.listdir(os.path.join(ROOT, "usr", "lib")))))


def version():
    """Suricata's name and version, or None if it cannot run."""
    try:
        done = subprocess.run([PROGRAM, "-V"], env=libraries(), capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return done.stdout.strip().removeprefix("This is ") if done.returncode == 0 else None


def request(function, id=1):
    return struct.pack("!HHHBBHH", id, 0, 6, 1, function, 0, 1)


class PeerPath(Path):
    def box_suricata(self, rules="modbus.rules", named="no"):
        self.forward()
        sh(os.path.join(TOOLS, "accept_loop"), "--rule-only", ns=self.box)
        self.folder = os.path.join(RUN, self.net.prefix)
        os.makedirs(self.folder)
        with open(os.path.join(GIVEN, "suricata.yaml"), encoding="ascii") as f:
            text = f.read().replace("FOLDER", self.folder).replace("NAMED", named)
        for name, content in (("suricata.yaml", text), ("classification.config", ""), ("reference.config", ""),
                              ("threshold.config", "")):
            with open(os.path.join(self.folder, name), "w", encoding="ascii") as f:
                f.write(content)
        shutil.copy(os.path.join(GIVEN, rules), self.folder)
        self.peer = self.net.spawn(
            self.at(self.queues, READER_PRIORITY, PROGRAM, "-c", self.folder + "/suricata.yaml", "-S", self.folder + "/" + rules,
                    "-q", "0", "-l", self.folder), self.box, os.path.join(RUN, self.mode + ".log"), env=libraries())
        wait_for(lambda: self.peer.poll() is not None or "Engine started" in self.said("suricata.log"), 20, "Suricata")
        if self.peer.poll() is not None or not self.read("net/netfilter/nfnetlink_queue").strip():
            raise RuntimeError("Suricata does not read its queue: " + self.said("suricata.log"))

    def box_suricata_named(self):
        self.box_suricata("named.rules", "yes")
        sh("nft", "-f", "-", ns=self.box, input=LET_GO)

    def box_suricata_ruled(self):
        self.box_suricata()
        sh("nft", "-f", "-", ns=self.box, input=RULED)

    def box_suricata_named_ruled(self):
        self.box_suricata_named()
        sh("nft", "-f", "-", ns=self.box, input=RULED)

    def said(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.folder, name), encoding="utf-8", errors="replace") as f:
                return f.read()
        return ""

    def dial(self):
        with inside(self.left):
            s = socket.create_connection((SERVER, 502), timeout=5)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return s

    def verify(self):
        """Checks that a read passes, and that a write is dropped, alone and behind a read."""
        for asked in ((6,), (3, 6), (3, 16), (3, 23), (3, 21), (3, 8)):
            before = self.said("fast.log").count("[Drop]")
            with self.dial() as s:
                for function in asked[:-1]:
                    s.sendall(request(function))
                    if len(s.recv(64)) != 11:
                        raise RuntimeError("Suricata: a read was not answered")
                s.sendall(request(asked[-1]))
                wait_for(lambda n=before: self.said("fast.log").count("[Drop]") > n, 5, "Suricata's drop of %s" % (asked,))
                # once this read is answered, an answer to the write would have come
                with self.dial() as other:
                    other.sendall(request(3))
                    if len(other.recv(64)) != 11:
                        raise RuntimeError("Suricata: a read of another session was not answered")
                s.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    raise RuntimeError("Suricata: function %d was answered: %s" % (asked[-1], s.recv(64).hex()))

    def tracked(self):
        """The connections that the clients hold open, as this path has no connection tracking."""
        return len(sh("ss", "-Htn", "state", "established", "dport", "= :502", ns=self.left).stdout.splitlines())


def processes(path):
    return [("suricata", *memory.rollup(path.peer.pid))]
