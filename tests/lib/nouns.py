# SPDX-License-Identifier: Apache-2.0
"""Names of functions: prints how many are one word, and how many stand in two or more other files
too. Fails if too many are one word, or if a word that is not in PLAIN names functions of five or
more files. `python3 tests/lib/nouns.py --list` names these words, and those of four files."""
import collections
import os
import re
import subprocess
import sys

import columns

PRODUCT = ("appliance", "dpi", "policy", "mgmt", "images")
MOST = 12  # percent
FILES = 5
# Each says all where it stands.
PLAIN = set("main usage".split())
DEFINED = re.compile(r"^(?!#)[A-Za-z_][\w \t*]*?[\s*](\w+)\([^;{}]*\)\s*\{", re.M)


def functions():
    """(path, name) of each function that a source defines."""
    listed = subprocess.check_output(["git", "ls-files", "--", *(p + "/*.[ch]" for p in PRODUCT)], text=True).split()
    for path in filter(os.path.exists, listed):
        with open(path, encoding="utf-8") as f:
            text = columns.C.sub(lambda m: re.sub(r"\S", " ", m.group()), f.read())
        yield from ((path, name) for name in DEFINED.findall(text))


def main():
    found = list(functions())
    files = collections.defaultdict(set)
    for path, name in found:
        files[name].add(path)
    words = [name for _, name in found if "_" not in name]
    shared = sum(len(files[name]) > 2 for _, name in found)
    print("%d functions: %.1f %% named by one word, %.1f %% with a name of two or more other files too" % (len(found), 100 * len(words) / len(found), 100 * shared / len(found)))
    wide = {w: len(files[w]) for w in set(words) if len(files[w]) >= FILES - ("--list" in sys.argv) and w not in PLAIN}
    for word in sorted(wide, key=lambda w: (-wide[w], w)):
        print("%s: in %d files: %s" % (word, wide[word], " ".join(sorted(files[word])[:4])))
    return 100 * len(words) > MOST * len(found) or any(n >= FILES for n in wide.values())


if __name__ == "__main__":
    sys.exit(main())
