# SPDX-License-Identifier: Apache-2.0
"""The wires at a machine's two cards, from power-on to power-off: hosts there send frames of every
kind to the other side without a pause, answer questions for their addresses, and count the frames
that arrive at the other end."""
import os
import select
import socket
import struct
import threading
import time

MAC = ("52:54:00:53:4b:01", "52:54:00:53:4b:02")  # the MAC addresses of the machine's cards
PEER = (b"\x02\x53\x4b\0\0\x01", b"\x02\x53\x4b\0\0\x02")
V4, V6 = ("10.1.0.9", "10.2.0.9"), ("2001:db8:1::9", "2001:db8:2::9")
# the machine's addresses
OWN = (("10.1.0.1/24", "2001:db8:1::1/64"), ("10.2.0.1/24", "2001:db8:2::1/64"))
# seconds between frames of a kind; a machine whose seconds take long here gets more frames in its
# own time
EVERY = 0.2
# name: the sending side, IP version, protocol, destination port. The policy of units/install.py
# only allows the first one.
ALLOWED = "TCP that the policy allows"
KINDS = {ALLOWED: (0, 4, 6, 9000), "the same from the other side": (1, 4, 6, 9000), "the same over IPv6": (0, 6, 6, 9000),
         "TCP to another port": (0, 4, 6, 9001), "UDP": (0, 4, 17, 9000), "UDP from the other side": (1, 4, 17, 9000),
         "ping": (0, 4, 1, 0), "UDP over IPv6": (0, 6, 17, 9000)}


def checksum(data):
    total = sum(struct.unpack("!%dH" % ((len(data) + 1) // 2), data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return 0xffff & ~total


def packed(version, address):
    return socket.inet_pton(socket.AF_INET if version == 4 else socket.AF_INET6, address)


def mac(text):
    return bytes(int(x, 16) for x in text.split(":"))


def frame(kind, number):
    """The kind is in the source port, or in the number of a ping."""
    side, version, protocol, target_port = list(KINDS.values())[kind]
    source, target = (packed(version, (V4 if version == 4 else V6)[x]) for x in (side, 1 - side))
    mark = 20000 + 1000 * kind
    port = mark + number % 1000
    if protocol == 6:
        body, at = struct.pack("!HHIIBBHHH", port, target_port, number, 0, 0x50, 2, 8192, 0, 0), 16
    elif protocol == 17:
        body, at = struct.pack("!HHHH", port, target_port, 12, 0) + b"wire", 6
    else:
        body, at = struct.pack("!BBHHH", 8, 0, 0, mark, number & 0xffff), 2
    pseudo = b"" if protocol == 1 else source + target + struct.pack("!HH" if version == 4 else "!II", *((protocol, len(body)) if version == 4 else (len(body), protocol)))
    body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]
    if version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number & 0xffff, 0x4000, 64, protocol, 0, source, target)
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    else:
        head = struct.pack("!IHBB16s16s", 6 << 28, len(body), protocol, 64, source, target)
    return mac(MAC[side]) + PEER[side] + struct.pack("!H", 0x800 if version == 4 else 0x86dd) + head + body


def kind_of(data):
    """The kind of a received frame; None: not one of ours."""
    version = {b"\x08\0": 4, b"\x86\xdd": 6}.get(data[12:14])
    if version is None or len(data) < 42:
        return None
    protocol, source, body = (data[23], data[26:30], data[34:]) if version == 4 else (data[20], data[22:38], data[54:])
    mark = struct.unpack("!H", body[4:6] if protocol == 1 else body[:2])[0] if len(body) > 7 else 0
    number = (mark - 20000) // 1000
    if not 0 <= number < len(KINDS):
        return None
    side, its_version, its_protocol, _ = list(KINDS.values())[number]
    return number if (its_version, its_protocol, packed(version, (V4 if version == 4 else V6)[side])) == (version, protocol, source) else None


def answer(side, data):
    """The answer to an ARP request or a neighbour solicitation for the address of this side's
    host."""
    if data[12:14] == b"\x08\x06" and data[20:22] == b"\0\x01" and data[38:42] == packed(4, V4[side]):
        return data[6:12] + PEER[side] + data[12:20] + b"\0\x02" + PEER[side] + data[38:42] + data[22:32]
    own = packed(6, V6[side])
    if data[12:14] == b"\x86\xdd" and data[20] == 58 and data[54] == 135 and data[62:78] == own:
        body = struct.pack("!BBHI16sBB6s", 136, 0, 0, 0x60000000, own, 2, 1, PEER[side])
        body = body[:2] + struct.pack("!H", checksum(own + data[22:38] + struct.pack("!II", len(body), 58) + body)) + body[4:]
        return data[6:12] + PEER[side] + b"\x86\xdd" + struct.pack("!IHBB16s16s", 6 << 28, len(body), 58, 255, own, data[22:38]) + body
    return None


class Wires:
    """Starts at its creation. `arguments` are those of qemu. After close(), `sent` and `came` have
    the numbers by kind. Frames that the machine's card could not accept, because it did not exist
    yet, do not count as sent. told_off() keeps what had arrived when the machine was told to turn
    off."""

    def __init__(self, folder):
        self.before = None
        self.sent, self.came, self.sockets, self.paths, self.arguments = [0] * len(KINDS), [0] * len(KINDS), [], [], []
        for side in (0, 1):
            path = os.path.join(folder, "wire%d" % side)
            for p in (path, path + ".card"):
                if os.path.exists(p):
                    os.remove(p)
            s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            s.bind(path)
            s.setblocking(False)
            self.sockets.append(s)
            self.paths.append(path + ".card")
            self.arguments += ["-netdev", "dgram,id=w%d,local.type=unix,local.path=%s.card,remote.type=unix,remote.path=%s" % (side, path, path),
                               "-device", "virtio-net-pci,netdev=w%d,mac=%s,romfile=" % (side, MAC[side])]
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _send(self, side, data):
        try:
            self.sockets[side].sendto(data, self.paths[side])
            return True
        except OSError:  # the card does not exist, or its queue is full
            return False

    def _hear(self, side):
        while True:
            try:
                data = self.sockets[side].recv(65536)
            except OSError:
                return
            said, kind = answer(side, data), kind_of(data)
            if said:
                self._send(side, said)
            if kind is not None and list(KINDS.values())[kind][0] != side:
                self.came[kind] += 1

    def _run(self):
        number, due = 0, time.monotonic()
        while not self.ends.is_set():
            for s in select.select(self.sockets, [], [], max(0.0, due - time.monotonic()))[0]:
                self._hear(self.sockets.index(s))
            if time.monotonic() < due:
                continue
            for kind, (side, *_) in enumerate(KINDS.values()):
                self.sent[kind] += self._send(side, frame(kind, number))
            number, due = number + 1, time.monotonic() + EVERY

    def told_off(self):
        self.before = list(self.came)

    def close(self):
        self.ends.set()
        self.thread.join()
        for side, s in enumerate(self.sockets):
            self._hear(side)  # frames that were on their way when the power failed
            s.close()

    def told(self):
        """For each kind, how many of the sent frames arrived, and how many of these while the
        machine turned off."""
        return "; ".join("%s: %d of %d, %d at the end" % (name, came, sent, came - before)
                         for name, came, sent, before in zip(KINDS, self.came, self.sent, self.before or self.came))
