# SPDX-License-Identifier: Apache-2.0
"""What can run as root: the functions and files that the supervisor's process can reach from
`supervise`, read from the compiled objects (calls, and functions whose address is taken). Whoever
takes that process over has the machine, so this figure may only fall. And how much of a role's
state three or more of its files touch: what belongs to one idea is a part with its own header.

    tests/lib/reaches.py            prints lines of functions and of whole files, by folder; members
                                    of states
    tests/lib/reaches.py --check    as well, and exits with 1 if a ceiling below is exceeded"""
import bisect
import collections
import glob
import os
import re
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
OBJECTS = os.path.join(TOP, "build", "release")
START = "supervise"
CEILING = {"functions": 16100, "files": 27300}
FUNCTION, DATA = "tT", "dDbBrRvV"
# The structure with a role's state, its header, and how many members three or more files may touch.
STATES = (("supervisor", "supervise/supervise.h", 8), ("enforce", "enforce/enforce.h", 8), ("journal_role", "journal/role_private.h", 8), ("control", "control/control.h", 8))


class Code:
    """Each symbol of the product: what it refers to, and its text."""

    def __init__(self):
        self.refers, self.texts, self.public = collections.defaultdict(set), {}, {}
        listed = subprocess.check_output(["git", "ls-files", "appliance", "policy", "dpi"], cwd=TOP, text=True).split()
        for source in listed:
            path = os.path.join(OBJECTS, source[:-2] + ".o")
            if source.endswith(".c") and os.path.exists(path):
                self.read(source, path)

    def read(self, source, path):
        sections = {}
        for line in self.run("nm", "-S", "-f", "sysv", path):
            part = [x.strip() for x in line.split("|")]
            if len(part) == 7 and part[6] not in ("*UND*", "*ABS*", "") and part[1]:
                name = re.sub(r"\.(cold|part|constprop|isra|\d).*", "", part[0])
                sections.setdefault(part[6].split()[0], []).append((int(part[1], 16), int(part[4] or "0", 16), name))
                if part[2] in "TDRBVW":
                    self.public[name] = (source, name)
                self.refers[source, name] |= set()
        for found in sections.values():
            found.sort()
        section = None
        for line in self.run("objdump", "-r", path):
            head = re.match(r"RELOCATION RECORDS FOR \[(.*)\]", line)
            if head:
                section = head[1]
                continue
            part = line.split()
            if section not in sections or len(part) != 3 or not part[1].startswith("R_"):
                continue
            at, to = int(part[0], 16), re.match(r"([\w.$]+)(?:([+-])0x([0-9a-f]+))?", part[2])
            by = self.holds(sections[section], at)
            name = to[1]
            if name in sections:  # an address within a section: calls of statics, tables
                add = int(to[3], 16) * (-1 if to[2] == "-" else 1) if to[3] else 0
                name = self.holds(sections[name], add + (4 if section.startswith(".text") and part[1] in ("R_X86_64_PC32", "R_X86_64_PLT32") else 0))
            if by and name:
                self.refers[source, by].add(re.sub(r"\.(cold|part|constprop|isra|\d).*", "", name))
        by = None
        # calls within a section need no relocation
        for line in self.run("objdump", "-d", "--no-show-raw-insn", path):
            head = re.match(r"[0-9a-f]+ <([\w.]+)>:", line)
            if head:
                by = re.sub(r"\.(cold|part|constprop|isra|\d).*", "", head[1])
                continue
            call = re.search(r"\s(?:call|jmp|j\w+)\s+[0-9a-f]+ <([\w.]+)", line)
            if call and by:
                self.refers[source, by].add(re.sub(r"\.(cold|part|constprop|isra|\d).*", "", call[1]))
        with open(os.path.join(TOP, source), encoding="utf-8") as f:
            text = f.read()
        for m in re.finditer(r"^(?![\s#/}*])[^;{}=]*?\b(\w+)\([^;{}]*\)\n\{\n.*?^\}\n", text, re.M | re.S):
            self.texts[source, m[1]] = m[0]

    @staticmethod
    def run(*command):
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()

    @staticmethod
    def holds(found, at):
        """The symbol of a section that holds this place."""
        i = bisect.bisect_right(found, (at, 1 << 62, "")) - 1
        return found[i][2] if i >= 0 else None

    def reached(self, start):
        seen, left = set(), [self.public[start]]
        while left:
            one = left.pop()
            if one in seen:
                continue
            seen.add(one)
            for name in self.refers[one]:
                to = (one[0], name) if (one[0], name) in self.refers else self.public.get(name)
                if to:
                    left.append(to)
            # a static that the compiler put into its caller has no symbol of its own
            for name in re.findall(r"\b(\w+)\(", self.texts.get(one, "")):
                if (one[0], name) in self.texts and (one[0], name) not in self.refers:
                    left.append((one[0], name))
        return seen


def shared(state, header):
    """{member: files that touch it} of a role's state, where there are three or more."""
    def text(path):
        with open(path, encoding="utf-8") as f:
            return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    path = os.path.join(TOP, "appliance", header)
    body = re.search(r"struct %s \{\n(.*?)\n\};" % state, text(path), re.S)[1]
    body = re.sub(r"\(\*(\w+)\)\([^)]*\)", r"\1", re.sub(r"struct \{[^}]*\}|\[[^]]*\]", "", body))
    members = set(re.findall(r"(\w+)\s*(?=[;,])", body))
    touched = collections.defaultdict(set)
    for source in glob.glob(os.path.join(os.path.dirname(path), "*.c")):
        source_text = text(source)
        for name in set(re.findall(r"struct %s \*?(\w+)" % state, source_text)):
            for member in members & set(re.findall(r"\b%s(?:->|\.)(\w+)" % name, source_text)):
                touched[member].add(source)
    return {member: len(files) for member, files in touched.items() if len(files) > 2}


def main():
    over = []
    for state, header, most in STATES:
        found = shared(state, header)
        print("three or more files touch %d members of struct %s: %s" % (len(found), state, " ".join(sorted(found, key=found.get, reverse=True))))
        if len(found) > most:
            print("more than %d: group what belongs to one idea" % most)
            over.append(state)
    code = Code()
    seen = code.reached(START)
    functions, files = collections.Counter(), collections.Counter()
    for one in seen:
        functions[os.path.dirname(one[0])] += code.texts.get(one, "").count("\n")
    for source in {one[0] for one in seen}:
        with open(os.path.join(TOP, source), encoding="utf-8") as f:
            files[os.path.dirname(source)] += f.read().count("\n")
    for folder in sorted(files, key=lambda x: -files[x]):
        print("%-28s %6d lines of functions, %6d of whole files" % (folder, functions[folder], files[folder]))
    have = {"functions": sum(functions.values()), "files": sum(files.values())}
    print("root reaches %d lines of functions, %d of whole files" % (have["functions"], have["files"]))
    for k in have:
        if have[k] > CEILING[k]:
            print("more than %d lines of %s: what root reaches may only become less" % (CEILING[k], k))
            over.append(k)
    return 1 if over and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
