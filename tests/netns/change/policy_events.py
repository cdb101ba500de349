# SPDX-License-Identifier: Apache-2.0
"""Changes of the policy. What happens to a flow follows from what the policies allow
(Policy.allows)."""
import json
import time

from event import Applied, Event
from modbus import read_holding
from net import wait_for
from policies import Policy, moment
from states import read_answer


class SameTextAgain(Applied):
    pass


class WidenedForThisFlow(Applied):
    new = Policy(holding="0-199")


class WidenedByAPair(Applied):
    """A conduit for this client alone, inside of the conduit of its network: live sessions may use
    at once what it allows."""
    new = Policy(pair=True)
    given = 150  # a register that only the pair may read

    def also(self, state):
        if state.lane == "commands" and state.lasts:
            state.tid += 1
            state.f.exchange(read_holding(self.given, 4, tid=state.tid), read_answer(state.tid))


class WidenedForOthers(Applied):
    new = Policy(others=True)


class AnotherPairTakenAway(Applied):
    policy, new = Policy(others=True), Policy()


class NarrowedByAddress(Applied):
    new = Policy(elsewhere=True)


class NarrowedByCommand(Applied):
    new = Policy(writes=False)


class NarrowedByValue(Applied):
    new = Policy(values="0-6")


class NarrowedByRegister(Applied):
    new = Policy(holding="2-99")


class NarrowedForNewSessions(Applied):
    """`on_tighten = "new_flows"`: a session goes on. A host that closed its session, or got no
    answer yet, gets no new session."""
    policy = Policy(keys={"on_tighten": "new_flows"})
    new = Policy(elsewhere=True, keys={"on_tighten": "new_flows"})

    def changed(self, state):
        new = state.ended or not state.answered or not state.labelled
        return "cut" if state.lane == "commands" and new else "goes_on"

    def narrows(self):
        return False


class ModeChanged(Applied):
    """What was refused is now only recorded. A session that was cut for it stays cut. A
    subscription needs a conduit that enforces."""
    new = Policy(keys={"mode": "observe"})

    def changed(self, state):
        return "cut" if state.subscribed else super().changed(state)


class EnforcedAgain(Applied):
    policy, new = Policy(keys={"mode": "observe"}), Policy()

    def expect(self, state):
        # while nothing was enforced, repetitions passed in this state; the session ends now
        return super().expect(state)


class FailureWordsChanged(Applied):
    new = Policy(keys={"when_down": "hold", "when_overloaded": "hold", "when_midstream": "pick_up"})


class FailureWordsTightened(Applied):
    policy, new = FailureWordsChanged.new, Policy()


class CriticalityChanged(Applied):
    new = Policy(keys={"criticality": "safety"})


class Renamed(Applied):
    new = Policy(name="reads-renamed")


class EndedByTime(Event):
    """`until` comes while all sessions are in use."""
    SECONDS = 14

    def before(self, field):
        self.end = int(time.time()) + self.SECONDS
        field.apply_policy(self.policy_until())

    def policy_until(self):
        return Policy(keys={"until": moment(self.SECONDS)})

    def delay(self):
        """Shortly before the end, when packets on their way matter."""
        return max(0.0, self.end - time.time() - 0.1)

    def fire(self, field):
        wait_for(lambda: time.time() > self.end + 0.1, 30, "the end")
        self.done_at = time.monotonic()

    def changed(self, state):
        return "cut" if state.lane == "commands" else "goes_on"

    def told_at_once(self, state):
        return state.followed and not state.halfway and not state.ended and not state.refused


class Isolated(Event):
    """A person cuts the conduits of one lane; the others are kept. The ends of a silent session
    learn of the cut only when one of them sends a packet."""
    told, cuts = ("isolated",), True

    def fire(self, field):
        self.answer = json.loads(field.sekisho("isolate", "commands", "--reason", "matrix", "--json").stdout)
        self.done_at = time.monotonic()

    def after(self, field):
        field.sekisho("rejoin", "commands")

    def changed(self, state):
        return "cut" if state.lane == "commands" else "goes_on"

    def wrong(self, field, states):
        if not self.answer["done"] or self.answer["took_us"] > 100000:
            yield "the isolation: %s" % {k: self.answer.get(k) for k in ("done", "took_us", "error")}


