# SPDX-License-Identifier: Apache-2.0
import collections
import os
import re
import shutil
import subprocess

import wire

PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")

# For each file: "absent": what tshark counts and replay does not judge; "refused": what is refused
# although all of Modbus is allowed. Both by direction and function code, with the reason beside
# them.
FILES = {
    "ITI__ICS-Security-Tools/pcaps/ModbusTCP/Modbus/modbus_test.pcap": {},
    "OISF__suricata-verify/tests/modbus/modbus.pcap": {
        # one session of which only answers were captured
        "absent": {("s2c", 1): 5},
        # read device identification with an extra byte at its end
        "refused": {("c2s", 43): 2}},
    "apache__plc4x/protocols/modbus/src/test/resources/protocols/modbus/tcp/manual-test-capture.pcapng": {},
    "cisagov__icsnpp-modbus/testing/traces/modbus_example.pcap": {
        # file functions without a sub-request, and their echoes
        "refused": {("c2s", 20): 1, ("s2c", 20): 1, ("c2s", 21): 1, ("s2c", 21): 1}},
    "digitalbond__Quickdraw-Snort/modbus_test_data_part1.pcap": {
        # one session of which only answers were captured
        "absent": {("s2c", 1): 10, ("s2c", 42): 1},
        # as in Suricata's copy of the file
        "refused": {("c2s", 43): 2}},
    "digitalbond__Quickdraw-Snort/modbus_test_data_part2.pcap": {
        # function 0, quantity 0, missing or extra bytes: a scan of all codes with four zero bytes
        # after each. The device answers with exceptions, which are refused like their requests.
        "refused": {(d, f): 1 for d in ("c2s", "s2c") for f in (0, 1, 2, 3, 4, 6, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24)}},
    "digitalbond__Quickdraw-Snort/modicon_test.pcap": {
        # one exchange of 261 bytes: the specification ends at 260, so these are no Modbus frames
        "absent": {("c2s", 90): 1, ("s2c", 90): 1}},
    "zeek__zeek/testing/btest/Traces/modbus/4SICS-GeekLounge-151022-min.pcap": {
        # function 23 with quantities of 0 and 57121 registers; the device answers with an exception
        "refused": {("c2s", 23): 1, ("s2c", 23): 1}},
    "zeek__zeek/testing/btest/Traces/modbus/fuzz-1011.pcap": {
        # randomly changed sequence numbers: answers are megabytes ahead of their stream
        "order": "as captured",
        # 147 input registers, and their answer
        "refused": {("c2s", 4): 1, ("s2c", 4): 1}},
    "zeek__zeek/testing/btest/Traces/modbus/fuzz-72.pcap": {
        # random bytes everywhere in the TCP and Modbus headers, so the counts cannot be compared.
        # Answers without requests and broken frames are refused.
        "absent": None, "refused": None},
    "zeek__zeek/testing/btest/Traces/modbus/modbus-and-non-modbus-p502.pcap": {},
    "zeek__zeek/testing/btest/Traces/modbus/modbus-eit.pcap": {
        # an identification that announces no objects and has three extra bytes
        "refused": {("s2c", 43): 1}},
    "zeek__zeek/testing/btest/Traces/modbus/modbusBig.pcap": {},
    "zeek__zeek/testing/btest/Traces/modbus/modbusSmall.pcap": {},
}

READS = {1, 2, 3, 4}  # 20 and 24 are named only by their code

