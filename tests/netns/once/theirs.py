# SPDX-License-Identifier: Apache-2.0
"""Servers that are not ours in the zone ot, each with a request A and a write B, and what it holds:

  libmodbus  is installed with the tests
  snap7      SEKISHO_SNAP7: the path of libsnap7.so
  slmp       SEKISHO_SLMP_SERVER: how to run a server of SLMP ({port}: where it is to listen)
  opener     SEKISHO_OPENER: the program of OpENer's sample application

The last three listen on the loopback of their namespace; what comes for them is sent on there."""
import ctypes
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile

import enip
import modbus
import s7
import serving
import slmp
from box import conduit
from net import inside, sh, wait_for

SERVER, LOOPBACK = "10.73.0.2", "127.0.0.1"
VICTIM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "replay", "cases", "s7comm_receivers", "victim.py")
# What this server's conduits need and the policy of the tests does not have.
SERVICES = """  opener_read = { protocol = "enip"; ports = ["tcp/44818"]; allow = ( { functions = ["get_attribute_single"]; objects = ["4.100.3", "4.154.3"]; } ); };
  opener_write = { protocol = "enip"; ports = ["tcp/44818"]; allow = ( { functions = ["set_attribute_single"]; objects = ["4.154.3"]; } ); };
"""
ENIP_PORT = 44818