class Rehearsed(Isolated):
    """A drill: only tells what would be cut, and no session notices."""
    told = ("isolation_rehearsed",)

    def fire(self, field):
        self.answer = json.loads(field.sekisho("isolate", "commands", "--rehearse", "--reason", "drill", "--json").stdout)
        self.done_at = time.monotonic()

    def after(self, field):
        pass

    def changed(self, state):
        return "goes_on"

    def wrong(self, field, states):
        if self.answer["sessions"] < 1 or "reads" not in self.answer["conduits"] or "plain" in self.answer["conduits"]:
            yield "the rehearsal: %s" % {k: self.answer.get(k) for k in ("sessions", "conduits")}


class Rejoined(Event):
    """An isolation elsewhere ends: no session here notices."""
    told = ("rejoined",)

    def before(self, field):
        super().before(field)
        field.sekisho("isolate", "zones", "it", "ops", "--reason", "matrix")

    def fire(self, field):
        field.sekisho("rejoin", "zones", "it", "ops")
        self.done_at = time.monotonic()

    def after(self, field):
        field.sekisho("rejoin", "zones", "it", "ops", check=False)


class DoorShut(Event):
    """A person shuts the door of one lane. The rules about narrowed policies do not apply to
    this."""
    policy = Policy(keys={"door": "gate", "on_tighten": "new_flows"})
    told, cuts = ("door_shut",), True

    def before(self, field):
        super().before(field)
        field.sekisho("open", "gate", "--for", "30m")

    def fire(self, field):
        field.sekisho("shut", "gate")
        self.done_at = time.monotonic()

    def changed(self, state):
        return "cut" if state.lane == "commands" else "goes_on"

    def told_at_once(self, state):
        return state.followed and not state.halfway and not state.ended and not state.refused


class TakenAwayAsItEnds(EndedByTime):
    """The kernel has ended a permission, and hardly any session was told yet. At a random moment
    then, the text with the permission is replaced."""
    told = ("applied", "confirmed")

    def fire(self, field):
        at = self.end - field.rng.uniform(0, 0.15)
        wait_for(lambda: time.time() > at, 30, "the moment")
        field.apply_policy(Policy(elsewhere=True))
        wait_for(lambda: time.time() > self.end + 0.1, 30, "the end")
        self.done_at = time.monotonic()


class SuccessorStands(EndedByTime):
    """The right ends; another one over the same space with a later end goes on."""

    def policy_until(self):
        return Policy(keys={"until": moment(self.SECONDS)}, successor=moment(3600))

    def changed(self, state):
        return "goes_on"


class SuccessorStarts(SuccessorStands):
    """The successor is added to the text while its predecessor is in force; then the predecessor
    ends."""
    told = ("applied", "confirmed")

    def policy_until(self):
        return Policy(keys={"until": moment(self.SECONDS)})

    def fire(self, field):
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.end))
        field.apply_policy(Policy(keys={"until": until}, successor=moment(3600)))
        super().fire(field)


class ConfirmedNarrowing(NarrowedByCommand):
    options = ("--confirm", "60")

    def fire(self, field):
        super().fire(field)
        field.sekisho("confirm")


class TrialExpired(Applied):
    new = Policy(holding="0-199")
    options = ("--confirm", "1")
    told = ("applied", "reverted")

    def policies(self):
        return [self.policy, self.new, self.policy]

    def fire(self, field):
        before = field.digest()
        super().fire(field)
        wait_for(lambda: field.digest() == before, 5, "the return")


class NarrowingTrialExpired(TrialExpired):
    """What was cut on trial stays cut; what was not touched has lost nothing."""
    new = Policy(writes=False)

    def changed(self, state):
        return "goes_on" if self.new.allows(state) else "any"


class TrialCalledOff(Applied):
    new = Policy(holding="0-199")
    options = ("--confirm", "60")
    told = ("applied", "reverted")

    def policies(self):
        return [self.policy, self.new, self.policy]

    def fire(self, field):
        super().fire(field)
        field.sekisho("rollback")


