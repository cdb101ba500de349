# SPDX-License-Identifier: Apache-2.0
"""OPC UA over TCP by hand, written from OPC 10000-4 and 10000-6 without the product's code:
messages, chunks, built-in types; requests with what they touch and write; and the two ends of a
session, which number what they send."""
import struct

NONE = "http://opcfoundation.org/UA/SecurityPolicy#None"
BASIC256SHA256 = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
FAULT, SECURED, WRITE_ATTRIBUTE, HELLO, ACKNOWLEDGE, ERROR = 397, 200010, 100673, 200001, 200002, 200003
# The classes of services in the product's reference.
READS = {527, 533, 554, 560, 566, 615, 621, 631, 664, 751, 763, 769, 775, 781, 787, 793, 799, 826, 832, 841, 847}
WRITES = {673, 700}
CONTROLS = {712}
PROGRAMS = {437, 488, 494, 500, 506, 12211, WRITE_ATTRIBUTE}
DIAGNOSES = {422, 428, 12208}
SETUP = {446, 452, 461, 467, 473, 479}
COMMANDS = READS | WRITES | CONTROLS | PROGRAMS | DIAGNOSES


def answer_of(request):
    return request + (1 if request > 12000 else 3)


# ---- built-in types ------------------------------------------------------------------------------

def string(s):
    return b"\xff\xff\xff\xff" if s is None else struct.pack("<i", len(s)) + (s if isinstance(s, bytes) else s.encode())


def node(ns, ident, form=None):
    """A node id. `ident` is a number (in the shortest form, or in `form`), a text, or 16 bytes."""
    if isinstance(ident, str):
        return struct.pack("<BH", 3, ns) + string(ident)
    if isinstance(ident, bytes):
        return struct.pack("<BH", 4, ns) + ident
    form = form if form is not None else 0 if ns == 0 and ident < 256 else 1 if ns < 256 and ident < 65536 else 2
    return struct.pack(*(("<BB", 0, ident), ("<BBH", 1, ns, ident), ("<BHI", 2, ns, ident))[form])


def array(items):
    return struct.pack("<i", len(items)) + b"".join(items)


def qualified(ns=0, name=None):
    return struct.pack("<H", ns) + string(name)


EXTENSION = node(0, 0) + b"\0"
SCALARS = {1: "<?", 2: "<b", 3: "<B", 4: "<h", 5: "<H", 6: "<i", 7: "<I", 8: "<q", 9: "<Q", 10: "<f", 11: "<d"}


def variant(kind, value):
    return bytes([kind]) + (struct.pack(SCALARS[kind], value) if kind in SCALARS else string(value))


def data_value(v, status=None, source=None):
    return bytes([1 | (status is not None) * 2 | (source is not None) * 4]) + v + (struct.pack("<I", status) if status is not None else b"") + \
        (struct.pack("<q", source) if source is not None else b"")


# ---- messages ------------------------------------------------------------------------------------

def frame(letters, body, chunk="F"):
    return (letters + chunk).encode() + struct.pack("<I", 8 + len(body)) + body


def hello(url="opc.tcp://10.30.1.10:4840"):
    return frame("HEL", struct.pack("<IIIII", 0, 65535, 65535, 0, 0) + string(url))


def acknowledge():
    return frame("ACK", struct.pack("<IIIII", 0, 65535, 65535, 0, 0))


def error(code=0x807E0000):
    return frame("ERR", struct.pack("<I", code) + string("no"))


def request(service, body, handle=1, token=node(0, 0)):
    """The body of a request, from its node id on. It has a time, because some servers refuse
    requests without one."""
    return node(0, service) + token + struct.pack("<qII", 134 * 10**15, handle, 0) + string(None) + struct.pack("<I", 10000) + EXTENSION + body


def answer(service, body=b"", status=0, handle=1):
    return node(0, service) + struct.pack("<qII", 0, handle, status) + b"\0" + array([]) + EXTENSION + body


def opens(renew=False, mode=1):
    return request(446, struct.pack("<III", 0, int(renew), mode) + string(None) + struct.pack("<I", 3600000))


def opened(channel=7, token=1):
    return answer(449, struct.pack("<IIIqI", 0, channel, token, 0, 3600000) + string(None))


