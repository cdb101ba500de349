# SPDX-License-Identifier: Apache-2.0
"""Servers of other makers, several instances on this machine's loopback. They run in a process of
their own, because a request may end it. Each has memory, which is read and made new between two
sessions.

    victim.py snap7 LIBRARY N     snap7's server; LIBRARY is its libsnap7.so
    victim.py python FOLDER N     the server of python-snap7 3; FOLDER holds the package

Prints its ports in one line of JSON. A line with the number of an instance is answered with what
was done to that instance since the last such line."""
import ctypes
import json
import socket
import sys

BLOCKS, FLAGS = {10: 200, 11: 64}, 64
DATA_READ, CONTROL = 0x20000, 0x4000000


class Event(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("time", ctypes.c_long), ("sender", ctypes.c_int), ("code", ctypes.c_uint32), ("result", ctypes.c_uint16),
                ("p1", ctypes.c_uint16), ("p2", ctypes.c_uint16), ("p3", ctypes.c_uint16), ("p4", ctypes.c_uint16)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Snap7:
    CALL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Event), ctypes.c_int)

    def __init__(self, path):
        self.lib = lib = ctypes.CDLL(path)
        lib.Srv_Create.restype = ctypes.c_void_p
        lib.Srv_SetParam.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        lib.Srv_RegisterArea.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint16, ctypes.c_void_p, ctypes.c_int]
        lib.Srv_StartTo.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        lib.Srv_SetEventsCallback.argtypes = lib.Srv_SetReadEventsCallback.argtypes = [ctypes.c_void_p, self.CALL, ctypes.c_void_p]
        self.server, self.port, self.seen = lib.Srv_Create(), free_port(), []
        self.areas = {("db", n): (ctypes.c_ubyte * size)() for n, size in BLOCKS.items()}
        self.areas["flags", 0] = (ctypes.c_ubyte * FLAGS)()
        for (kind, n), area in self.areas.items():
            lib.Srv_RegisterArea(self.server, 5 if kind == "db" else 2, n, area, len(area))
        self.call = self.CALL(self.event)
        lib.Srv_SetEventsCallback(self.server, self.call, None)
        lib.Srv_SetReadEventsCallback(self.server, self.call, None)
        lib.Srv_SetParam(self.server, 1, ctypes.byref(ctypes.c_uint16(self.port)))
        if lib.Srv_StartTo(self.server, b"127.0.0.1") != 0:
            raise OSError("snap7's server does not start")

    def event(self, _user, event, _size):
        e = event.contents
        if e.code == CONTROL:
            self.seen.append(["control", e.p1])
        elif e.code == DATA_READ and e.result == 0:
            self.seen.append(["read", e.p1, e.p2, e.p3, e.p4])

    def take(self):
        memory = {"%s%d" % k: bytes(a).hex() for k, a in self.areas.items()}
        for a in self.areas.values():
            ctypes.memset(a, 0, len(a))
        seen, self.seen = self.seen, []
        return {"memory": memory, "seen": seen}


class Python:
    """The server of python-snap7, which does not report reads."""

    def __init__(self, folder):
        import logging
        logging.disable(logging.CRITICAL)
        sys.path.insert(0, folder)
        from snap7.server import CPUState, Server
        from snap7.type import SrvArea
        self.cpu, self.server, self.port = CPUState, Server(log=False), free_port()
        self.areas = {("db", n): bytearray(size) for n, size in BLOCKS.items()}
        self.areas["flags", 0] = bytearray(FLAGS)
        for (kind, n), area in self.areas.items():
            self.server.register_area(SrvArea.DB if kind == "db" else SrvArea.MK, n, area)
        self.server.start(tcp_port=self.port)

    def take(self):
        memory = {"%s%d" % k: bytes(a).hex() for k, a in self.areas.items()}
        for a in self.areas.values():
            a[:] = bytes(len(a))
        seen = [] if self.server.cpu_state == self.cpu.RUN else [["control", 0]]
        self.server.cpu_state = self.cpu.RUN
        return {"memory": memory, "seen": seen}


def main():
    kind = {"snap7": Snap7, "python": Python}[sys.argv[1]]
    servers = [kind(sys.argv[2]) for _ in range(int(sys.argv[3]))]
    print(json.dumps([s.port for s in servers]), flush=True)
    for line in sys.stdin:
        print(json.dumps(servers[int(line)].take()), flush=True)


main()
