# SPDX-License-Identifier: Apache-2.0
"""Which suites guard which paths of the tree: those to run when a path changes.

Three sources: tests/guards.tsv is measured (tests/guards measure) and has a row for each source and
folder, with the suites that run lines that few others run, and their number. tests/guards.txt is
written by hand, for pages, texts, units and the like. Users of a file of tests/lib or of another
suite are found by the imports."""
import ast
import functools
import glob
import math
import os
import re
import subprocess

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
MAP, BY_HAND = "tests/guards.tsv", "tests/guards.txt"
PRODUCT = ("appliance", "policy", "dpi", "mgmt")
# parts that need no namespaces; tests/coverage counts each separately
OFFLINE = ("units", "golden", "drawn", "replay")
# The lines that these suites run are not counted, so only tests/guards.txt names them.
UNCOUNTED = ("documents", "parts", "published", "fuzz", "lint", "demo", "fresh", "packages",
             "vm-units", "image", "image-lock", "image-update", "image-install", "names")
WHOLE = math.inf  # the strength of a suite that is declared or imported, so that it always runs


def netns():
    return sorted(path.split("/")[-2] for path in glob.glob(TOP + "/tests/netns/*/run"))


def known():
    return {*netns(), *OFFLINE, *UNCOUNTED}


def sources():
    """Files of the product whose change can break something: no makefile lists, and nothing that is
    only read."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", *PRODUCT], cwd=TOP, text=True).split()
    return [path for path in listed if not path.endswith((".mk", ".md")) and os.path.exists(os.path.join(TOP, path))]


def rows(path):
    with open(os.path.join(TOP, path), encoding="utf-8") as f:
        return f.read().split("\n")


@functools.lru_cache
def measured():
    """{source file, or folder with a trailing "/": {suite: lines}}, as measured."""
    found = {}
    for line in rows(MAP):
        if line and not line.startswith("#"):
            path, words = line.split("\t")
            found[path] = {suite: int(n) for suite, n in (word.split(":") for word in words.split())}
    return found


@functools.lru_cache
def imports():
    """{suite: Python files of tests/lib, its own folder and other suites that it imports, directly
    or not}."""
    found = {}
    for suite in netns():
        own = "tests/netns/" + suite
        places, waiting, seen = [own, "tests/lib"], [own + "/run"], set()
        while waiting:
            path = waiting.pop()
            text = "\n".join(rows(path))
            places += ["tests/netns/" + other for other in re.findall(r'sys\.path\.insert\(0, os\.path\.join\(HERE, "\.\.", "(\w+)"\)\)', text)]
            for node in ast.walk(ast.parse("" if text.startswith("#!/bin/bash") else text)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module] if isinstance(node, ast.ImportFrom) else []
                used = [next((p for p in ("%s/%s.py" % (place, name) for place in places) if os.path.exists(os.path.join(TOP, p))), None) for name in names]
                new = set(used) - seen - {None}
                seen |= new
                waiting += new
        found[suite] = seen
    return found


@functools.lru_cache
def by_hand():
    """{beginning of a path: suites}, as declared."""
    users, found = imports(), {}
    for line in rows(BY_HAND):
        path, *names = line.split("#")[0].split() or [None]
        for name in names:
            of_it = [s for s, used in users.items() if "tests/lib/%s.py" % name[1:] in used] if name[0] == "@" else [name]
            found.setdefault(path, []).extend(of_it)
    return found


def row_of(path, rows_of):
    """The row for a file of the product: its own, that of the source with the same name, or the
    nearest folder's."""
    stem, dot, _ = path.rpartition(".")
    if path in rows_of:
        return path
    if stem + ".c" in rows_of:
        return stem + ".c"
    folder = path.rpartition("/")[0]
    while folder and folder + "/" not in rows_of:
        folder = folder.rpartition("/")[0]
    return folder + "/" if folder else None


def suites_for(paths):
    """{suite: (strength, why)} for changed paths: the sum of lines, and WHOLE for declared or
    imported ones."""
    counted, declared, users, found = measured(), by_hand(), imports(), {}

    def guard(suite, strength, why):
        had = found.get(suite)
        found[suite] = (had[0] + strength, had[1] if had[0] >= strength else why) if had else (strength, why)

    for path in paths:
        row = row_of(path, counted) if path.split("/")[0] in PRODUCT else None
        prefix = max((p for p in declared if path.startswith(p)), key=len, default="")
        # a row of a folder above a declared path does not count
        if row and (not row.endswith("/") or len(row) >= len(prefix)):
            for suite, lines in counted[row].items():
                guard(suite, lines, "%d lines of %s" % (lines, row))
        for suite in declared.get(prefix, ()):
            guard(suite, WHOLE, "declared of " + prefix)
        for suite, used in users.items():
            if path in used or path.startswith("tests/netns/%s/" % suite):
                guard(suite, WHOLE, "made of " + path)
    return found


def folders():
    """{folder with sources of the product: {suite: (strength, why)}}."""
    inside = {}
    for path in sources():
        inside.setdefault(os.path.dirname(path), []).append(path)
    return {folder: suites_for(paths) for folder, paths in sorted(inside.items())}
