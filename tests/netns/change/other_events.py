# SPDX-License-Identifier: Apache-2.0
"""What other programs do to the box's rules, settings and devices."""
import time

from event import Event, WorkerLost
from net import sh, wait_for


class Healed(Event):
    """The box undoes a change, and reports it."""
    lossless = False
    commands = ()
    drift = ("changed", "flushed")

    def change(self, field):
        for command in self.commands:
            sh("nft", command, ns=field.data)

    def changed(self, state):
        # its worker has not seen packets that passed while the box had no rules
        return "any" if self.gap and state.moves else "goes_on"

    def polls(self):
        return "any" if self.gap else super().polls()

    def fire(self, field):
        before = self.seq = field.last_seq()
        self.began = time.monotonic()
        self.change(field)
        self.ended = time.monotonic()
        wait_for(lambda: any(e["kind"] == "drift" for e in field.events(before)), 4, "a record of the change")
        wait_for(lambda: field.verified()[0], 6, "the rules as they should be")


class Flushed(Healed):
    commands = ("flush ruleset",)
    drift = ("flushed",)
    gap, exact = True, False


class SeveralChangesThenFlush(Flushed):
    commands = tuple("add table inet other%d" % n for n in range(4)) + ("insert rule inet sekisho forward accept", "flush ruleset")
    drift = ("flushed", "changed")


class RuleAdded(Healed):
    commands = ("insert rule inet sekisho forward accept",)
    drift = ("changed",)
    gap, exact = True, False


class MadeDormant(Healed):
    commands = ("add table inet sekisho { flags dormant; }",)
    gap, exact = True, False


class Sysctl(Healed):
    drift = ("setting",)
    exact = False

    def change(self, field):
        sh("sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward", ns=field.data)


class Beside(Event):
    """Something that drops nothing is added beside the box's rules: it is reported and stays."""
    drift = ("foreign",)
    begin, end = (), ()
    named = None  # its name in the answer of verify

    def fire(self, field):
        before = field.last_seq()
        for command in self.begin:
            sh(*command, ns=field.data)
        if self.drift:
            wait_for(lambda: any(e["kind"] == "drift" for e in field.events(before)), 4, "a record of the change")
        wait_for(lambda: self.named in field.verified()[1], 4, "verify to name it")
        if field.sekisho("status", "--all", check=False).returncode == 0:
            raise AssertionError("status is green")

    def after(self, field):
        before = field.last_seq()
        for command in self.end:
            sh(*command, ns=field.data)
        wait_for(lambda: field.verified()[0], 6, "nothing beside the rules")
        if "outside" in self.drift:
            wait_for(lambda: any(e.get("code") == "outside_gone" for e in field.events(before)), 4, "a record of its end")


def nft(*commands):
    return tuple(("nft", c) for c in commands)


class TableBeside(Beside):
    begin = nft("add table inet other; add chain inet other f { type filter hook forward priority -5; policy accept; }")
    end, named = nft("delete table inet other"), "table inet other"


class IptablesRules(Beside):
    """What `iptables -A FORWARD -j ACCEPT` leaves, where iptables writes nf_tables."""
    begin = nft("add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy accept; }",
                "add rule ip filter FORWARD accept")
    end, named = nft("delete table ip filter"), "table ip filter"


class IptablesRulesMeanwhile(IptablesRules):
    """The same while no daemon runs: the next daemon reports it at its start."""
    told, exact = ("booted",), False
    lossless = False
    changed = WorkerLost.changed

    def fire(self, field):
        before = field.last_seq()
        field.kill()
        for command in self.begin:
            sh(*command, ns=field.data)
        field.start()
        field.ready()
        wait_for(lambda: any(e.get("code") == "foreign" for e in field.events(before)), 4, "a record of the change")


class TrafficControl(Beside):
    """A classifier that lets everything pass. While it is attached, the kernel itself stops the
    device and drops its packets."""
    lossless = False
    drift = ("outside",)
    begin = (("tc", "qdisc", "add", "dev", "ot0", "clsact"),)
    end, named = (("tc", "qdisc", "del", "dev", "ot0", "clsact"),), "clsact"


class Bridged(Beside):
    """The office's device becomes part of a bridge: nothing comes from the office any more, and no
    other zone is affected."""
    drift = ("outside",)
    exact = False
    begin = (("ip", "link", "add", "br7", "type", "bridge"), ("ip", "link", "set", "it0", "master", "br7"))
    end, named = (("ip", "link", "del", "br7"),), "bridge br7"

    def after(self, field):
        super().after(field)
        field.settle_neighbours()


class PolicyRouting(Beside):
    drift = ("outside",)
    begin = (("ip", "rule", "add", "from", "10.71.0.2", "lookup", "77", "pref", "100"),)
    end, named = (("ip", "rule", "del", "pref", "100"),), "rule 100"


OTHERS = (Flushed, SeveralChangesThenFlush, RuleAdded, MadeDormant, TableBeside, IptablesRules, IptablesRulesMeanwhile, TrafficControl, Bridged, PolicyRouting,
          Sysctl)
