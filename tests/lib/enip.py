# SPDX-License-Identifier: Apache-2.0
"""EtherNet/IP with CIP, written from the specification: requests, and a controller with tags that
lists what it executed."""
import socket
import struct

import serving

ROUTER, MANAGER = b"\x20\x02\x24\x01", b"\x20\x06\x24\x01"


def message(command, data, handle=0, context=0, status=0):
    return struct.pack("<HHIIQI", command, len(data), handle, status, context, 0) + data


def register():
    return message(0x65, b"\1\0\0\0")


def request(handle, cip, context=1):
    return message(0x6F, struct.pack("<IHHHHHH", 0, 0, 2, 0, 0, 0xB2, len(cip)) + cip, handle, context)


def unit(handle, connection, sequence, cip):
    return message(0x70, struct.pack("<IHHHHIHHH", 0, 0, 2, 0xA1, 4, connection, 0xB1, len(cip) + 2, sequence) + cip, handle)


def service(code, path, data=b""):
    return bytes([code, len(path) // 2]) + path + data


def tag(name):
    return b"".join(bytes([0x91, len(p)]) + p.encode() + b"\0" * (len(p) % 2) for p in name.split("."))


def read(name):
    return service(0x4C, tag(name), b"\1\0")


def write(name, value):
    return service(0x4D, tag(name), struct.pack("<HHi", 0xC4, 1, value))


def several(parts):
    at, head = 2 + 2 * len(parts), struct.pack("<H", len(parts))
    for p in parts:
        head, at = head + struct.pack("<H", at), at + len(p)
    return head + b"".join(parts)


def sent_on(cip, route=b"\1\0"):
    return service(0x52, MANAGER, b"\5\x9d" + struct.pack("<H", len(cip)) + cip + b"\0" * (len(cip) % 2) +
                   bytes([len(route) // 2, 0]) + route)


def forward_open(serial, number, route=b"\1\0"):
    path = route + ROUTER
    return service(0x54, MANAGER, b"\7\xf9" + struct.pack("<IIHHIIIHIHBB", 0, number, serial, 0x4D, 77, 0, 8000, 0x43F4, 8000,
                                                          0x43F4, 0xA3, len(path) // 2) + path)


def forward_open_io(serial, number, out, into, points=(151, 150, 100), route=b"", kind=1, large=False, interval=20000, multiplier=0):
    """A connection for I/O of class `kind`: bytes in each direction, point-to-point; assemblies for
    configuration, output and input; a datagram every `interval` us; a timeout of 4 << multiplier
    intervals."""
    path = route + bytes([0x20, 4, 0x24, points[0], 0x2C, points[1], 0x2C, points[2]])
    way = (lambda n: struct.pack("<II", interval, 2 << 29 | n)) if large else (lambda n: struct.pack("<IH", interval, 2 << 13 | n))
    return service(0x5B if large else 0x54, MANAGER, b"\7\xf9" + struct.pack("<IIHHII", 0, number, serial, 0x4D, 77, multiplier) + way(out) + way(into) +
                   bytes([kind, len(path) // 2]) + path)


def forward_close(serial, route=b""):
    path = route + bytes([0x20, 4, 0x24, 151])
    return service(0x4E, MANAGER, b"\7\xf9" + struct.pack("<HHIBB", serial, 0x4D, 77, len(path) // 2, 0) + path)


def io(number, data, count=1):
    """A datagram of an I/O connection."""
    return struct.pack("<HHHIIHH", 2, 0x8002, 8, number, count, 0xB1, len(data)) + data


def io_of(datagram):
    """(number, data), or None."""
    if len(datagram) < 18 or struct.unpack_from("<HHH", datagram) != (2, 0x8002, 8):
        return None
    return struct.unpack_from("<I", datagram, 6)[0], datagram[18:]


def receive(s):
    """One whole message, or None at the end."""
    data = b""
    while len(data) < 24 or len(data) < 24 + struct.unpack_from("<H", data, 2)[0]:
        try:
            more = s.recv(4096)
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data


def handle_of(s):
    s.sendall(register())
    answer = receive(s)
    return struct.unpack_from("<I", answer, 4)[0] if answer else None


def status_of(answer):
    """The general status of a reply."""
    at = 40 if answer[0] == 0x6F else 46
    return answer[at + 2]


class Controller:
    """Tags of 32 bits. `done` lists every executed service in order, nested ones included."""

    def __init__(self):
        self.tags, self.done, self.written = {}, [], []

    def reply(self, code, data=b"", status=0):
        return bytes([code | 0x80, 0, status, 0]) + data

    def execute(self, cip, state):
        code, words = cip[0], cip[1]
        path, data = cip[2:2 + 2 * words], cip[2 + 2 * words:]
        if code == 0x52 and path == MANAGER:
            return self.execute(data[4:4 + struct.unpack_from("<H", data, 2)[0]], state)
        if code == 0x0A and path == ROUTER:
            n = struct.unpack_from("<H", data)[0]
            ends = list(struct.unpack_from("<%dH" % n, data, 2)) + [len(data)]
            return self.reply(0x0A, several([self.execute(data[a:b], state) for a, b in zip(ends, ends[1:])]))
        self.done.append(code)
        if code in (0x54, 0x5B):
            number, serial, vendor, opener = struct.unpack_from("<IHHI", data, 6)
            if data[34 if code == 0x54 else 38] & 15 == 3:
                state["connections"][0x1000 + serial] = number
            intervals = [struct.unpack_from("<I", data, at)[0] for at in (22, 28 if code == 0x54 else 30)]
            return self.reply(code, struct.pack("<IIHHIIIBB", 0x1000 + serial, number, serial, vendor, opener, *intervals, 0, 0))
        if code == 0x4E:
            return self.reply(code, data[2:10] + b"\0\0")
        if code == 0x4C:
            return self.reply(code, struct.pack("<Hi", 0xC4, self.tags.get(path, 0)))
        if code == 0x4D:
            self.tags[path] = struct.unpack_from("<i", data, 4)[0]
            self.written.append(self.tags[path])
            return self.reply(code)
        if code in (0x01, 0x0E):
            return self.reply(code, b"\1\0")
        return self.reply(code)

    def answer(self, m, state):
        """The controller's answer to a message in a session, whose connections are in `state`; b"":
        none."""
        command, handle, context = struct.unpack_from("<H", m)[0], *struct.unpack_from("<IIQ", m, 4)[::2]
        if command == 0x65:
            return message(0x65, b"\1\0\0\0", 0x5EC1, context)
        if command == 0x6F:
            return request(handle, self.execute(m[40:], state), context)
        if command == 0x70:
            number, sequence = struct.unpack_from("<I", m, 36)[0], struct.unpack_from("<H", m, 44)[0]
            return unit(handle, state["connections"][number], sequence, self.execute(m[46:], state))
        return b""

    def session(self, s):
        state = {"connections": {}}
        while True:
            m = receive(s)
            if m is None:
                return
            s.sendall(self.answer(m, state))

    def serve(self, listener):
        serving.each(listener, self.session)
