# SPDX-License-Identifier: Apache-2.0
"""Edits of the text, most of which affect no session: another order, other names, a network in two
halves. Then no packet is lost, the answer's lists of cut and narrowed sessions are empty, and
records have the names from before or after the edit. Others change what is inspected, or end
sessions."""
import re
import signal

from box import conduit
from event import Applied, WorkerLost, anew, signal_all
from policies import Policy, moment
from policy_events import EndedByTime
from role_events import DaemonRestarted
from states import NamedLetGoOf

OPS, OT = ("10.72.0.", "2001:db8:72:"), ("10.73.0.", "2001:db8:73:")


def block(text, begin, end, change):
    """Changes the lines between two lines with `change`."""
    head, rest = text.split(begin, 1)
    lines, tail = rest.split(end, 1)
    return head + begin + "\n".join(change(lines.strip("\n").split("\n"))) + "\n" + end.lstrip("\n") + tail


def backwards(site, box):
    """Reverses the order of zones, conduits and interfaces."""
    site = block(site, "zones = {\n", "\n};", lambda lines: lines[::-1])
    head, conduits = site.split("conduits = (\n  ", 1)
    conduits, tail = conduits.split("\n);\n", 1)
    site = head + "conduits = (\n  " + ",\n  ".join(conduits.split(",\n  ")[::-1]) + "\n);\n" + tail
    return site, block(box, "interfaces = {\n", "\n};", lambda lines: lines[::-1])


def other_zones(site, box):
    for old, new in (("ops", "quay"), ("ot", "yard")):
        site = re.sub(r'(from|to) = "%s"' % old, r'\1 = "%s"' % new, site)
        site = re.sub(r"^  %s( *= \{ interfaces)" % old, r"  %s\1" % new, site, flags=re.M)
    return site.replace('"zones ops ot"', '"zones quay yard"'), box


def other_interfaces(site, box):
    for old, new in (("lan1", "port5"), ("lan2", "port6")):
        site, box = site.replace('"%s"' % old, '"%s"' % new), re.sub(r"^  %s " % old, "  %s " % new, box, flags=re.M)
    return site, box


def swapped_interfaces(site, box):
    """Each interface gets the other one's name."""
    change = lambda text: re.sub(r"\blan([12])\b", lambda m: "lan%d" % (3 - int(m[1])), text)  # noqa: E731
    return change(site), change(box)


def other_services(site, box):
    # the isolations name conduits, some of which have the name of a service
    isolations = re.search(r"^isolations = .*$", site, re.M)[0]
    site = site.replace(isolations, "ISOLATIONS")
    return re.sub(r"\b(p[rw]|p_\w+|watch_\w+|wide_\w+|names|plain|plain_tcp|ping)\b(?=[\"]| = \{)", r"\1_new", site.replace('name = "plain"', 'name = "PLAIN"')).replace(
        "PLAIN", "plain").replace('name = "names_new"', 'name = "names"').replace('name = "plain_new"', 'name = "plain"').replace("ISOLATIONS", isolations), box


def in_halves(site, box):
    for v4, v6 in (OPS, OT):
        site = site.replace('"%s0/24"' % v4, '"%s0/25", "%s128/25"' % (v4, v4)).replace('"%s:/64"' % v6, '"%s:/65", "%s8000::/65"' % (v6, v6))
    return site, box


def wider(site, box):
    return site.replace('"10.72.0.0/24"', '"10.72.0.0/23"').replace('"2001:db8:72::/64"', '"2001:db8:72::/63"'), box


def narrower(site, box):
    """All hosts of the sessions stay allowed."""
    return site.replace('"10.72.0.0/24"', '"10.72.0.0/28"').replace('"2001:db8:72::/64"', '"2001:db8:72::/120"'), box


def apart(site, box):
    """Half of the hosts of a zone become a zone of their own without conduits."""
    zone = next(line for line in site.split("\n") if line.startswith("  ops "))
    lower = zone.replace('"10.72.0.0/24"', '"10.72.0.0/25"').replace('"2001:db8:72::/64"', '"2001:db8:72::/65"')
    upper = re.sub(r"^  ops ", "  upper ", zone).replace('"10.72.0.0/24"', '"10.72.0.128/25"').replace('"2001:db8:72::/64"', '"2001:db8:72:0:8000::/65"')
    return site.replace(zone, lower + "\n" + upper), box