class TrialThatGaveExpires(Event):
    """Sessions that the trial allowed are told when its time is over."""
    policy, tried, seconds, told = Policy(elsewhere=True), Policy(), 12, ("reverted",)

    def policies(self):
        return [self.tried, self.policy]

    def before(self, field):
        field.apply_policy(self.policy)
        self.digest = field.digest()
        self.end = time.monotonic() + self.seconds
        field.apply_policy(self.tried, "--confirm", str(self.seconds))

    def delay(self):
        return max(0.0, self.end - time.monotonic() - 0.1)

    def fire(self, field):
        wait_for(lambda: field.digest() == self.digest, 30, "the return")
        self.done_at = time.monotonic()

    def told_at_once(self, state):
        return state.followed and not state.halfway and not state.ended and not state.refused


class TrialThatGaveIsCalledOff(TrialThatGaveExpires):
    seconds = 600

    def delay(self):
        return 0.0

    def fire(self, field):
        field.sekisho("rollback")
        self.done_at = time.monotonic()


class TrialThatGaveIsTakenOver(TrialThatGaveIsCalledOff):
    """The policy of before is applied again."""
    told = ("applied", "confirmed")

    def fire(self, field):
        field.apply_policy(self.policy, "--take-over")
        self.done_at = time.monotonic()


class RolledBack(TrialCalledOff):
    options = ()
    told = ("applied", "confirmed", "reverted")


class RolledBackToLess(Event):
    """The earlier policy allowed no writes."""
    policy = Policy(writes=False)
    told = ("reverted",)

    def policies(self):
        return [Policy(), self.policy]

    def before(self, field):
        field.apply_policy(self.policy)
        field.apply_policy(Policy())

    def fire(self, field):
        field.sekisho("rollback")
        self.done_at = time.monotonic()


class TakenOver(Applied):
    new = Policy(holding="0-199")
    told = ("applied", "applied", "confirmed")

    def fire(self, field):
        field.apply_policy(Policy(others=True), "--confirm", "60")
        self.answer = field.apply_policy(self.new, "--take-over")

    def wrong(self, field, states):
        for s in states:
            if not s.ended and not s.refused and not s.halfway and any(int(x["client"].rsplit(":", 1)[1]) == s.f.sport for x in self.answer["cut"]):
                yield "%s goes on, and is in the list of cuts" % s.name()


class FewerWorkers(Applied):
    """Another number of workers is wanted: every session stays with the worker that knows it, and
    none notices."""

    def fire(self, field):
        before, field.workers = field.workers, 1
        try:
            super().fire(field)
        finally:
            field.workers = before

    def wrong(self, field, states):
        yield from super().wrong(field, states)
        status = field.status()
        if status["workers_asked"]["commands"] != 1 or status["workers_run"]["commands"] == 1:
            yield "asked for are %s workers, and %s run" % (status["workers_asked"], status["workers_run"])

    def after(self, field):
        field.apply_policy(Policy())
        field.ready()


class BoxFactsChanged(Applied):
    """The policy gives an interface another address besides its own, and a smaller MTU."""
    facts = {'"10.73.0.1/24", "2001:db8:73::1/64"]': '"10.73.0.1/24", "10.73.0.250/24", "2001:db8:73::1/64"]; mtu = 1400'}

    def fire(self, field):
        field.facts = self.facts
        try:
            super().fire(field)
        finally:
            field.facts = {}

    def wrong(self, field, states):
        yield from super().wrong(field, states)
        lan2 = next(i for i in field.status()["interfaces"] if i["name"] == "lan2")
        if lan2["mtu"] != 1400 or "10.73.0.250/24" not in lan2["addresses"]:
            yield "the interface is not as the policy says: %s" % lan2


POLICY = (SameTextAgain, WidenedForThisFlow, WidenedByAPair, WidenedForOthers, AnotherPairTakenAway, NarrowedByAddress, NarrowedByCommand,
          NarrowedByValue, NarrowedByRegister, NarrowedForNewSessions, ModeChanged, EnforcedAgain, FailureWordsChanged,
          FailureWordsTightened, CriticalityChanged, Renamed, EndedByTime, Isolated, Rehearsed, Rejoined, DoorShut, TakenAwayAsItEnds, SuccessorStands, SuccessorStarts, ConfirmedNarrowing,
          TrialExpired, NarrowingTrialExpired, TrialCalledOff, TrialThatGaveExpires, TrialThatGaveIsCalledOff, TrialThatGaveIsTakenOver, RolledBack, RolledBackToLess, TakenOver, FewerWorkers,
          BoxFactsChanged)