class Ends:
    """Both ends of a channel: sequence numbers, numbers of requests."""

    def __init__(self, channel=7, token=1):
        self.channel, self.token, self.request = channel, token, 0
        self.sent = {"c": 50, "s": 0}

    def numbers(self, end, n):
        self.sent[end] += 1
        return struct.pack("<II", self.sent[end], n)

    def _message(self, letters, end, body, n, parts, numbers):
        size = -(-len(body) // parts)
        out = [body[i:i + size] for i in range(0, max(len(body), 1), max(size, 1))]
        return b"".join(frame(letters, struct.pack("<II", self.channel, self.token) + (numbers or self.numbers(end, n)) + part, "F" if part is out[-1] else "C")
                        for part in out)

    def ask(self, body, parts=1, numbers=None):
        self.request += 1
        return self._message("MSG", "c", body, self.request, parts, numbers)

    def tell(self, body, n=None, parts=1, numbers=None):
        return self._message("MSG", "s", body, n or self.request, parts, numbers)

    def open(self, renew=False, policy=NONE, body=None):
        self.request += 1
        return frame("OPN", struct.pack("<I", self.channel if renew else 0) + string(policy) + string(None) * 2 + self.numbers("c", self.request) + (body or opens(renew)))

    def told_open(self, policy=NONE, body=None):
        return frame("OPN", struct.pack("<I", self.channel) + string(policy) + string(None) * 2 + self.numbers("s", self.request) +
                     (body or opened(self.channel, self.token)))

    def close(self):
        self.request += 1
        return self._message("CLO", "c", request(452, b""), self.request, 1, None)

    def begin(self):
        """What each end says until the channel is open, in turns."""
        return [(hello(), acknowledge()), (self.open(), self.told_open())]


# ---- a server ------------------------------------------------------------------------------------

def split(stream):
    """Whole messages of a stream, and what is left."""
    out = []
    while len(stream) >= 8 and 8 <= struct.unpack_from("<I", stream, 4)[0] <= len(stream):
        n = struct.unpack_from("<I", stream, 4)[0]
        out.append(stream[:n])
        stream = stream[n:]
    return out, stream


def speak(changes):
    """A session, for serving.each, of a server whose every node holds 5. Chunks are put together;
    what is asked beyond reading is kept in `changes`."""
    def session(s):
        stream, ends, parts = b"", Ends(), b""
        try:
            while data := s.recv(65536):
                whole, stream = split(stream + data)
                for m in whole:
                    kind = m[:3]
                    if kind == b"HEL":
                        s.sendall(acknowledge())
                    elif kind == b"OPN":
                        ends.request, = struct.unpack_from("<I", m, 12 + 4 + struct.unpack_from("<i", m, 12)[0] + 12)
                        s.sendall(ends.told_open())
                    elif kind == b"MSG":
                        parts += m[24:]
                        if m[3:4] == b"F":
                            ends.request, = struct.unpack_from("<I", m, 20)
                            service, asked, parts = struct.unpack_from("<H", parts, 2)[0], parts, b""
                            if service == 631:
                                s.sendall(ends.tell(answer(634, array([data_value(variant(6, 5))]))))
                            else:
                                changes.append(asked)
                                s.sendall(ends.tell(answer(answer_of(service), array([struct.pack("<I", 0)]) + array([]))))
        except (OSError, struct.error):
            pass
        finally:
            s.close()

    return session


# ---- requests ------------------------------------------------------------------------------------

def read(nodes, attribute=13):
    return request(631, struct.pack("<dI", 0, 2) + array([n + struct.pack("<I", attribute) + string(None) + qualified() for n in nodes]))


def write(items, attribute=13, index=None):
    """items: (node, data value)"""
    return request(673, array([n + struct.pack("<I", attribute) + string(index) + v for n, v in items]))


def call(calls):
    """calls: (object, method, [variant])"""
    return request(712, array([o + m + array(a) for o, m, a in calls]))


def browse(nodes):
    return request(527, node(0, 0) + struct.pack("<qI", 0, 0) + struct.pack("<I", 0) + array([n + struct.pack("<I", 0) + node(0, 33) + struct.pack("<?II", True, 0, 63) for n in nodes]))


def monitor(nodes, subscription=1, attribute=13):
    return request(751, struct.pack("<II", subscription, 2) + array(
        [n + struct.pack("<I", attribute) + string(None) + qualified() + struct.pack("<IId", 2, 1, 100.0) + EXTENSION + struct.pack("<I?", 1, True) for n in nodes]))


def create_session():
    application = string("urn:tos") + string("urn:tos") + b"\2" + string("tos") + struct.pack("<I", 1) + string(None) * 2 + array([])
    return request(461, application + string(None) + string("opc.tcp://10.30.1.10:4840") + string("s") + string(bytes(32)) + string(None) + struct.pack("<dI", 60000.0, 0))


def activate():
    return request(467, string(None) * 2 + array([]) + array([]) + EXTENSION + string(None) * 2)


def endpoints():
    return request(428, string("opc.tcp://10.30.1.10:4840") + array([]) + array([]))


def create_subscription():
    return request(787, struct.pack("<dIIIBB", 100.0, 1000, 10, 0, 1, 0))


def publish():
    return request(826, array([]))


def add_node(parent, new, kind, form, attributes, of_type):
    """Adds a node as a component of `parent`. `form`: the type of its attributes."""
    return request(488, array([b"".join((parent, node(0, 47), new, qualified(1, "x"), struct.pack("<I", kind), form + b"\1", string(attributes), of_type))]))


def delete_nodes(nodes):
    return request(500, array([n + b"\1" for n in nodes]))


def in_rows(value):
    """A value as rows of policies write it: negative ones plus 2^32."""
    return value if value >= 0 else value + (1 << 32) if value >= -(1 << 31) else 1 << 64
