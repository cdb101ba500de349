# SPDX-License-Identifier: Apache-2.0
"""A BACnet/IP device in a network namespace that has only a loopback.

    unshare -rn victim.py COMMAND...      {port} in COMMAND becomes the port to listen on

The device reads one datagram after the other: once it has answered a question on another socket, it
has read what came before. A session consists of datagrams. The report lists what the device did:
    [object, property, before, after]      a value changed; the values are in hex
    ["ack", service]                       it says that it carried this out
    ["clock"]                              its clock was set
    ["table", function]                    a table of the link layer changed
    ["silent"]                             it gives no answer
    ["unread"]                             its answer cannot be read"""
import datetime
import os
import socket
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "..", "lib"), os.path.join(HERE, "..", "..")]
import bacnet  # noqa: E402
from victims import WHERE, Victim, is_told, serve  # noqa: E402

DEVICE, ALL = (bacnet.DEVICE, 4194303), 8
OBJECT_LIST, DATE, TIME, PRIORITIES, PRESENT, CURRENT_PRIORITY = 76, 56, 57, 87, 85, 431
SUBSCRIPTIONS = 152  # a subscription counts as a read
# Policies name several outputs, so there are several; some of them have a commanded value.
OUTPUTS = [(bacnet.AO, n) for n in range(1, 7)]
COMMANDED = [*OUTPUTS[:5], (bacnet.AV, 1), (bacnet.AV, 2)]
# Properties that change by themselves, by type and property: times, a schedule, an average, lamps
# that come on.
BY_ITSELF = {(bacnet.DEVICE, DATE), (bacnet.DEVICE, TIME), (bacnet.DEVICE, SUBSCRIPTIONS), (17, 85), (18, 124), (54, 378), (63, 164), (63, 4194334), (64, 164),
             (64, 4194334)}
TABLES = (2, 6)  # of the link layer: broadcast distribution table, foreign devices
FOREIGN = 10     # bytes of one foreign device; the last two are the remaining seconds


def again(nodes):
    """Encodes nodes, so that bacnet.tree reads them from the bytes."""
    out = b""
    for n in nodes:
        if n.kind == "o":
            out += bacnet.con(n.number, again(n.content))
        elif n.kind == "a" and n.number == 1:
            out += bacnet.boolean(n.content[0])
        else:
            out += bacnet.tag(n.number, n.kind == "c", n.content)
    return out


def results(answer):
    """The results of a ReadPropertyMultiple of one object: the value or the error in hex, by
    property and index."""
    f = bacnet.Fields(bacnet.tree(answer)[0])
    f.take("c", 0)
    f, out = f.take("o", 1), {}
    while f.nodes:
        key = f.number(2), f.may_number(3)
        out[key] = again(f.nodes.pop(0).content).hex()
    return out


