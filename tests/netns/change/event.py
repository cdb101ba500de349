# SPDX-License-Identifier: Apache-2.0
"""An event of the matrix: what it does, what is expected of each state then, and what the box has
to record. Expectations are written from the design, not from what the box does.

    goes_on   no packet was lost, and nobody was reset
    cut       the next packet does not arrive, and both ends were told
    refused   like cut; nothing of the session was ever allowed
    any       it goes on, or both ends were told: the event removed what the box knew of it"""
import os
import signal
import time

from net import wait_for
from policies import Policy


class Event:
    policy = Policy()
    seam = False      # needs the daemon that was linked with seam.c
    lossless = True   # the polling session has no retransmission
    kept = ()         # lanes that lose nothing nevertheless
    # rules are missing for a moment while forwarding is on, for no longer than the record says
    gap = False
    told = ()         # codes of policy records that it leaves, in order
    roles = ()        # roles that it ends
    drift = ()        # codes of drift records, one of which must be in the journal
    excuse = ""       # words of a drift record that only says that something could not be compared
    # a person's order cuts the sessions, not a policy; the cut lasts whatever else happens
    cuts = False
    exact = True      # the kernel counts every forbidden packet by a reason

    def before(self, field):
        field.apply_policy(self.policy)

    def fire(self, field):
        raise NotImplementedError

    def after(self, field):
        """Removes what the event left behind."""

    def policies(self):
        """All policies that may be in force meanwhile, from the first to the last."""
        return [self.policy]

    def changed(self, state):
        """The expectation by the policies: a session that the last policy does not allow is cut."""
        return "goes_on" if self.policies()[-1].allows(state) else "cut"

    def expect(self, state):
        if state.refused:
            return "refused"
        if state.ended:
            return "goes_on" if self.changed(state) in ("goes_on", "any") else "cut"
        return self.changed(state)

    def room(self, state):
        """Whether the ends of the state can begin a new session."""
        return True

    def polls(self):
        """The expectation for the session that polls: as for an open session of the commands
        lane."""
        from states import OpenAndSilent
        return self.changed(OpenAndSilent)

    def also(self, state):
        """Uses what the event newly allows, in a session that goes on."""

    def told_at_once(self, state):
        """Whether both ends are told of the cut although neither sends a packet."""
        return False

    def wrong(self, field, states):
        """Compares the box's reports with the facts. Returns a sentence for each difference."""
        return ()

    @classmethod
    def name(cls):
        return cls.__name__


def ports(answer, key):
    return {int(x["client"].rsplit(":", 1)[1]) for x in answer.get(key, [])}


class Applied(Event):
    new = Policy()
    options = ()
    told = ("applied", "confirmed")

    def policies(self):
        return [self.policy, self.new]

    def fire(self, field):
        self.announced = field.apply_policy(self.new, "--dry-run", *self.options)
        self.answer = field.apply_policy(self.new, *self.options)
        self.done_at = time.monotonic()

    def told_at_once(self, state):
        """True for sessions whose hosts may not communicate at all any more. Other sessions are
        judged again only when they send a packet."""
        return self.new.change.get("elsewhere") and state.followed and not state.halfway and state.f.sport in ports(self.answer, "cut")

    def narrows(self):
        """Refuses the writes that were accepted."""
        from states import WriteUnacknowledged
        return not self.new.allows(WriteUnacknowledged) and not self.new.change.get("elsewhere")

    def wrong(self, field, states):
        for s in states:
            yield from self.wrong_lists(s)
        for key in ("cut", "narrowed"):
            for entry in self.answer.get(key, []):
                yield from self.wrong_entry(key, entry, states)
        for answer, when in ((self.announced, "the dry run"), (self.answer, "the apply")):
            if answer.get("unknown"):
                yield "%s does not know what becomes of %d sessions, though every worker is there" % (when, answer["unknown"])
        if self.announced["generation"]["digest"] == self.answer["generation"]["digest"] and self.new.change != self.policy.change:
            yield "the dry run changed what is in force"

    def wrong_lists(self, s):
        """Compares the lists before and at the apply with what then happened to this flow."""
        if not s.moves:
            for key in ("cut", "narrowed"):
                before, now = s.f.sport in ports(self.announced, key), s.f.sport in ports(self.answer, key)
                if before != now:
                    yield "%s: %s by the dry run: %s, by the apply: %s" % (s.name(), key, before, now)
        cut, narrowed = s.f.sport in ports(self.answer, "cut"), s.f.sport in ports(self.answer, "narrowed")
        if s.ended or s.refused or s.halfway or not s.followed or s.moves:
            return
        want = self.expect(s)
        if want == "goes_on" and cut:
            yield "%s goes on, and is in the list of cuts" % s.name()
        if want == "cut" and s.accepted and not (cut or narrowed):
            yield "%s is cut, and stands in no list" % s.name()
        if self.narrows() and s.lane == "commands" and s.wrote and not (cut or narrowed):
            yield "%s wrote what is refused now, and stands in no list" % s.name()
        if want == "goes_on" and not s.wrote and narrowed:
            yield "%s said nothing that is refused now, and is in the list of what is narrowed" % s.name()

    def wrong_entry(self, key, entry, states):
        """An entry names the conduit; for a narrowed session also the command that was sent."""
        s = next((x for x in states if x.f.sport == int(entry["client"].rsplit(":", 1)[1])), None)
        if s is None or s.moves:
            return
        if s.lane == "commands" and (entry.get("conduit") or "").removesuffix("-plc") not in ("reads", "writes", "reads-renamed", "reads-next", "writes-next", "pair"):
            yield "%s: the list of %s names conduit %s" % (s.name(), key, entry.get("conduit"))
        if key == "narrowed" and s.wrote and not s.partial:
            said = [c for c in entry["commands"] if c["function"] == 6 and c.get("address") == 1 and c.get("low") == 7 == c.get("high")]
            if not said or said[0]["count"] < 1:
                yield "%s wrote 7 to holding 1, and the list says %s" % (s.name(), entry["commands"])


# ---- roles ---------------------------------------------------------------------------------------

def signal_all(field, role, number):
    for pid in field.pids(role):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def anew(field, role, old, seconds=6):
    wait_for(lambda: field.running() and not set(field.pids(role)) & set(old), seconds, role + " anew")


class Killed(Event):
    role = None

    @property
    def roles(self):
        return (self.role,)

    def fire(self, field):
        old = field.pids(self.role)
        signal_all(field, self.role, signal.SIGKILL)
        anew(field, self.role, old)


class Stopped(Killed):
    def fire(self, field):
        old = field.pids(self.role)
        signal_all(field, self.role, signal.SIGSTOP)
        anew(field, self.role, old, 12)


class WorkerLost(Event):
    """The worker's state is lost: the session goes on by when_midstream."""
    lossless = False

    def changed(self, state):
        return "any" if state.lane in ("commands", "naming", "shadow", "pick_up") else "goes_on"
