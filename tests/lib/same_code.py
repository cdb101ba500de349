#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the code of two builds, object by object: moves and renames change no instruction.

    tests/lib/same_code.py [--renamed] BUILD OTHER_BUILD   such as build/release of two checkouts

Prints the objects whose instructions, constants or calls differ, and those that only one has. With
--renamed, a function may have another name, if an object calls it so everywhere."""
import os
import re
import subprocess
import sys


CONSTANTS = (".rodata", ".rodata.str1.1", ".rodata.str1.8", ".rodata.cst8", ".rodata.cst16", ".data", ".data.rel.ro.local", ".data.rel.ro")


def objects(build):
    return {os.path.relpath(os.path.join(at, f), build) for at, _, files in os.walk(build) for f in files if f.endswith(".o") and "/tests" not in at}


def code(path):
    """Instructions with what they refer to, and constants, without the names of files."""
    for what in (["-dr", "--no-show-raw-insn"], ["-s", *(x for at in CONSTANTS for x in ("-j", at))]):
        out = subprocess.run(["objdump", *what, "--wide", path], capture_output=True, text=True, check=False).stdout
        yield re.sub(r"^.*file format.*$", "", out, flags=re.M)


NAME = re.compile(r"(?<=[<\t ])[A-Za-z_]\w*(?=[>.+-]|$)", re.M)


def renamed(a, b):
    """Whether two codes are the same but for names, each of which stands for one of the other."""
    there, back = {}, {}
    names = list(zip(NAME.findall(a), NAME.findall(b)))
    return NAME.sub("", a) == NAME.sub("", b) and all(there.setdefault(x, y) == y and back.setdefault(y, x) == x for x, y in names)


def main():
    words = [w for w in sys.argv[1:] if w != "--renamed"]
    if len(words) != 2:
        sys.exit(__doc__)
    a, b = words
    same = renamed if len(sys.argv) > 3 else str.__eq__  # of the instructions
    have, other = objects(a), objects(b)
    differ = []
    for o in sorted(have & other):
        (does, holds), (did, held) = code(os.path.join(a, o)), code(os.path.join(b, o))
        if not same(does, did) or holds != held:
            differ.append(o)
    for o in differ + sorted(have ^ other):
        print(("only in one: " if o in have ^ other else "differs: ") + o)
    print("%d objects compared, %d differ" % (len(have & other), len(differ)))
    sys.exit(bool(differ or have ^ other))


main()
