# SPDX-License-Identifier: Apache-2.0
import bz2
import gzip
import lzma
import struct

import wire
from wire import ng_interface, ng_packet, ng_section, read_holding, holding, write_register, _block

TOS, CRANE = "10.20.0.10", "10.30.1.10"


def brief(r):
    return [(p["dir"], p["offset"], p["packet"], p["function"], p["verdict"]) for p in r.pdus]


def check(t):
    out = []
    s = wire.Session(out, TOS, 40000, CRANE, 502).open()
    for i in range(3):
        s.ask(read_holding(i, i, 1)).answer(holding(i, [7]))
    s.ask(write_register(9, 400, 1))
    want = brief(t.replay(t.file("plain.pcap", wire.pcap(out))))
    t.equal("plain", len(want), 7)
    nano = struct.pack("<HHB3xHH", 9, 1, 9, 0, 0)
    half = struct.pack("<HHB3xHHqHH", 9, 1, 0x80 | 20, 14, 8, 0, 0, 0)  # 2^-20 s, offset 0

    def packets(pick, e="<", part=slice(None)):
        """pick(i): interface, link type and clock of the i-th packet."""
        return b"".join(ng_packet(p, i, *pick(i)[:2], e, *pick(i)[2:]) for i, p in list(enumerate(out))[part])

    first, second = slice(None, 5), slice(5, None)
    files = {
        "big endian": ng_section(">") + ng_interface(e=">") + packets(lambda i: (0, "ethernet"), ">"),
        "two interfaces": ng_section() + ng_interface() * 2 + packets(lambda i: (i % 2, "ethernet")),
        "two snapshot lengths": ng_section() + ng_interface(snaplen=65535) + ng_interface(snaplen=262144) +
        packets(lambda i: (i % 2, "ethernet")),
        "three link types": ng_section() + ng_interface() + ng_interface("raw") + ng_interface("cooked2") +
        packets(lambda i: (i % 3, ("ethernet", "raw", "cooked2")[i % 3])),
        "interface without packets": ng_section() + ng_interface() + ng_interface(dlt=249) + packets(lambda i: (0, "ethernet")),
        "three clocks": ng_section() + ng_interface(options=nano) + ng_interface() + ng_interface(options=half) +
        packets(lambda i: (i % 3, "ethernet", (10**9, 10**6, 2**20)[i % 3])),
        "interface told late": ng_section() + ng_interface() + packets(lambda i: (0, "ethernet"), part=first) + ng_interface("raw") +
        packets(lambda i: (1, "raw"), part=second),
        "two sections": ng_section() + ng_interface() + packets(lambda i: (0, "ethernet"), part=first) + ng_section() +
        ng_interface("raw") + packets(lambda i: (0, "raw"), part=second),
        "two byte orders": ng_section() + ng_interface() + packets(lambda i: (0, "ethernet"), part=first) + ng_section(">") +
        ng_interface(e=">") + packets(lambda i: (0, "ethernet"), ">", second),
        "other blocks": ng_section() + _block(4, b"\0" * 4) + ng_interface() + _block(0xBAD, b"abcd") + _block(0xBAE, b"") +
        b"".join(ng_packet(p, i) + _block(5, b"\0" * 12) for i, p in enumerate(out)),
        "simple packets": ng_section() + ng_interface() +
        b"".join(_block(3, struct.pack("<I", len(f)) + f) for f in map(wire.ethernet, out)),
        "old packets": ng_section() + ng_interface() +
        b"".join(_block(2, struct.pack("<HHIIII", 0, 0, 0, i, len(f), len(f)) + f) for i, f in enumerate(map(wire.ethernet, out))),
    }
    for name, data in files.items():
        r = t.replay(t.file(name.replace(" ", "-") + ".pcapng", data))
        t.equal(name, (brief(r), r.diagnostics, r.status), (want, [], 1))
        t.equal(name + ": flags", [f["flags"] for f in r.flows], [[]])
        # cut anywhere: reports what could be read, and where it ended
        for n in list(range(4, len(data), 41)) + [len(data) - 1]:
            r = t.replay(t.file("cut.pcapng", data[:n]))
            if r.status != 3:
                t.equal("%s cut at %d: between blocks" % (name, n), r.diagnostics, [])
            t.equal("%s cut at %d" % (name, n), (brief(r), len(r.diagnostics)), (want[:len(r.pdus)], int(r.status == 3)))
    # incomplete frames
    r = t.replay(t.file("short.pcapng", ng_section() + ng_interface() + b"".join(ng_packet(p, i, keep=60) for i, p in enumerate(out))))
    t.equal("not kept whole", (r.pdus, r.summary["truncated"]), ([], 7))
    # some frames have a link type that is not supported
    mixed = ng_section() + ng_interface() + ng_interface(dlt=249) + \
        b"".join(ng_packet(p, i) + ng_packet(p, i, 1) for i, p in enumerate(out))
    r = t.replay(t.file("mixed.pcapng", mixed))
    t.equal("partly unreadable", (len(r.pdus), r.status, [(d["severity"], "249" in d["message"]) for d in r.diagnostics]),
            (7, 1, [("warning", True)]))
    r = t.replay(t.file("other.pcapng", ng_section() + ng_interface(dlt=249) + ng_packet(out[0], 0)))
    t.equal("nothing readable", (r.status, [d["severity"] for d in r.diagnostics]), (3, ["error"]))
    # damage
    good = ng_section() + ng_interface() + ng_packet(out[0], 0)
    packet = ng_packet(out[1], 1)
    for name, data in (("unknown interface", good + ng_packet(out[1], 1, 7)),
                       ("length of 8", good + struct.pack("<II", 6, 8)  + packet[8:]),
                       ("length of 2^32 - 4", good + struct.pack("<II", 6, 0xFFFFFFFC) + packet[8:]),
                       ("two lengths", good + packet[:-4] + b"\1\0\0\0"),
                       ("more than there is", good + packet[:20] + struct.pack("<I", 5000) + packet[24:]),
                       ("byte order", good + ng_section()[:8] + b"abcd" + ng_section()[12:]),
                       ("empty interface", good + _block(1, b""))):
        r = t.replay(t.file("damage.pcapng", data))
        t.equal(name, (r.status, [(d["severity"], d["packet"]) for d in r.diagnostics]), (3, [("error", 1)]))
    # files that are no captures
    plain = wire.pcap(out)
    for name, data, en, ja in (("gzip", gzip.compress(plain), "unpack it first", "展開してから"),
                               ("xz", lzma.compress(plain), "unpack it first", "展開してから"),
                               ("bzip2", bz2.compress(plain), "unpack it first", "展開してから"),
                               ("empty", b"", "is empty", "空のファイル"),
                               ("text", b"hello, world\n" * 99, "neither pcap nor pcapng", "pcap でも pcapng でもありません"),
                               ("half a header", plain[:20], "ends inside its header", "ヘッダーの途中"),
                               ("half a packet", plain[:-3], "ends inside a packet", "パケットの途中"),
                               ("rubbish", plain[:300] + b"\xff" * 90 + plain[390:], "damaged there", "壊れて"),
                               ("link type", plain[:20] + b"\x93\0\0\0" + plain[24:], "link type 147", "リンク層の種類 147")):
        name = t.file(name.replace(" ", "-"), data)
        for lang, words in (("en", en), ("ja", ja)):
            done = t.text(name, "--lang", lang)
            t.equal("%s in %s" % (name, lang), (done.returncode, words in done.stderr.decode()), (3, True))
