# SPDX-License-Identifier: Apache-2.0
"""Isolations together with changes of what they keep. An isolation keeps conduits, whatever the
labels of their sessions say: of sessions that were silent since the change, and of those that were
not. What the rehearsal says is what the isolation does."""
import json
import re
import time

from cell import together
from policies import Policy, moment
from policy_events import Isolated
from states import Tcp, Udp

KEPT = "held|opened|watched|under|over|picked|plain|names"


def with_key(key, value, names=KEPT):
    """The same conduits with one more setting."""
    def edit(site, box):
        return re.sub(r'\{ name = "(%s)";' % names, r'{ %s = "%s"; name = "\1";' % (key, value), site), box
    return edit


def renamed(site, box):
    isolations = re.search(r"^isolations = .*$", site, re.M)[0]
    return re.sub(r'(\{ name = "(?:%s))"' % KEPT, r'\1-plc"', site.replace(isolations, re.sub(r'"(%s)"' % KEPT, r'"\1-plc"', isolations))), box


def behind_a_door(site, box):
    """Inspected sessions end at once when a door stands in their way; those of `plain` would learn
    of it at their next packet."""
    site, box = with_key("door", "gate", "plain")(site, box)
    return site.replace("isolations = ", 'doors = { gate = { at_most = "1 h"; opened_by = ["supervisor"]; }; };\nisolations = ', 1), box


class IsolatedSilent(Isolated):
    """The sessions are silent from before the change until after the isolation."""
    told, lossless = ("applied", "confirmed", "isolation_rehearsed", "isolated"), True

    def edit(self):
        return with_key("until", moment(3600))

    def policies(self):
        return [self.policy]

    def change(self, field):
        field.apply_policy(Policy(edit=self.edit()))

    def speak(self):
        pass

    def fire(self, field):
        self.change(field)
        self.speak()
        self.rehearsed = json.loads(field.sekisho("isolate", "commands", "--rehearse", "--reason", "matrix", "--json").stdout)
        super().fire(field)

    def wrong(self, field, states):
        yield from super().wrong(field, states)
        answers = [{int(x["client"].rsplit(":", 1)[1]) for x in a["ends"]} for a in (self.rehearsed, self.answer)]
        for s in states:
            if s.moves or s.ended or s.refused or s.halfway or not s.followed or not s.answered:
                continue
            for listed, when in zip(answers, ("rehearsal", "isolation")):
                if self.answer["sessions"] <= 100 and (s.f.sport in listed) != (self.changed(s) == "cut"):
                    yield "%s is %s, and %s in the list of the %s" % (s.name(), self.changed(s), "stands" if s.f.sport in listed else "does not stand", when)
        if self.rehearsed["conduits"] != self.answer["conduits"]:
            yield "the rehearsal names %s, the isolation %s" % (self.rehearsed["conduits"], self.answer["conduits"])


class IsolatedLive(IsolatedSilent):
    """The sessions speak between the change and the isolation."""

    def speak(self):
        plain = [x for x in self.lives if type(x.state).go_on in (Tcp.go_on, Udp.go_on) and not x.state.halfway
                 and not x.state.moves and not x.state.refused and not x.state.ended]
        together(lambda x: x.step("between", x.state.go_on), plain)


class IsolatedBehindARename(IsolatedSilent):
    def edit(self):
        return renamed


class IsolatedBehindAnotherLane(IsolatedSilent):
    def edit(self):
        return with_key("criticality", "safety")


class IsolatedBehindADoor(IsolatedSilent):
    """The door is opened before the isolation."""
    told = ("applied", "confirmed", "door_opened", "isolation_rehearsed", "isolated")

    def edit(self):
        return behind_a_door

    def changed(self, state):
        return "any" if state.moves and state.lane == "fast" else super().changed(state)

    def change(self, field):
        super().change(field)
        field.sekisho("open", "gate", "--for", "30m")

    def after(self, field):
        super().after(field)
        field.sekisho("shut", "gate")


class IsolatedThenADoor(IsolatedBehindADoor):
    """The door is opened during the isolation."""
    told = ("applied", "confirmed", "isolation_rehearsed", "isolated", "door_opened")

    def change(self, field):
        IsolatedSilent.change(self, field)

    def fire(self, field):
        IsolatedSilent.fire(self, field)
        field.sekisho("open", "gate", "--for", "30m")


class IsolatedThenChanged(IsolatedSilent):
    """What is kept changes during the isolation."""
    told = ("isolation_rehearsed", "isolated", "applied", "confirmed")

    def fire(self, field):
        self.change = lambda field: None
        super().fire(field)
        field.apply_policy(Policy(edit=self.edit()))


class IsolatedThenRenamed(IsolatedThenChanged):
    edit = IsolatedBehindARename.edit


class IsolatedThenAnotherLane(IsolatedThenChanged):
    edit = IsolatedBehindAnotherLane.edit


class IsolatedByMac(Isolated):
    """Everything of one machine is cut, by its MAC address: its addresses of both families."""
    told = ("isolated_mac", "isolated")

    def machines(self, field):
        return [("mac", field.mac_at("ops"))]

    def fire(self, field):
        self.words = self.machines(field)
        for words in self.words:
            self.answer = json.loads(field.sekisho("isolate", *words, "--reason", "matrix", "--json").stdout)
        self.done_at = time.monotonic()

    def after(self, field):
        for words in self.words:
            field.sekisho("rejoin", *words)

    def changed(self, state):
        return "cut"


class IsolatedByInterface(IsolatedByMac):
    """Everything behind an interface is cut."""
    told = ("isolated",)

    def machines(self, field):
        return [("interface", "lan1")]


class IsolatedByNetwork(IsolatedByMac):
    """Two networks are cut that the policy does not name, the second with IPv6."""
    told = ("isolated", "isolated")

    def machines(self, field):
        return [("address", "10.72.0.0/28"), ("address", "2001:db8:72::/120")]


ISOLATIONS = (IsolatedByMac, IsolatedByInterface, IsolatedByNetwork, IsolatedSilent, IsolatedLive, IsolatedBehindARename, IsolatedBehindAnotherLane, IsolatedBehindADoor, IsolatedThenADoor, IsolatedThenChanged,
              IsolatedThenRenamed, IsolatedThenAnotherLane)
