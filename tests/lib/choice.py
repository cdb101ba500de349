# SPDX-License-Identifier: Apache-2.0
"""Which suites a merge runs: those of what it touched, those that always run, and a fifth of the
rest.

tests/merges has a line for each merge: the commit on which it began. The difference to the last of
them is what this merge touches; tests/guards.tsv names the suites that guard it. Each merge takes
the next fifth of the other suites, and the next quarter of the sanitizer runs, so that everything
comes round. Processor time is limited: touched suites beyond the limit are named and left to the
long run (tests/long). Without a history it is unknown what was touched."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import guards  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# Run in every merge: the suites about change, the kernel, its queue, the sandbox and damage; the
# lives that are also lived on a kernel in memory; of the suite about the whole box only the cases
# of CORE_OF_BOX.
CORE = ("change", "kernel", "queue", "sandbox", "damage", "script", "box")
# Expensive cases that every merge runs all the same.
EVERY_MERGE = {("kernel", "test_drawn_policies")}
# Failures and changes, and an allowed and a forbidden request of Modbus (over UDP in `judged`),
# EtherNet/IP, S7 and SLMP.
CORE_OF_BOX = ("allowed_and_forbidden nothing_listens worker_killed closed_stays_closed daemon_killed narrowing ends_by_time confirm_and_revert drift "
               "logix_over_tcp simatic melsec_over_tcp judged").split()


def git(*words):
    done = subprocess.run(["git", "-c", "safe.directory=*", *words], cwd=TOP, capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else None


def merges():
    """The commits on which merges began, in order."""
    with open(os.path.join(TOP, "tests", "merges"), encoding="utf-8") as f:
        return [line.split()[0] for line in f if line.strip() and not line.startswith("#")]


def base():
    """The commit on which this merge began; None when its history is not here."""
    found = os.environ.get("SEKISHO_BASE") or merges()[-1]
    return found if git("merge-base", "--is-ancestor", found, "HEAD") is not None else None


def changed(since=None):
    """Paths that differ from `since` (this merge's base), including uncommitted ones; None:
    unknown."""
    since = since or base()
    if since is None:
        return None
    listed = (git("diff", "--name-only", "--no-renames", since), git("ls-files", "-o", "--exclude-standard"))
    return None if None in listed else sorted(set(listed[0] + listed[1]))


def seed():
    return int(os.environ.get("SEED") or len(merges()))


def drawn():
    """The seed of what a merge draws, from the commit on which it began: who tests it again draws
    the same, and the next merge something else. The long ring draws anew each time."""
    return os.environ.get("SEKISHO_SEED") or str(int(merges()[-1][:8], 16))


def rows(name, columns):
    """The rows of a table of tests/, by their first `columns` words."""
    with open(os.path.join(TOP, "tests", name), encoding="utf-8") as f:
        lines = [line.rstrip("\n").split("\t") for line in f if line.strip() and not line.startswith("#")]
    return {tuple(row[:columns]): row[columns:] for row in lines}


def times():
    """{task: (seconds of processor, seconds)} as last measured."""
    return {name: (float(row[0]), float(row[1])) for (name,), row in rows("times.tsv", 1).items()}


def dear():
    """{(suite, case): seconds} of cases with more than three seconds of processor. The long run
    takes all of them, a merge a fifth."""
    return {key: float(row[0]) for key, row in rows("dear.tsv", 2).items()}


def part(names, cost, of, number):
    """Part `number` of `of` parts of these names, which take about the same time each."""
    parts = [[0.0, []] for _ in range(of)]
    for name in sorted(names, key=lambda n: (-cost(n), n)):
        least = min(parts, key=lambda p: p[0])
        least[0] += cost(name)
        least[1].append(name)
    return parts[number % of][1]


def linked(mode):
    """{program of tests/unit: paths that it links, with headers}, from the makefiles and the
    compiler."""
    done = subprocess.run(["make", "--no-print-directory", "MODE=" + mode, "-pnq", "unit-programs"], cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    head, found, made_of = "build/%s/" % mode, {}, {}

    def sources(obj):
        if obj not in made_of:
            made_of[obj] = {obj[len(head):-2] + ".c"}
            for where in (mode, "release"):  # what the compiler read, in the build that exists
                path = os.path.join(TOP, "build", where, obj[len(head):-2] + ".d")
                if os.path.exists(path):
                    with open(path, encoding="utf-8") as f:
                        made_of[obj] |= {w for w in f.read().split(":", 1)[1].split() if w != "\\" and not w.startswith("/")}
                    break
        return made_of[obj]
    for line in done.stdout.splitlines():
        target, _, objects = line.partition(": ")
        if target.startswith(head + "tests/test_"):
            found[os.path.basename(target)] = set().union(*(sources(o) for o in objects.split() if o.endswith(".o") and o.startswith(head)))
    return found


class Suites:
    """Which suites of tests/netns a merge runs, and why. `budget`: seconds of processor for all of
    them."""

    def __init__(self, every, budget, paths):
        took, costs = times(), dear()
        taken = set(part(list(costs), costs.get, 5, seed())) | EVERY_MERGE
        # expensive cases that are left out
        self.without = {s: [case for suite, case in costs if suite == s and (s, case) not in taken] for s in every}

        def alone(suite):
            return took.get("netns-" + suite, (15.0, 30.0))[0]

        def cost(suite):
            return alone(suite) + sum(costs[x] for x in taken if x[0] == suite)
        touched = {}
        for strong, mine in ((False, [p for p in paths or [] if p.startswith("tests/lib/")]), (True, [p for p in paths or [] if not p.startswith("tests/lib/")])):
            touched.update((s, strength if strong else 0) for s, (strength, _) in guards.suites_for(mine).items() if s in every)
        self.why = {s: "always" for s in CORE if s in every and (s != "box" or s not in touched)}
        self.left = []  # touched, but beyond the limit of time
        left = budget - sum(cost(s) for s in self.why if s != "box")
        fifth = part([s for s in every if s not in CORE], alone, 5, seed())
        # First the suites that this merge touches, then those whose turn it is, then those that
        # only import what it touched.
        for suite in sorted({*touched, *fifth}, key=lambda s: (-touched.get(s, 0), s not in fifth, s)):
            if suite in self.why:
                continue
            if cost(suite) <= left:
                left -= cost(suite)
                self.why[suite] = "touched" if suite in touched else "the fifth"
            elif suite in touched:
                self.left.append(suite)
        if "box" in every:
            self.why.setdefault("box", "always")

    def cases(self, suite):
        """The cases of a suite to run, if not all; without those left to the long run."""
        return CORE_OF_BOX if suite == "box" and self.why[suite] == "always" else []


def sources(paths):
    """The product's .c files among `paths`, and those that include a changed header or .def,
    directly or not (texts alone change no code). All of them when the paths are unknown or the
    linter's settings changed."""
    listed = [p for p in git("ls-files", "-co", "--exclude-standard") or [] if p.startswith(("appliance/", "policy/", "dpi/", "mgmt/")) and p.endswith((".c", ".h", ".def"))]
    listed = [p for p in listed if os.path.exists(os.path.join(TOP, p))]
    if paths is None or ".clang-tidy" in paths:
        return [p for p in listed if p.endswith(".c")]
    included = {}
    for path in listed:
        with open(os.path.join(TOP, path), encoding="utf-8") as f:
            for line in f:
                if line.startswith("#") and '"' in line and "include" in line:
                    included.setdefault(line.split('"')[1], set()).add(path)
    found, new = set(), {p for p in paths if p in listed and not p.startswith("appliance/base/messages/")}
    while new:
        found |= new
        new = set().union(*(included.get(p, set()) for p in new)) - found
    return sorted(p for p in found if p.endswith(".c"))


if __name__ == "__main__":
    print("\n".join(sources(None if sys.argv[1:] == ["--all"] else changed())))
