# SPDX-License-Identifier: Apache-2.0
"""Counts what was refused under its own name and what passed under another one, and prints it."""
import collections
import os

import judge
import recorded
import services
import streams


class Counts:
    """The counts of one name. A flow is a session in one of its variants."""

    def __init__(self):
        self.sessions = self.flows = self.refused = self.undecided = self.others = self.passed = 0


def variants(s, cut=True):
    """A session in every way in which it may come: (how, turns, whether it is judged under other
    names as well)."""
    yield "whole", streams.whole(s), True
    if s.l4 != streams.TCP or not cut:
        return
    yield "byte by byte", streams.byte_wise(s), True
    for client in (True, False):
        for at in range(1, len(s.first(client))):
            yield "%s cut at %d" % ("client" if client else "server", at), streams.cut(s, client, at), at <= 16


class Findings:
    """Every flow with a wrong result, by its reason."""

    def __init__(self):
        self.counts = collections.defaultdict(Counts)
        # (source, what, promised, judged as, reason): flows
        self.refused, self.passed = collections.Counter(), collections.Counter()
        self.example = {}

    def take(self, source, what, own, name, how, flow):
        c = self.counts[own]
        right = name == own
        if right:
            c.flows += 1
            if judge.refused(flow):
                c.refused += 1
            elif not judge.known_as(flow):
                c.undecided += 1
        else:
            c.others += 1
            c.passed += judge.passed(flow)
        if judge.refused(flow) if right else judge.passed(flow):
            key = (source, what, own, name, "not seen" if flow is None else "%s, %s" % (flow["protocol"], flow["reason"]))
            (self.refused if right else self.passed)[key] += 1
            self.example.setdefault(key, how)

    def list(self):
        for title, found in (("refused under its own name", self.refused), ("passed under another name", self.passed)):
            for key in sorted(found):
                source, what, own, name, why = key
                yield "%s: %s [%s] as %s: %s: %s, %d flows (first: %s)" % (title, source, what, own, name, why, found[key], self.example[key])


def put(sekisho, label, told, slow_too=True):
    """Judges sessions under every name. `told`: (source, what, own name, session, whether it is cut
    as well) of each. If the own name is "-", every name has to refuse it."""
    found = Findings()
    for slow in (False, True) if slow_too else (False,):
        trial = judge.Trial(sekisho, label + ("-slow" if slow else ""), 20 * 10**9 if slow else 10**6)
        for source, what, own, s, cut in told:
            if not slow:
                found.counts[own].sessions += 1
            for how, turns, everywhere in variants(s, cut) if not slow else [("slow", streams.whole(s)[:40], True)]:
                for name in trial.known:
                    if name in services.EITHER.get((source, what), ()):
                        continue
                    if trial.judges(name, s.l4) and (name == own or everywhere):
                        trial.add((source, what, own, name, how), name, s, turns)
        for (source, what, own, name, how), flow in trial.run():
            found.take(source, what, own, name, how, flow)
    return found


def add(a, b):
    for name, c in b.counts.items():
        for field, n in vars(c).items():
            setattr(a.counts[name], field, getattr(a.counts[name], field) + n)
    a.refused.update(b.refused)
    a.passed.update(b.passed)
    a.example.update(b.example)


HEAD = "| name | sessions | flows | refused | not named yet | under other names | passed there |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |"


def lines(found):
    yield HEAD
    total = Counts()
    for name in sorted(found.counts, key=lambda n: (n == "-", n)):
        c = found.counts[name]
        for field, n in vars(c).items():
            setattr(total, field, getattr(total, field) + n)
        yield row("`%s`" % name if name != "-" else "none of them", c)
    yield row("all", total)


def row(name, c):
    return "| %s | %d | %d | %d | %d | %d | %d |" % (name, c.sessions, c.flows, c.refused, c.undecided, c.others, c.passed)


def binary():
    return os.environ.get("SEKISHO", os.path.join(judge.TOP, "build", "release", "sekisho"))


def of_servers(chosen):
    found, passed, failed = Findings(), 0, 0
    known = judge.names(binary())
    for server in chosen:
        told = recorded.take(server) if server in recorded.servers() else []
        if not told:
            print("FAILED  %s: nothing was recorded of it" % server, flush=True)
            failed += 1
            continue
        own = put(binary(), "servers-" + server, [(server, w, judge.own(n, known), s, True) for w, n, s in told])
        bad = bool(own.refused or own.passed)
        passed, failed = passed + (not bad), failed + bad
        for line in own.list():
            print(line, flush=True)
        print("%-7s %s" % ("FAILED" if bad else "ok", server), flush=True)
        add(found, own)
    print("\n".join(lines(found)))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


def of_captures(told):
    found, passed, failed = Findings(), 0, 0
    known = judge.names(binary())
    for wanted in list(told):
        name = judge.own(wanted, known)
        if name != wanted:  # a name that does not exist, or not yet
            told.setdefault(name, []).extend((a, b, name, s, cut and name != "-") for a, b, _, s, cut in told.pop(wanted))
    for name in sorted(told):
        own = put(binary(), "captures-" + ("none" if name == "-" else name), told[name], slow_too=False)
        bad = bool(own.refused or own.passed)
        passed, failed = passed + (not bad), failed + bad
        for line in own.list():
            print(line, flush=True)
        print("%-7s %s: %d captures" % ("FAILED" if bad else "ok", name, len({x[0] for x in told[name]})), flush=True)
        add(found, own)
    print("\n".join(lines(found)))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0
