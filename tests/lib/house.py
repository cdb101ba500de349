#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Figures of the source, by folder, from the tracked files and the objects of build/release: lines
and files of code (C, headers, TypeScript, Python, scripts; no messages, no data), files in
circles of calls, public functions and those with one caller, headers and those with one user.
With the output of an earlier run it shows each former figure too. `make house [SINCE=FILE]`; it
judges nothing."""
import collections
import os
import re
import subprocess
import sys

import circles

CODE = (".c", ".h", ".ts", ".css", ".py", ".bash", ".mk")
TESTS = "tests"
COLUMNS = ("lines", "files", "circles", "functions", "one caller", "headers", "one user")


def tracked():
    """{path: its lines} of code."""
    listed = subprocess.check_output(["git", "ls-files", "-z", "-co", "--exclude-standard", "--", *circles.PRODUCT, "images", TESTS], cwd=circles.TOP).decode().split("\0")
    found = {}
    for path in filter(None, listed):
        whole = os.path.join(circles.TOP, path)
        if os.path.islink(whole) or not os.path.isfile(whole):
            continue
        if path.endswith(CODE) or ("." not in os.path.basename(path) and open(whole, "rb").read(2) == b"#!"):
            found[path] = open(whole, encoding="utf-8", errors="replace").read().splitlines()
    return found


def folder_of(path):
    """The folder of a part of the product; each kind of tests is one."""
    parts = os.path.dirname(path).split("/")
    return "/".join(parts[:2] if parts[0] == TESTS else parts)


def headers(files, count):
    """The users of a header: the product's files that include it, without the source of the same
    name."""
    users = collections.defaultdict(set)
    for path, lines in files.items():
        for line in lines if not path.startswith(TESTS) else ():
            included = re.match(r'#\s*include "([^"]+)"', line)
            if included and os.path.splitext(path)[0] != os.path.splitext(included[1])[0]:
                users[included[1]].add(path)
    for path in files:
        if path.endswith(".h") and not path.startswith(TESTS):
            count[folder_of(path)]["headers"] += 1
            count[folder_of(path)]["one user"] += len(users[path]) == 1


def functions(count):
    """Functions that other objects can call, how many have one caller, and files in circles."""
    paths = [path for path in circles.sources() if os.path.exists(os.path.join(circles.TOP, circles.OBJECTS, path + ".o"))]
    out = subprocess.check_output(["nm", "-A", "-g", *(path + ".o" for path in paths)], cwd=os.path.join(circles.TOP, circles.OBJECTS), text=True)
    where, takes = circles.symbols(paths)
    callers = collections.Counter(symbol for symbols in takes.values() for symbol in symbols)
    for path, name in re.findall(r"^(.*)\.o:\S+ T (\S+)$", out, re.M):
        count[folder_of(path)]["functions"] += 1
        count[folder_of(path)]["one caller"] += callers[name] == 1
    for folder, names in circles.folders(paths).items():
        found = sum(map(len, circles.circles(circles.calls(names, where, takes))))
        if found:
            count[folder]["circles"] += found


def earlier(name):
    """{folder: {column: figure}} of an earlier run."""
    found = {}
    for line in open(name, encoding="utf-8") if name else ():
        folder, *figures = line.split()
        if len(figures) == len(COLUMNS) and folder != "folder":
            found[folder] = {c: int(f.split(">")[-1]) for c, f in zip(COLUMNS, figures)}
    return found


def main():
    files, count = tracked(), collections.defaultdict(collections.Counter)
    for path, lines in files.items():
        count[folder_of(path)]["lines"] += len(lines)
        count[folder_of(path)]["files"] += 1
    headers(files, count)
    functions(count)
    for folder in list(count):
        whole = "all-" + (TESTS if folder.startswith(TESTS) else "images" if folder.startswith("images") else "product")
        count[whole].update(count[folder])
    before = earlier(sys.argv[1] if len(sys.argv) > 1 else "")
    rows = [("folder", *(c.replace(" ", "-") for c in COLUMNS))]
    for folder in sorted(set(count) | set(before), key=lambda f: (f.startswith("all-"), f)):
        now, was = count[folder], before.get(folder, {})
        rows.append((folder, *(str(now[c]) if not before or was.get(c, 0) == now[c] else "%d>%d" % (was.get(c, 0), now[c]) for c in COLUMNS)))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for folder, *figures in rows:
        print("  ".join([folder.ljust(widths[0])] + [f.rjust(w) for f, w in zip(figures, widths[1:])]))


if __name__ == "__main__":
    main()
