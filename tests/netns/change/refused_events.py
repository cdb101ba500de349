# SPDX-License-Identifier: Apache-2.0
"""An apply fails at each of its steps: every report says that the policy in force is the old one,
and no session loses anything. Sessions may lose something only where the new rules were in force
for a moment or nothing passed (RefusedReadingBack, UndoneNarrowing*), and where the process that
applies them dies (EnforceDies*): then either policy may be in force."""
import os
import random
import signal
import threading

import seam
from event import Event
from net import wait_for
from policies import Policy


class Refused(Event):
    told = ("refused",)
    new = Policy(holding="0-199", others=True)

    def order(self, field):
        """Makes the step fail."""

    def fire(self, field):
        self.was = field.digest()
        self.order(field)
        try:
            self.answer = field.apply_policy(self.new, check=False)
        finally:
            field.facts = {}
            self.left = field.seam.left(self.point) if self.seam else 0
            field.seam.nothing()

    def wrong(self, field, states):
        if self.answer.get("done") is True:
            yield "it was applied"
        if not self.answer.get("error") and not self.answer.get("diagnostics") and not self.answer.get("text"):
            yield "nobody says why: %s" % self.answer
        wait_for(lambda: not field.status()["busy"], 5, "the box to be at rest")
        if field.digest() != self.was:
            yield "another policy is in force"
        newest = field.history()[0]
        if newest["digest"] != self.was and newest["state"] != "reverted":
            yield "history: %s" % newest
        try:
            wait_for(lambda: field.verified()[0], 6, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]


class RefusedText(Refused):
    new = Policy(keys={"critcality": "cargo"})
    told = ()  # the command line compiled it itself, and did not ask the box


class RefusedDevice(Refused):
    """A device of the new policy does not exist."""

    def order(self, field):
        field.facts = {'device = "it0"': 'device = "nobody0"'}


class RefusedByStep(Refused):
    seam = True
    point, times = None, 1

    def order(self, field):
        field.seam.fail(self.point, self.times)

    def wrong(self, field, states):
        if self.left == self.times:
            yield "what was to fail was not even tried"
        yield from super().wrong(field, states)


class RefusedByStore(RefusedByStep):
    point = seam.STORE


class RefusedByWorkers(RefusedByStep):
    """All workers refuse the table. A single worker that refuses is replaced, and its successor
    asked (tests/netns/daemon, one_worker_refuses)."""

    def order(self, field):
        self.times = sum(r["role"] == "dpi" for r in field.status()["roles"])
        super().order(field)


class RefusedByWorker(RefusedByWorkers):
    """No worker can load the table."""
    point = seam.TABLE


class RefusedByDigest(RefusedByWorkers):
    """The workers have another table than the one that they were given."""
    point = seam.DIGEST


class RefusedForetelling(RefusedByStep):
    point = seam.FORETELL


class RefusedByKernel(RefusedByStep):
    point = seam.BATCH


class RefusedNarrowingByKernel(RefusedByKernel):
    """Cells and labels are changed in two transactions, and the second one is refused."""
    new = Policy(elsewhere=True, holding="0-50")

    def order(self, field):
        field.seam.fail(self.point, 1, 1)


class RefusedReadingBack(RefusedByStep):
    """The transaction was committed, but its result cannot be read: forwarding is switched off, and
    everything is undone."""
    point, times, lossless, exact = seam.READ_BACK, 30, False, False
    drift = ("opened",)  # that nothing passed, and the end of this state

    def fire(self, field):
        super().fire(field)
        wait_for(lambda: field.verified()[0], 3, "forwarding, and the rules of the policy in force")


class RefusedFacts(RefusedByStep):
    """Addresses are set after the rules, and cannot be: the old rules are put back, and no packet
    is lost."""
    point = seam.FACTS

    def order(self, field):
        field.facts = {'"10.73.0.1/24", "2001:db8:73::1/64"]': '"10.73.0.1/24", "10.73.0.250/24", "2001:db8:73::1/64"]'}
        super().order(field)


class RefusedConfirming(RefusedByStep):
    """The policy for the next start cannot be written."""
    point = seam.CONFIRM


class UndoneNarrowing(RefusedByStep):
    """A policy that no longer allows the sessions of the lane `commands` is undone after the kernel
    has it: one of them that sends at that moment is told that it is cut, and a silent one is told
    nothing."""
    new = Policy(elsewhere=True)
    lossless = False

    def changed(self, state):
        return "any" if state.moves and state.lane == "commands" else super().changed(state)

    def polls(self):
        return "any"


class UndoneNarrowingFacts(UndoneNarrowing):
    point = seam.FACTS

    def order(self, field):
        field.facts = {'"10.73.0.1/24", "2001:db8:73::1/64"]': '"10.73.0.1/24", "10.73.0.250/24", "2001:db8:73::1/64"]'}
        super().order(field)


class UndoneNarrowingConfirming(UndoneNarrowing):
    point = seam.CONFIRM


class UndoneNarrowingReadingBack(UndoneNarrowing):
    point, times, exact = seam.READ_BACK, 30, False
    drift = ("opened",)

    def fire(self, field):
        super().fire(field)
        wait_for(lambda: field.verified()[0], 3, "forwarding, and the rules of the policy in force")


class EnforceDiesOverIt(Refused):
    """Enforce is killed at a random moment of an apply. Afterwards one of the two policies is in
    force completely."""
    lossless = False
    roles = ("enforce",)

    @property
    def told(self):
        return ("refused",) if self.answer.get("done") is not True else ("applied", "confirmed")

    def order(self, field):
        def kill():
            threading.Event().wait(random.Random(field.rng.random()).uniform(0, 0.3))
            for pid in field.pids("enforce"):
                os.kill(pid, signal.SIGKILL)
        threading.Thread(target=kill, daemon=True).start()

    def wrong(self, field, states):
        wait_for(lambda: field.running() and not field.status()["busy"], 10, "the box to be at rest")
        if self.answer.get("done") is not True:
            yield from super().wrong(field, states)
            return
        if field.digest() != self.answer["generation"]["digest"]:
            yield "another policy is in force than was said"
        try:
            wait_for(lambda: field.verified()[0], 6, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]


class EnforceDiesOverNarrowing(EnforceDiesOverIt):
    """Each session that the new policy does not allow either goes on, or its ends were told. When
    the apply was done, the ends of all of them were told."""
    new = Policy(elsewhere=True)

    def policies(self):
        return [self.policy, self.new] + ([] if self.answer.get("done") is True else [self.policy])

    def changed(self, state):
        want = super().changed(state)
        return "any" if want == "goes_on" and not self.new.allows(state) else want

    def polls(self):
        return "cut" if self.answer.get("done") is True else "any"


REFUSED = (RefusedText, RefusedDevice, EnforceDiesOverIt, EnforceDiesOverNarrowing)
BY_STEP = (RefusedByStore, RefusedByWorker, RefusedByDigest, RefusedForetelling, RefusedByKernel, RefusedNarrowingByKernel,
           RefusedReadingBack, RefusedFacts, RefusedConfirming, UndoneNarrowingFacts, UndoneNarrowingConfirming, UndoneNarrowingReadingBack)