class Device(Victim):
    def __init__(self, command):
        super().__init__("device", 0, 5.0)
        self.command, self.control, self.invoke = command, None, 0

    def socket(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.connect((WHERE, self.port))
        s.settimeout(self.patience)
        return s

    def send(self, b, is_answer):
        self.control.send(b)
        end = time.monotonic() + self.patience
        while time.monotonic() < end:
            a = self.control.recv(2048)
            if is_answer(a):
                return a
        raise TimeoutError

    def asked(self, request):
        """The APDU of the answer."""
        self.invoke = self.invoke % 255 + 1
        is_answer = lambda a: a[4:6] == b"\1\0" and a[6] >> 4 in (2, 3, 5, 6, 7) and a[7] == self.invoke
        return self.send(bacnet.ask(request, self.invoke), is_answer)[6:]

    def listens(self):
        if self.process.poll() is not None:
            raise OSError("the device ended before it listened")
        try:
            return self.asked(bacnet.read(DEVICE, OBJECT_LIST, 0))[0] >> 4 == 3
        except OSError:
            return False

    def put_up(self):
        self.end()
        if self.control:
            self.control.close()
        for name in os.listdir():
            os.unlink(name)
        self.next_port()
        self.control = self.socket()
        self.start([x.replace("{port}", str(self.port)) for x in self.command])
        for o in OUTPUTS:
            self.asked((10, bacnet.con(0, bacnet.ctx(1, bacnet.oid(*o)))))
        for o in COMMANDED:
            self.asked(bacnet.write(o, bacnet.real(3.0), priority=9))
        self.objects = self.list()
        self.before = self.state()

    def list(self):
        """The numbers of the objects."""
        b = bytes.fromhex(results(self.asked(bacnet.read_multiple([(DEVICE, [(OBJECT_LIST, None)])]))[3:])[OBJECT_LIST, None])
        return [int.from_bytes(n.content, "big") for n in bacnet.tree(b)[0]]

    def read(self, obj):
        """The answer's data of all properties of an object."""
        return self.asked(bacnet.read_multiple([(divmod(obj, 1 << 22), [(ALL, None)])]))[3:]

    def state(self):
        out = {obj: self.read(obj) for obj in self.objects}
        for function in TABLES:
            b = self.send(bacnet.bvlc(function, b""), lambda a, function=function: a[1] in (0, function + 1))[4:]
            out[-function] = b if function == 2 else b"".join(b[k:k + FOREIGN - 2] for k in range(0, len(b), FOREIGN))
        return out

    def is_late(self, date, clock):
        (year, month, day, _), (hour, minute, second, _) = bytes.fromhex(date)[1:], bytes.fromhex(clock)[1:]
        try:
            told = datetime.datetime(1900 + year, month, day, hour, minute, second)
        except ValueError:
            return True
        return abs(told - datetime.datetime.now()) > datetime.timedelta(minutes=2)

    def differs(self, obj, before, after):
        """[object, property, before, after]"""
        if obj < 0:
            return [["table", -obj]]
        old, new = results(before), results(after)
        kind = obj >> 22
        out = [[obj, p, old.get((p, i)), new.get((p, i))] for p, i in {**old, **new}
               if old.get((p, i)) != new.get((p, i)) and (kind, p) not in BY_ITSELF]
        if kind == bacnet.DEVICE and self.is_late(new[DATE, None], new[TIME, None]):
            out.append(["clock"])
        return out

    def changes(self):
        after = self.state()
        return [x for obj, b in after.items() if b != self.before[obj] or obj >> 22 == bacnet.DEVICE for x in self.differs(obj, self.before[obj], b)]

    def undone(self, changes):
        """Restores the old values by writing them. Returns whether everything is as before;
        otherwise a new device has to be started."""
        if any(len(x) < 4 or x[2] is None or x[3] is None for x in changes):
            return False
        for obj, prop, before, after in changes:
            o, has_priorities = divmod(obj, 1 << 22), any(x[:2] == [obj, PRIORITIES] for x in changes)
            if prop == PRIORITIES:
                slots = [[again([n]) for n in bacnet.tree(bytes.fromhex(b))[0]] for b in (before, after)]
                for k, (was, now) in enumerate(zip(*slots)):
                    if was != now:
                        self.asked(bacnet.write(o, was, priority=k + 1))
            elif not (has_priorities and prop in (PRESENT, CURRENT_PRIORITY)):
                self.asked(bacnet.write(o, bytes.fromhex(before), prop))
        return not self.changes()

    def did(self):
        """None: the device has ended."""
        out = None
        try:
            out = self.changes()
            if not out or self.undone(out):
                return out
        except OSError:
            if self.process.poll() is None:
                out = out or [["silent"]]
        except bacnet.Bad:
            out = out or [["unread"]]
        self.put_up()
        return out


def done(answer):
    """The service that the device says it has carried out, if it is more than reading or
    diagnosis."""
    r = bacnet.parse(answer)
    if r is None or r["type"] not in (2, 3) or r["choice"] in bacnet.READS | bacnet.DIAGNOSES:
        return []
    return [["ack", r["choice"]]]


def tell(device, job):
    turns, said, silent = [], [], False
    with device.socket() as s:
        for kind, text, _ in job["turns"]:
            answers = b""
            if is_told(job["keep"], turns):
                try:
                    s.send(bytes.fromhex(text))
                    if not silent:
                        device.asked(bacnet.read(DEVICE, PRIORITIES))
                except OSError:  # it has ended, or was told to be silent
                    silent = True
                s.setblocking(False)
                try:
                    while True:
                        more = s.recv(2048)
                        said += done(more)
                        answers = answers or more
                except OSError:
                    pass
            turns.append([kind, text, answers.hex()])
    did = device.did()
    return {"turns": turns, "closed": False, "did": None if did is None else did + said}


# because the device writes files to its working directory
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    serve(Device(sys.argv[1:]), tell)
