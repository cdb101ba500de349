# SPDX-License-Identifier: Apache-2.0
"""Folders of captures, and the table that says what is in them."""
import hashlib
import os

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "names")
MOST = 4 << 20  # bytes; larger captures are ignored


def files(folders):
    """(path, size, digest) of each capture; of captures with the same contents, only the first."""
    seen = set()
    for folder in folders:
        for at, inside, names in os.walk(folder):
            inside.sort()
            for name in sorted(names):
                path = os.path.join(at, name)
                if not name.endswith((".pcap", ".pcapng", ".cap")) or os.path.islink(path) or os.path.getsize(path) > MOST:
                    continue
                with open(path, "rb") as f:
                    data = f.read()
                digest = hashlib.sha256(data).hexdigest()[:16]
                if data and digest not in seen:
                    seen.add(digest)
                    yield path, len(data), digest


def called(path):
    """The name of a capture; with its folder if a set has many captures of that name."""
    folder, name = os.path.split(path)
    return os.path.basename(folder) + "/" + name if name in ("input.pcap", "test.pcap", "in.pcap", "output.pcap") else name


def ranges(numbers):
    """[0, 1, 2, 7] as "0-2,7"."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join("%d" % a if a == b else "%d-%d" % (a, b) for a, b in out)


def numbers(text):
    for part in text.split(","):
        a, _, b = part.partition("-")
        yield from range(int(a), int(b or a) + 1)


def table():
    """{digest: [(name, which sessions, what tshark says)]}"""
    out = {}
    with open(os.path.join(HERE, "captures.tsv"), encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                name, _, digest, _, _, which, first = line.rstrip("\n").split("\t")
                out.setdefault(digest, []).append((name, list(numbers(which)), first))
    return out
