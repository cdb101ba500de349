# SPDX-License-Identifier: Apache-2.0
import collections
import importlib.util
import os
import random
import sys

import recut
import wire

sys.path.insert(0, os.path.join(os.path.dirname(wire.__file__), "..", "lib"))
import slmp  # noqa: E402

CASES = os.path.join(os.path.dirname(wire.__file__), "cases")
PCAPS = os.path.join(os.path.dirname(wire.__file__), "..", "..", "..", "shared", "pcaps")


def files_of(name):
    """The captures that another case reads."""
    spec = importlib.util.spec_from_file_location("files_" + name, os.path.join(CASES, name, "case.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return list(module.FILES)


ALL = bool(os.environ.get("SEKISHO_ALL"))
# sessions with at most so many segments and captures with so many packets, unless all are tested
FEW = 400

PROTOCOLS = {  # port, UDP ports
    "modbus": (502, (502,)), "enip": (44818, (44818, 2222)), "s7comm": (102, ()), "slmp": (5007, (5008,)), "fins": (9600, (9600,)),
    "dnp3": (20000, (20000,)),
}
FRAMES = "fa-yoshinobu__plc-comm-slmp-python/slmp_frames_r08cpu_r00cpu.tsv"
# The answers in these captures belong to other requests, or are no DNP3, and this ends a session.
# When everything is asked at once, more requests pass before that end.
LIES = "cisagov__icsnpp-omron-fins/testing/traces/omron_fins_tcp_commands_responses.pcap"
NONSENSE = "ITI__ICS-Security-Tools/pcaps/openics/DNP3-SelectOperate.pcap"
# Nobody answers in this capture: after sixteen requests the others have to wait, and are not sent
# again. In one segment, all of them are judged.
FLOOD = "OISF__suricata-verify/tests/dnp3/dnp3-flood/input.pcap"
UNFIT = {LIES: ("at once",), NONSENSE: ("at once",), FLOOD: ("at once", "in one")}
TSN = "nttcom__zeek-parser-CCLinkTSNSLMP/testing/Traces/test.pcap"

POLICY = """language_version = 1;
site = {{ name = "pcaps"; label = "pcaps"; }};
zones = {{ all = {{ interfaces = ["lan0"]; networks = ["rest"]; class = "ot"; owner = "tests"; }}; }};
services = {{ plc = {{ protocol = "{protocol}"; ports = [{ports}]; {allow} }}; }};
conduits = ( {{ name = "all"; from = "all"; to = "all"; services = ["plc"]; purpose = "tests"; owner = "tests";
               review_by = "2099-01-01"; }} );
"""
# Everything of a protocol allowed, and reads only.
ROWS = {"all": "", "reads": 'allow = ( { commands = ["read"]; } );'}

# With these ways of cutting, all that passed before has to pass again, except what is refused for
# the reasons in STRICTER.
EXACT = {"before each end", "at each end", "behind each end", "around each end", "a byte each", "in one", "repeated"}
# Reasons for which cut requests are refused. EtherNet/IP: the first bytes of a header come alone,
# and OpENer would lose its position. FINS: a command may have more parameters than have arrived so
# far.
STRICTER = {"enip": "enip.cut", "fins": "fins.cut"}


def policy(t, protocol, rows):
    port, datagrams = PROTOCOLS[protocol]
    ports = ", ".join(['"tcp/%d"' % port] + ['"udp/%d"' % p for p in datagrams])
    return t.file("%s.%s.cfg" % (protocol, rows), POLICY.format(protocol=protocol, ports=ports, allow=ROWS[rows]))


def read(t, protocol, path):
    """The packets of a capture; for captures of other link types, a session made of their
    frames."""
    if path == FRAMES:
        out = []
        s = wire.Session(out, "10.7.0.1", 40000, "10.7.0.2", 5007).open()
        with open(os.path.join(PCAPS, path), encoding="ascii") as f:
            for line in f:
                if not line.startswith("#"):
                    b = bytes.fromhex(line.split("\t")[1])
                    (s.ask if slmp.parse(b)["asks"] else s.answer)(b)
        return out
    # A capture of a host's loopback, whose addresses no policy may contain.
    return [p if p[:1] != b"E" else p[:12] + p[12:20].replace(b"\x7f\0\0\x01", b"\x0a\x7f\0\x01") + p[20:]
            for p in recut.packets(os.path.join(PCAPS, path))]


def judged(t, name, out, cfg, mode):
    """Each PDU's (function, verdict, reason) by its position, and each flow's verdict."""
    r = t.replay(t.file(name + ".pcap", wire.pcap(out, step=20_000)), mode, policy=cfg)
    pdus = collections.OrderedDict(((p["client"], p["n"], p["dir"], p["offset"], p["length"]), (p["function"], p["verdict"], p["reason"]))
                                   for p in r.pdus)
    return pdus, {(f["client"], f["n"]): f["verdict"] for f in r.flows}


def looser(want, got, whole, answers):
    """What passes now and did not before. For an incomplete session: the requests that pass, where
    the same PDU was found before."""
    return [(k, v, want.get(k)) for k, v in got.items() if v[1] == "allow" and (answers or k[2] == "c2s") and
            (want.get(k, [0, 0])[1] != "allow" if whole else k in want and k[2] == "c2s" and want[k][1] != "allow")]


def in_a_row(want):
    """PDUs before the first gap in their direction. After a gap, a replay looks for a segment that
    begins with a PDU."""
    nexts, out = {}, []
    for k in sorted(want, key=lambda k: k[3]):
        if k[3] == nexts.setdefault(k[:3], 0):
            nexts[k[:3]] += k[4]
            out.append(k)
    return out


def compare(t, what, protocol, base, new, cfg, mode, whole, exact, answers=True):
    """How many PDUs both replays found, and how many of them pass. `answers`: the answers belong to
    the same requests in both."""
    want, flows = judged(t, what + ".uncut", base, cfg, mode)
    got, verdicts = judged(t, what, new, cfg, mode)
    t.equal(what + ": looser", looser(want, got, whole, answers)[:5], [])
    if whole:
        t.equal(what + ": flows looser", [f for f, v in verdicts.items() if v == "allow" and flows.get(f) != "allow"], [])
    if exact:
        # such a session has ended
        cut = {k[:2] for k, v in got.items() if v[2] == STRICTER.get(protocol)}
        off = [(k, got.get(k), want[k]) for k in in_a_row(want) if want[k][1] == "allow" and got.get(k) != want[k] and k[:2] not in cut]
        t.equal(what + ": others", (len(off), off[:5]), (0, []))
    passes = lambda pdus: sum(v[1] == "allow" for v in pdus.values())
    t.tally.update(before=len(want), after=len(got), passed_before=passes(want), passes=passes(got))


def one(t, protocol, path, how, seed):
    rng = recut.seeded(seed, path, how)
    found, label, port = read(t, protocol, path), os.path.basename(path), PROTOCOLS[protocol][0]
    said = recut.sessions(found, port)
    if not ALL:
        found = found[:FEW]
        for s in said:
            del s.said[FEW:]
    for rows in ROWS:
        cfg = policy(t, protocol, rows)
        what = "%s.%s.%s" % (label, how.replace(" ", "-"), rows)
        if how in recut.FRAGMENTS:
            compare(t, what, protocol, found, recut.fragmented(found, how, rng), cfg, "--as-captured", True, True)
            continue
        ends = recut.ENDS[protocol]
        for begun in (True, False):
            these = [s for s in said if s.begun == begun]
            if not these:
                continue
            base = [p for s in these for p in recut.as_captured(s, port, ends, rng)]
            new = [p for s in these for p in recut.WAYS[how](s, port, ends, rng)]
            if begun:
                compare(t, what + ".box", protocol, base, new, cfg, "--as-box", True, how in EXACT)
            if not how.startswith("differs"):  # a replay goes on after the end of a session
                # If everything is asked at once and nothing is refused, an answer may belong to
                # another request with its number.
                compare(t, what + (".begun" if begun else ".halfway"), protocol, base, new, cfg, "--as-captured", begun, begun and how in EXACT,
                        how != "at once")


def cases(t):
    t.tally = collections.Counter()
    seed = int(os.environ.get("SEKISHO_SEED", random.SystemRandom().randrange(1 << 32)))
    # with sanitizers it is slow, and they look for other faults
    share = 1 if ALL else 50 if "/san/" in t.binary else 10
    if not os.path.isdir(PCAPS):
        t.skip("recut", "../shared/pcaps is not there")
        return
    files = [("modbus", p) for p in files_of("pcaps")] + [("enip", p) for p in files_of("enip")] + \
        [("s7comm", p) for p in files_of("s7comm")] + [("slmp", FRAMES), ("slmp", TSN)] + \
        [("fins", p) for p in files_of("fins")] + [("dnp3", p) for p in files_of("dnp3") if "/conformance/" not in p]
    every = [(protocol, path, how) for protocol, path in files for how in list(recut.WAYS) + list(recut.FRAGMENTS)
             if (path != TSN or how in recut.FRAGMENTS) and how not in UNFIT.get(path, ())]
    random.Random(seed).shuffle(every)
    for protocol, path, how in every[:len(every) // share]:
        yield "recut: %s: %s" % (path, how), one, (t, protocol, path, how, seed)
    t.case = "recut"
    t.note("%d of %d rewritten captures, SEKISHO_SEED=%d; PDUs: %d uncut, %d cut; allowed: %d uncut, %d cut" %
           (len(every) // share, len(every), seed, *(t.tally[k] for k in ("before", "after", "passed_before", "passes"))))