def named_hosts(site, box):
    """Conduits name the hosts as assets, whose names are in later records."""
    assets = ('assets = { pc = { zone = "ops"; addresses = ["10.72.0.2", "10.72.0.3", "2001:db8:72::2", "2001:db8:72::3"]; label = "端末"; };\n'
              '  plc = { zone = "ot"; addresses = ["10.73.0.2", "10.73.0.3", "2001:db8:73::2", "2001:db8:73::3"]; }; };\n')
    site = site.replace('from = "ops"; to = "ot";', 'from = "ops"; to = "ot"; sources = ["pc"]; destinations = ["plc"];')
    return site.replace("services = {\n", assets + "services = {\n", 1), box


def other_words(site, box):
    return (site.replace('name = "test";', 'name = "kita"; label = "北";').replace('owner = "t"', 'owner = "u"').replace(
        'purpose = "test"', 'purpose = "another"').replace('review_by = "2031', 'review_by = "2032'), box)


def opaque(site, box):
    """The controllers' port is open for any bytes: its sessions are no longer inspected, and their
    waiting packets are released."""
    return re.sub(r'(p[rw]) = \{ protocol = "modbus"; ports = \["tcp/502"\]; allow = .*', r'\1 = { protocol = "tcp"; ports = ["tcp/502"]; };', site), box


def all_commands(site, box):
    """No row limits the commands any more; only the protocol is still checked."""
    return re.sub(r'(p[rw]) = \{ protocol = "modbus"; ports = \["tcp/502"\]; allow = .*', r'\1 = { protocol = "modbus"; ports = ["tcp/502"]; };', site), box


opaque.unlimited = all_commands.unlimited = True  # commands pass that no row allowed


def unnamed(site, box):
    """Instead of DNS any datagrams are allowed, and TLS sessions may send anything."""
    return site.replace('names = { protocol = "dns"', 'names = { protocol = "udp"').replace('secret = { protocol = "tls"', 'secret = { protocol = "tcp"'), box


def opaque_pair(site, box):
    """A conduit of its own lets this client send any bytes, inside a network whose other hosts are
    judged as before."""
    site = site.replace("services = {\n", 'services = {\n  any_bytes = { protocol = "tcp"; ports = ["tcp/502"]; };\n', 1)
    return site.replace("conduits = (\n  ", 'conduits = (\n  { name = "reads-next"; from = "ops"; to = "ot"; sources = ["10.72.0.3", "2001:db8:72::3"]; '
                        'services = ["any_bytes"]; purpose = "test"; owner = "t"; review_by = "2031-01-01"; },\n  ', 1), box


def conduits(*texts):
    """Adds these conduits."""
    def edit(site, box):
        return site.replace("conduits = (\n  ", "conduits = (\n  " + "".join(t + ",\n  " for t in texts), 1), box
    return edit


def more_ports(site, box):
    return site.replace('"tcp/502"', '"tcp/500-505"'), box


def another_protocol(site, box):
    """On the controllers' port the same conduit also allows TLS."""
    return site.replace('services = ["pr"]', 'services = ["pr", "tls502"]'), box


def two_names(site, box):
    """The port of TLS is for SSH, too."""
    site = site.replace('secret = {', 'secret2 = { protocol = "ssh"; ports = ["tcp/4433"]; };\nsecret = {')
    return site.replace('"names", "secret"]', '"names", "secret", "secret2"]'), box


def other_name(site, box):
    """The port is for SSH alone."""
    return two_names(site, box)[0].replace('"secret", "secret2"]', '"secret2"]'), box


def eager(site, box):
    """A server on the controllers' port may send first, and some bytes may pass before the protocol
    is known."""
    return re.sub(r'(p[rw]) = \{ protocol = "modbus";', r'\1 = { undecided_bytes = 64; protocol = "modbus";', site), box


looks = conduits(conduit("over", "ops", "ot", ["pmore"], mode="observe", shadow=True).replace("over", "reads-next"))
stricter = conduits(conduit("reads-next", "ops", "ot", ["pr"], when_down="hold", criticality="safety"))
more_allowed = conduits(conduit("writes-next", "ops", "ot", ["pmore"]))


class Edited(Applied):
    edit = None

    @property
    def new(self):
        return Policy(edit=type(self).edit)

    def expect(self, state):
        # A refused request, whose ends were told nothing, is allowed from now on if they repeat it.
        return "any" if state.refused and self.edit in (opaque, opaque_pair) else super().expect(state)


def edited(name, how):
    return type(name, (Edited,), {"edit": staticmethod(how), "__doc__": how.__doc__})


