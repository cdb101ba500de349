# SPDX-License-Identifier: Apache-2.0
"""Two events at once: drawn by a seed, begun a moment apart, over all states. What a flow is then
to expect follows from what both may do to it, and from the policy that is in force in the end,
whichever of the two had the last word:

  the policy in force forbids it           cut
  a person has isolated it, or shut its
  door, and that stands                    cut
  one of the policies on the way did, or
  one of the two may cost a session        goes on, or both ends were told
  else                                     goes on

And in any case: nothing forbidden arrives, whoever asked for a change was told what became of it,
the history and the status name one policy, and kernel and workers have exactly that one."""
import os
import threading
import time

import box_events
import edit_events
import flood_events
import other_events
import policy_events
import refused_events
import role_events
from event import Event
from net import wait_for
from policies import Policy

# Events whose result depends on their exact moment, or that remove the box or the device that the
# other event needs.
ALONE = (policy_events.NarrowedForNewSessions, policy_events.EndedByTime, policy_events.SuccessorStands, policy_events.SuccessorStarts,
         policy_events.FewerWorkers, policy_events.TakenAwayAsItEnds, policy_events.TrialThatGaveExpires, role_events.ReplacedByANewVersion, box_events.DeviceRenamed, box_events.DeviceMovedAway) + box_events.BY_SEAM
EVENTS = [e for part in (policy_events.POLICY, edit_events.EDITS, refused_events.REFUSED, role_events.ROLES, box_events.BOX, flood_events.FLOODS,
                         other_events.OTHERS, refused_events.BY_STEP) for e in part if e not in ALONE]
SPREAD = 0.4
# Edits by which sessions are not looked at, or not as closely. Behind them workers meet a session
# half-way.
BLIND = (edit_events.opaque, edit_events.opaque_pair, edit_events.all_commands, edit_events.unnamed)


def special(kind):
    """Whether this event needs a specially prepared box."""
    return kind.before is not Event.before or bool(kind.policy.change)


def draw(rng):
    while True:
        a, b = rng.sample(EVENTS, 2)
        if special(b):
            a, b = b, a
        if not special(b):
            return a, b, round(rng.uniform(0, SPREAD), 3)


class Pair(Event):
    seam, told, roles, drift, exact = True, None, None, None, False

    def __init__(self, first, second, offset):
        self.first, self.second, self.offset = first(), second(), offset
        self.lossless = self.first.lossless and self.second.lossless
        self.policy = self.first.policy
        self.gap = self.first.gap or self.second.gap
        self.cuts = self.first.cuts or self.second.cuts
        self.errors = []

    def name(self):
        return "%s+%s@%.3f" % (self.first.name(), self.second.name(), self.offset)

    def before(self, field):
        self.first.before(field)
        field.answers = []

    def fire(self, field):
        def begin(event, wait):
            threading.Event().wait(wait)
            try:
                event.fire(field)
            except Exception as e:
                self.errors.append((event, e))
        self.began, self.seq = time.monotonic(), field.last_seq()
        threads = [threading.Thread(target=begin, args=x) for x in ((self.first, 0), (self.second, self.offset))]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.ended = time.monotonic()
        if field.daemon.poll() is not None:
            field.start()
        wait_for(lambda: field.running() and not field.status()["busy"], 15, "the box to be at rest")
        self.done_at = time.monotonic()
        # thousands of a flood's sessions may have been told that they are cut
        for reader in field.net.captures + [field.ops, field.ot]:
            wait_for(reader.caught_up, 60, "what the two left in a capture")
        self.final = field.policies_by_digest.get(field.digest())

    def policies(self):
        return self.first.policies() + self.second.policies() + [Policy()]

    def changed(self, state):
        if self.final is None:
            return "any"
        if not self.final.allows(state):
            return "cut"
        for event, other in ((self.first, self.second), (self.second, self.first)):
            if event.cuts and event.changed(state) == "cut":
                return "cut" if self.stands(event) and other.changed(state) != "any" else "any"
        if any(p.change.get("edit") in BLIND for p in self.policies()) and self.final.change.get("edit") not in BLIND and state.lane != "fast":
            return "any"
        alone = {e.changed(state) for e in (self.first, self.second)}
        if alone <= {"goes_on", "cut"} and all(p.allows(state) for p in self.policies()):
            # a subscription ends with a policy that only observes, whatever that policy allows
            if state.subscribed and "cut" in alone:
                return "cut" if self.final.change.get("keys", {}).get("mode") == "observe" else "any"
            return "goes_on"
        return "any"

    def expect(self, state):
        want = super().expect(state)
        return "any" if want == "goes_on" and state.ended and not self.room(state) else want

    def room(self, state):
        return self.first.room(state) and self.second.room(state)

    def stands(self, event):
        """Whether the person's order was carried out, and agrees with the policy in force."""
        keys = event.policy.change.get("keys", {})
        return event not in [e for e, _ in self.errors] and self.final.change.get("keys", {}).get("door") == keys.get("door")

    def polls(self):
        """A session that polls without a pause meets every gap, so anything that either event may
        do to a session is allowed."""
        if "any" in (self.first.polls(), self.second.polls()):
            return "any"
        return super().polls()

    def wrong(self, field, states):
        """An event may be unable to check its own effect because of the other one. The box must be
        consistent all the same."""
        for event, e in self.errors:
            if not isinstance(e, (TimeoutError, RuntimeError, OSError, ValueError, KeyError, AssertionError)):
                yield "%s: %s: %s" % (event.name(), type(e).__name__, e)
        if self.final is None:
            yield "a policy is in force that nobody asked for: %s" % field.status()["generation"]
        for answer in field.answers:
            if answer.get("done") is not True and not answer.get("error") and not answer.get("diagnostics") and not answer.get("text"):
                yield "an apply was answered by nothing: %s" % answer
        for event in (self.first, self.second):
            try:
                event.after(field)
            # the device to be removed never came, or the other event removed it
            except RuntimeError as e:
                self.errors.append((event, e))
        if os.environ.get("VERBOSE"):
            for event, e in self.errors:
                print("NOTE    %s: %s: %s" % (event.name(), type(e).__name__, str(e)[:300]), flush=True)
        if any(h["in_force"] and h["state"] == "waiting" for h in field.history()):
            field.sekisho("rollback", check=False)  # nobody was left to confirm it
        wait_for(lambda: field.running() and not field.status()["busy"], 15, "the box to be at rest")
        history = field.history()
        in_force = [h for h in history if h["in_force"]]
        if len(in_force) != 1 or in_force[0]["digest"] != field.digest():
            yield "history says that in force is %s, status says %s" % (in_force, field.status()["generation"])
        waiting = [h for h in history if h["state"] == "waiting" and not h["in_force"]]
        if waiting:
            yield "history says that a trial waits that is not in force: %s" % waiting
        try:
            wait_for(lambda: field.verified()[0], 8, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]
