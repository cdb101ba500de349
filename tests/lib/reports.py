# SPDX-License-Identifier: Apache-2.0
"""Sanitizer reports of the programs under test. A role in its sandbox can open no file, so a report
appears on its standard error: all such places are watched, and a report fails the case in which
it is found, whatever happened to the role."""
import atexit
import os
import re
import sys
import tempfile

# the beginning of a report of either sanitizer
BEGINS = re.compile(r"\w+Sanitizer:|: runtime error: ")
LINES = 60
watched = {}  # path: how many bytes of it were read


def watch(path):
    """Ignores what is in this file now; it need not exist yet."""
    try:
        with open(path, "rb") as f:
            watched[path] = f.seek(0, 2)
    except FileNotFoundError:
        watched[path] = 0


def errors():
    """The file for a program's standard error, which is printed at the end."""
    file = tempfile.NamedTemporaryFile("w+b", prefix="sekisho-test-", delete=False)
    watch(file.name)

    def say_again():
        with open(file.name, "rb") as f:
            sys.stderr.write(f.read().decode("utf-8", "replace"))
        os.unlink(file.name)
    atexit.register(say_again)
    return file


def in_text(text):
    """The reports in a text, from the first one on."""
    lines = text.splitlines()
    first = next((i for i, line in enumerate(lines) if BEGINS.search(line)), None)
    return [] if first is None else lines[first:first + LINES]


def found():
    """The reports since the last call, as lines that begin with their place."""
    out = []
    for path, read in list(watched.items()):
        try:
            with open(path, "rb") as f:
                if f.seek(0, 2) < read:  # the file was truncated and begun anew
                    read = 0
                f.seek(read)
                text = f.read()
        except FileNotFoundError:
            continue
        watched[path] = read + len(text)
        lines = in_text(text.decode("utf-8", "replace"))
        if lines:
            out += [path + ":"] + lines
    return out


def expect_none():
    lines = found()
    if lines:
        raise AssertionError("a sanitizer reports\n    " + "\n    ".join(lines))