class FromNowOnJudged(Applied):
    """The sessions were not inspected until now: workers that judge commands meet them half-way."""
    policy = Policy(edit=opaque)

    def changed(self, state):
        return "any" if state.lane == "commands" else "goes_on"


class FromNowOnLimited(FromNowOnJudged):
    policy = Policy(edit=all_commands)


class FromNowOnNamed(FromNowOnJudged):
    policy = Policy(edit=unnamed)

    def changed(self, state):
        return "any" if state.lane in ("naming", "let_go") and hasattr(state.f, "c") else "goes_on"


def undone(name, how):
    return type(name, (Applied,), {"policy": Policy(edit=how), "__doc__": how.__doc__})


class EndedWhereNobodyLooks(EndedByTime):
    """A permission ends. Its sessions, whose protocol is only recognised or which may send
    anything, are told at their next packet."""

    def policy_until(self):
        until = moment(self.SECONDS)

        def window(site, box):
            return re.sub(r'\{ name = "(names|plain)";', r'{ until = "%s"; name = "\1";' % until, site), box
        return Policy(edit=window)

    def changed(self, state):
        return "cut" if state.lane in ("naming", "let_go", "fast") else "goes_on"

    def told_at_once(self, state):
        return False


class TakenAwayWhereNobodyLooks(Edited):
    @staticmethod
    def edit(site, box):
        return re.sub(r'(\{ name = "(names|plain)";)', r'\1 sources = ["10.72.0.9", "2001:db8:72::9"];', site), box

    def changed(self, state):
        return EndedWhereNobodyLooks.changed(self, state)

    def told_at_once(self, state):
        return False


class NarrowedBehindNewWorkers(Edited):
    """Every permit gets another id, and no worker can repeat that the protocol of a silent session
    was confirmed."""
    edit = staticmethod(narrower)
    lossless = exact = False
    roles = ("dpi",)

    def fire(self, field):
        old = field.pids("dpi")
        signal_all(field, "dpi", signal.SIGKILL)
        anew(field, "dpi", old)
        super().fire(field)

    def changed(self, state):
        return WorkerLost.changed(self, state)

    def wrong(self, field, states):
        return ()  # the lists know nothing of what the dead workers saw


class RenamedBehindNewWorkers(NarrowedBehindNewWorkers):
    """Of two protocols the confirmed one is not allowed any more, and no worker knows which one it
    was: the confirmation does not go over to the new permit."""
    policy = Policy(edit=two_names)
    edit = staticmethod(other_name)

    def changed(self, state):
        return "cut" if state.lane == "let_go" and isinstance(state, NamedLetGoOf) else super().changed(state)


class RestartedBehindEdits(DaemonRestarted):
    """A network was divided and joined again before: the permits of its sessions are not their
    first ones, and a start of the daemon has to know that."""

    def before(self, field):
        field.apply_policy(Policy())
        field.apply_policy(Policy(edit=apart))
        super().before(field)


EDITS = (RestartedBehindEdits, NarrowedBehindNewWorkers, RenamedBehindNewWorkers, EndedWhereNobodyLooks, TakenAwayWhereNobodyLooks, edited("LookedAtBeside", looks), undone("NoLongerLookedAt", looks), edited("OverlappedByStricterWords", stricter),
         undone("StricterWordsTakenAway", stricter), edited("OverlappedByMore", more_allowed), undone("OverlapTakenAway", more_allowed),
         edited("PortsWidened", more_ports), undone("PortsNarrowed", more_ports), edited("AnotherProtocolBeside", another_protocol),
         undone("AnotherProtocolTakenAway", another_protocol), edited("UndecidedBytes", eager), undone("NoUndecidedBytes", eager),
         FromNowOnJudged, FromNowOnLimited, FromNowOnNamed, edited("PairOfAnyBytes", opaque_pair), edited("NoLongerInspected", opaque), edited("NoLongerLimited", all_commands),
         edited("NoLongerNamed", unnamed), edited("Reordered", backwards), edited("ZonesRenamed", other_zones), edited("InterfacesRenamed", other_interfaces),
         edited("InterfacesSwapNames", swapped_interfaces), edited("ServicesRenamed", other_services), edited("NetsInHalves", in_halves),
         edited("NetWidened", wider), edited("NetNarrowedForOthers", narrower), edited("ZoneTakenApart", apart),
         edited("HostsNamed", named_hosts), edited("WordsChanged", other_words))
