# SPDX-License-Identifier: Apache-2.0
"""nmap's scripts for controllers, through conduits that only read values: the scripts ask what the
device is, and rows have a word of their own for this (diagnose). Without this word only the
beginning of a script's session arrives at the device; with it the script shows what the device
is."""
import os
import shutil
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import enip  # noqa: E402
import s7  # noqa: E402
import serving  # noqa: E402
from box import conduit  # noqa: E402
from cases import Skip, expect  # noqa: E402
from melsec import refusals  # noqa: E402
from net import SLOWNESS, inside, sh, wait_for  # noqa: E402

OT = "10.73.0.9"  # a host of its own
MODULE, DRIVE, METER = b"6ES7 315-2EH14-0AB0 ", b"1756-L61/B", b"PM710"


class Device:
    """Answers known requests, and keeps all of them."""

    def __init__(self):
        self.asked = []

    def until_it_ends(self, s):
        try:
            self.session(s)
        except OSError:  # usually a reset
            pass
        finally:
            s.close()

    def serve(self, listener):
        serving.each(listener, self.until_it_ends)


class Meter(Device):
    def session(self, s):
        while True:
            m = s.recv(260)
            if not m:
                return
            self.asked.append(m[7])
            body = b"\x11" + bytes([len(METER) + 2]) + b"\xfa\xff" + METER if m[7] == 17 else \
                b"\x2b\x0e\x01\x01\0\0\1\0" + bytes([len(METER)]) + METER if m[7] == 43 else bytes([m[7] | 0x80, 1])
            s.sendall(m[:4] + struct.pack("!HB", len(body) + 1, m[6]) + body)


class Station(Device):
    def session(self, s):
        while True:
            p = s7.receive(s)
            if not p:
                return
            if p[5] == 0xE0:
                s.sendall(s7.connection(0xD0, struct.unpack("!H", p[8:10])[0], 0x100))
                continue
            m = p[7:]
            self.asked.append(s7.function_of(m))
            if m[1] == 7:
                szl = struct.pack("!HHHH", struct.unpack("!H", m[22:24])[0], 1, 28, 10) + (b"\0\1" + MODULE + bytes(6)) * 10
                s.sendall(s7.data(s7.message(7, 0, bytes([0, 1, 0x12, 8, 0x12, 0x84, m[16], 1, 0, 0, 0, 0]),
                                             b"\xff\x09" + struct.pack("!H", len(szl)) + szl)))
            else:
                s.sendall(s7.data(s7.message(3, 0, m[10:18])))


class Drive(Device):
    def session(self, s):
        while True:
            m = enip.receive(s)
            if not m:
                return
            self.asked.append(m[0])
            identity = struct.pack("<HHH", 1, 0x0C, 33 + len(DRIVE) + 1) + struct.pack("<H", 1) + struct.pack("!HH4s8x", 2, 44818, socket.inet_aton(OT)) + \
                struct.pack("<HHHBBHIB", 1, 14, 54, 20, 11, 0x3160, 0x12345678, len(DRIVE)) + DRIVE + b"\3"
            s.sendall(enip.message(0x63, identity, 0, struct.unpack_from("<Q", m, 12)[0]))


# Script, port, device, what the script shows of it; services that read and that diagnose; the
# reason for the refusal, and what arrives all the same.
SCRIPTS = (("modbus-discover", 502, Meter, METER, "read", "look", "modbus.function", []),
           ("s7-info", 102, Station, MODULE, "s7_read", "s7_look", "s7comm.function", [s7.SETUP]),
           ("enip-info", 44818, Drive, DRIVE, "logix_read", "logix_look", "enip.function", []))


def put_up(box, port):
    with inside(box.ns("ot")):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((OT, port))
    s.listen(64)
    return s


def scan(box, script, port):
    with inside(box.ns("ops")):
        r = subprocess.run(["nmap", "-n", "-Pn", "-sT", "--max-retries", "1", "-p", str(port), "--script", script, "--script-timeout", "%ds" % (10 * SLOWNESS), OT],
                           capture_output=True, timeout=60 * SLOWNESS)
    expect(r.returncode == 0 and b"%d/tcp open" % port in r.stdout, "%s: %s", script, r.stdout + r.stderr)
    return r.stdout


def scripts_of_a_scanner(box):
    if shutil.which("nmap") is None:
        raise Skip("nmap is not installed")
    sh("ip", "address", "replace", OT + "/24", "dev", "eth0", ns=box.ns("ot"))
    for script, port, device, told, reads, looks, reason, arrives in SCRIPTS:
        # a new daemon has its whole budget of records; a script that tries all units uses much of
        # it
        box.kill()
        box.start()
        listener, d = put_up(box, port), device()
        d.serve(listener)
        box.apply(conduit("scanned", "ops", "ot", [reads], criticality="cargo"))
        seq = box.last_seq()
        said = scan(box, script, port)
        expect(told.strip() not in said, "%s told through a conduit that reads: %s", script, said)
        expect(set(d.asked) == set(arrives), "%s: arrived %s", script, d.asked)
        wait_for(lambda: refusals(box, seq, reason), 5, "the event %s" % reason)
        box.apply(conduit("scanned", "ops", "ot", [looks], criticality="cargo"))
        said = scan(box, script, port)
        expect(told.strip() in said, "%s, allowed to look, told %s; asked %s", script, said, d.asked)
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    box.kill()
    box.start()
    return "%d scripts, each refused and allowed" % len(SCRIPTS)


CASES = [scripts_of_a_scanner]