class Kind:
    """`reads`, `writes`: services of the policy that allow A alone, and B. `only_b`: bytes that a
    segment has if B is in it."""
    name = reads = writes = variable = ""
    port, only_b = 0, b""

    def __init__(self):
        self.process = None

    def conduits(self, **keys):
        """Returns a conduit that allows A, and one with these keys that allows B."""
        name = self.name
        return conduit(name, "ops", "ot", [self.reads], criticality="cargo"), conduit(name + "-more", "ops", "ot", [self.writes], criticality="cargo", **keys)

    def run(self, box, command, **more):
        self.process = subprocess.Popen(["nsenter", "--net=/run/netns/" + box.ns("ot"), *command], stdin=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, start_new_session=True, **more)

    def listens(self, box, port):
        try:
            self.direct(box, port).close()
            return True
        except OSError:
            return False

    def direct(self, box, port=None):
        return modbus.connect(box.ns("ot"), SERVER if self.process is None else LOOPBACK, port or self.inside_port)

    def holds(self, box, reset=False):
        """Whether the server holds what B writes. Asks on the server's own machine. `reset`: writes
        another value first."""
        with self.direct(box) as s:
            handle = self.begin(s)
            if reset:
                s.sendall(self.write(handle, 1, 0))
                self.receive(s)
            s.sendall(self.look(handle, 2))
            return any(self.receive(s)[-2:])

    def close(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def begin(self, s):
        return None


class Libmodbus(Kind):
    name, port, reads, writes, only_b = "libmodbus", 502, "read", "write", b"\0\6\1\6\0\1"
    inside_port = 502
    receive = staticmethod(modbus.answer)

    def start(self, box):
        try:
            self.lib = lib = ctypes.CDLL("libmodbus.so.5")
        except OSError:
            return False
        lib.modbus_new_tcp.restype = lib.modbus_mapping_new.restype = ctypes.c_void_p
        self.map = ctypes.c_void_p(lib.modbus_mapping_new(100, 100, 100, 100))
        with inside(box.ns("ot")):
            self.listener = socket.create_server((SERVER, self.port), backlog=16)
        serving.each(self.listener, self.session)
        return True

    def session(self, s):
        ctx, query = ctypes.c_void_p(self.lib.modbus_new_tcp(b"127.0.0.1", self.port)), ctypes.create_string_buffer(260)
        self.lib.modbus_set_socket(ctx, s.fileno())
        n = 0
        while n >= 0:
            n = self.lib.modbus_receive(ctx, query)
            if n > 0 and self.lib.modbus_reply(ctx, query, n, self.map) < 0:
                break
        s.close()
        self.lib.modbus_free(ctx)

    def a(self, _, n):
        return modbus.read_holding(0, 4, tid=n)

    def write(self, _, n, value):
        return modbus.write_register(1, 7 * value, tid=n)

    def look(self, _, n):
        return modbus.read_holding(1, 1, tid=n)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Snap7(Kind):
    name, port, reads, writes, variable = "snap7", 102, "s7_read", "s7_set", "SEKISHO_SNAP7"
    only_b = s7.write_word(10, 40, 1)[17:]
    receive = staticmethod(s7.receive)

    def start(self, box):
        self.run(box, [sys.executable, VICTIM, "snap7", os.environ[self.variable], "1"], stdout=subprocess.PIPE)
        self.inside_port, = json.loads(self.process.stdout.readline() or b"[0]")
        return self.inside_port != 0

    def begin(self, s):
        for message in (s7.connect(), s7.setup()):
            s.sendall(message)
            s7.receive(s)

    def a(self, _, n):
        return s7.read([s7.place(s7.DB, 10, 0, 4)], n)

    def write(self, _, n, value):
        return s7.write_word(10, 40, value, n)

    def look(self, _, n):
        return s7.read([s7.place(s7.DB, 10, 40, 2)], n)


class Slmp(Kind):
    name, port, reads, writes, variable = "slmp", 5007, "melsec", "melsec_all", "SEKISHO_SLMP_SERVER"
    form = slmp.FORMS[0]
    only_b = form.write("d", 49, [7])
    receive = staticmethod(slmp.answer)

    def start(self, box):
        self.inside_port = 20007
        self.run(box, shlex.split(os.environ[self.variable].replace("{port}", str(self.inside_port))), stdout=subprocess.DEVNULL)
        return True

    def a(self, _, n):
        return self.form.read("d", 0, 2)

    def write(self, _, n, value):
        return self.form.write("d", 49, [7 * value])

    def look(self, _, n):
        return self.form.read("d", 49, 1)


class Opener(Kind):
    name, port, reads, writes, variable = "opener", ENIP_PORT, "opener_read", "opener_write", "SEKISHO_OPENER"
    inside_port = ENIP_PORT
    ASSEMBLY = bytes((0x20, 4, 0x24, 154, 0x30, 3))
    only_b = enip.service(0x10, ASSEMBLY, b"\7" * 32)
    receive = staticmethod(enip.receive)
    begin = staticmethod(enip.handle_of)

    def start(self, box):
        self.folder = tempfile.TemporaryDirectory()
        self.run(box, [os.path.abspath(os.environ[self.variable]), "lo"], stdout=subprocess.DEVNULL, cwd=self.folder.name)
        return True

    def a(self, handle, n):
        return enip.request(handle, enip.service(0x0E, bytes((0x20, 4, 0x24, 100, 0x30, 3))), n)

    def write(self, handle, n, value):
        return enip.request(handle, enip.service(0x10, self.ASSEMBLY, bytes((7 * value,)) * 32), n)

    def look(self, handle, n):
        return enip.request(handle, enip.service(0x0E, self.ASSEMBLY), n)

    def close(self):
        super().close()
        self.folder.cleanup()


def put_up(box):
    """Returns (the kinds of server that this machine has, the names of those that it lacks)."""
    there, missing = [], []
    for kind in (Libmodbus(), Snap7(), Slmp(), Opener()):
        if kind.variable and not os.environ.get(kind.variable):
            missing.append("%s (%s)" % (kind.name, kind.variable))
        elif kind.start(box):
            wait_for(lambda k=kind: k.listens(box, k.inside_port), 20, kind.name + " to listen")
            there.append(kind)
        else:
            missing.append(kind.name)
    sent_on = "".join("tcp dport %d dnat ip to %s:%d\n" % (k.port, LOOPBACK, k.inside_port) for k in there if k.process is not None)
    sh("sysctl", "-qw", "net.ipv4.conf.eth0.route_localnet=1", ns=box.ns("ot"))
    sh("nft", "-f", "-", ns=box.ns("ot"), input="""table inet theirs { }
delete table inet theirs
table inet theirs {
 chain lost { type filter hook prerouting priority -310; }
 chain unanswered { type filter hook output priority -310; }
 chain on { type nat hook prerouting priority dstnat; %s }
}
""" % sent_on)
    return there, missing