POLICY = """language_version = 1;
site = {{ name = "pcaps"; label = "pcaps"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "modbus"; ports = ["tcp/502"]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""


def policy(rows):
    return POLICY.format(allow="" if rows is None else "allow = ( %s );" % ", ".join("{ %s }" % r for r in rows))


def by_code(pdus):
    return dict(collections.Counter((p["dir"], p["function"]) for p in pdus))


def identity(p):
    return (p["client"], p["server"], p["n"], p["dir"], p["offset"])


def tshark(path, *fields, order="as sent"):
    # Every field of every PDU of a frame, in order. In all of these files, port 502 is the server.
    out = subprocess.run(["tshark", "-r", path, "-o", "tcp.reassemble_out_of_order:%s" % (order == "as sent"), "-Y", "modbus", "-T", "fields", "-E", "occurrence=a"] +
                         [x for f in fields for x in ("-e", f)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    return [[c.split(",") if c else [] for c in line.split("\t")] for line in out.decode().splitlines()]


def tshark_counts(path, order):
    counts = collections.Counter()
    for source, codes in tshark(path, "tcp.srcport", "modbus.func_code", order=order):
        for c in codes:
            counts[("s2c" if source == ["502"] else "c2s", int(c) & 127)] += 1
    return counts


def written_ranges(path):
    """The (first, number) of the ranges that function 23 writes. It has two ranges, and a PDU line
    shows only one."""
    return [(int(a[0]), int(n[0])) for codes, a, n in
            tshark(path, "modbus.func_code", "modbus.write_reference_num", "modbus.write_word_cnt")
            if codes == ["23"] and a and n]


def narrowest(requests, extra):
    """Rows that allow these requests and nothing else: one for each unit, function and run of
    addresses."""
    rows = set()
    for p in requests:
        row = "functions = [%d]; units = [%d];" % (p["function"], p["unit"])
        if p["space"] is None:
            rows.add(row)
        elif p["function"] == 23:
            ranges = ["%d-%d" % (a, a + n - 1) for a, n in extra + [(p["address"], p["count"])]]
            rows.add("%s holding = [%s];" % (row, ", ".join('"%s"' % r for r in sorted(ranges))))
        else:
            rows.add('%s %s = ["%d-%d"];' % (row, p["space"], p["address"], p["address"] + p["count"] - 1))
    return sorted(rows)


def shortened(rows):
    """The rows without the last address of the first range, and what these rows refuse; None when
    there is no range."""
    for row in rows:
        m = re.fullmatch(r'functions = \[(\d+)\]; units = \[(\d+)\]; (\w+) = \["(\d+)-(\d+)"\];', row)
        if m is None or m[1] == "23":
            continue
        function, unit, space, top = int(m[1]), int(m[2]), m[3], int(m[5])
        out = []
        for r in rows:
            k = re.fullmatch(r'functions = \[(\d+)\]; units = \[(\d+)\]; (\w+) = \["(\d+)-(\d+)"\];', r)
            if k is None or k.group(1, 2, 3) != m.group(1, 2, 3) or not int(k[4]) <= top <= int(k[5]):
                out.append(r)
                continue
            parts = ['"%d-%d"' % ab for ab in ((int(k[4]), top - 1), (top + 1, int(k[5]))) if ab[0] <= ab[1]]
            if parts:
                out.append("functions = [%d]; units = [%d]; %s = [%s];" % (function, unit, space, ", ".join(parts)))
        return out, lambda p: (p["function"], p["unit"], p["space"]) == (function, unit, space) and \
            p["address"] <= top < p["address"] + p["count"]
    return None


def refused_exactly(t, what, r, allowed, gone):
    """Of the allowed PDUs, exactly the requests that `gone` selects, and their answers, are refused
    now."""
    want = {identity(p) for p in allowed if gone(p)}
    judged = {identity(p): p["verdict"] for p in r.pdus}
    t.equal(what, sorted(i for i in map(identity, allowed) if judged.get(i) != "allow"), sorted(want))


def one_file(t, path, expected):
    name = os.path.basename(path)
    with open(path, "rb") as f:
        data = f.read()
    if b"\x7f\0\0\x01" in data:
        # A capture of a host's loopback, whose addresses no policy may contain.
        path = t.file("moved-" + name, data.replace(b"\x7f\0\0\x01", b"\x0a\x7f\0\x01"))

    def run(label, rows):
        return t.replay(path, policy=t.file("%s.%s.cfg" % (name, label), policy(rows)))

    whole = run("whole", None)
    counts = by_code(whole.pdus)
    if shutil.which("tshark") and expected.get("absent", {}) is not None:
        want = tshark_counts(path, expected.get("order", "as sent"))
        want.subtract(expected.get("absent", {}))
        t.equal(name + ": as many as tshark sees", counts, {k: v for k, v in want.items() if v})
    allowed = [p for p in whole.pdus if p["verdict"] == "allow"]
    refused = [p for p in whole.pdus if p["verdict"] != "allow"]
    t.equal(name + ": refused for what they are", {p["reason"] for p in refused} - {"modbus.malformed", "modbus.quantity", "modbus.coil", "modbus.field", "modbus.response"}, set())
    if expected.get("refused", {}) is not None:
        t.equal(name + ": only malformed ones refused", by_code(refused), expected.get("refused", {}))
    # Answers without a captured request tell nothing about addresses.
    allowed = [p for p in allowed if p["reason"] == "allowed"]
    requests = [p for p in allowed if p["dir"] == "c2s"]
    if not requests:
        return
    functions = sorted({p["function"] for p in requests})

    rows = narrowest(requests, written_ranges(path) if 23 in functions and shutil.which("tshark") else [])
    if 23 not in functions or shutil.which("tshark"):
        narrow = run("narrowest", rows)
        t.equal(name + ": narrowest policy", [identity(p) for p in narrow.pdus if p["reason"] == "allowed"],
                [identity(p) for p in allowed])
        less = shortened(rows)
        if less is not None and less[0]:
            refused_exactly(t, name + ": one address less", run("shortened", less[0]), allowed, less[1])

    every = "units = [\"0-255\"];"
    for f in functions:
        others = [str(x) for x in functions if x != f] or ["126"]
        refused_exactly(t, "%s: without function %d" % (name, f),
                        run("without-%d" % f, ["functions = [%s]; %s" % (", ".join(others), every)]), allowed,
                        lambda p, f=f: p["function"] == f)
    refused_exactly(t, name + ": reads only", run("reads", ['commands = ["read"]; ' + every]), allowed,
                    lambda p: p["function"] not in READS)


def cases(t):
    for path, expected in FILES.items():
        label = "pcaps: " + path
        if not os.path.isdir(PCAPS):
            t.skip(label, "../shared/pcaps is not there")
            continue
        if not shutil.which("tshark"):
            t.skip(label + ", counts", "tshark is not installed to count beside us")
        yield label, one_file, (t, os.path.join(PCAPS, path), expected)
