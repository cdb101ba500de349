# SPDX-License-Identifier: Apache-2.0
"""The box is replaced by a new version while something changes."""
import threading
import time

import seam
from net import wait_for
from policies import Policy
from policy_events import EndedByTime
from role_events import ReplacedByANewVersion


class UpgradedOnTrial(ReplacedByANewVersion):
    """A trial ends with the daemon: the new version begins with the complete confirmed policy, and
    every report says so."""
    new = Policy(writes=False)
    told = ("applied", "reverted", "booted")

    def policies(self):
        return [self.policy, self.new, self.policy]

    def fire(self, field):
        self.was_digest = field.digest()
        field.apply_policy(self.new, "--confirm", "600")
        super().fire(field)

    def wrong(self, field, states):
        if field.digest() != self.was_digest:
            yield "another policy is in force: %s" % field.status()["generation"]
        history = field.history()
        if [h["digest"] for h in history if h["in_force"]] != [field.digest()] or any(h["state"] == "waiting" for h in history):
            yield "history: %s" % history
        try:
            wait_for(lambda: field.verified()[0], 6, "the rules of the policy in force")
        except TimeoutError:
            yield "kernel and workers are not as the policy in force: %s" % field.verified()[1]


class UpgradedWithinAnApply(ReplacedByANewVersion):
    """An apply runs when the daemon is told to end. Either the new policy is in force afterwards,
    the answer said so, and it is recorded; or the confirmed policy is in force, and nothing says
    that the new one ever was. The moment is drawn from the time that an apply takes."""
    new = Policy(writes=False)

    @property
    def told(self):
        done = self.answer.get("done") is True
        return ("applied", "confirmed", "booted") if done else ("reverted", "booted") if self.stored else ("booted",)

    def policies(self):
        return [self.policy, self.new] + ([] if self.answer.get("done") is True else [self.policy])

    def changed(self, state):
        if self.policies()[-1].allows(state):
            # it was refused for a moment
            return super().changed(state) if self.new.allows(state) else "any"
        return "cut"

    def moment(self, field):
        threading.Event().wait(field.rng.uniform(0, 0.3))

    def apply(self, field):
        try:
            self.answer = field.apply_policy(self.new, check=False)
        except Exception as e:  # the apply gets no answer
            self.answer = {"text": str(e)}

    def fire(self, field):
        self.was_digest = field.digest()
        newest = field.history()[0]["number"]
        self.replace()
        asking = threading.Thread(target=self.apply, args=(field,))
        asking.start()
        self.moment(field)
        self.end_old(field)
        self.let_go(field)
        self.begin_new(field)
        asking.join()
        self.stored = field.history()[0]["number"] != newest
        self.done_at = time.monotonic()

    def let_go(self, field):
        pass

    def wrong(self, field, states):
        done = self.answer.get("done") is True
        if not done and not self.answer.get("error") and not self.answer.get("diagnostics") and not self.answer.get("text"):
            yield "nobody says why: %s" % self.answer
        if (field.digest() != self.was_digest) != done:
            yield "it was said to be %s, and in force is %s" % ("done" if done else "given up", field.status()["generation"])
        history = field.history()
        if [h["digest"] for h in history if h["in_force"]] != [field.digest()] or any(h["state"] == "waiting" for h in history):
            yield "history: %s" % history


class UpgradedAtAStep(UpgradedWithinAnApply):
    """The same when the apply is stopped at one of its steps."""
    seam = True
    point = None

    def moment(self, field):
        field.seam.hold(self.point)
        wait_for(lambda: field.seam.came(self.point), 20, "the step")

    def let_go(self, field):
        field.seam.hold(self.point, False)


class UpgradedBeforeTheRules(UpgradedAtAStep):
    point = seam.BATCH


class UpgradedBehindTheRules(UpgradedAtAStep):
    """The kernel has the new rules, but they were not read back."""
    point = seam.READ_BACK


class UpgradedWhileWorkersLearn(UpgradedAtAStep):
    point = seam.TABLE


class UpgradedOverAnEnd(EndedByTime, ReplacedByANewVersion):
    """A right ends when the old version has ended and the new one does not run yet."""
    told = ("booted",)

    def before(self, field):
        ReplacedByANewVersion.before(self, field)
        EndedByTime.before(self, field)

    def begin_at(self):
        return self.end + 0.4

    def end_at(self, field):
        return self.end - 0.4

    def fire(self, field):
        self.replace()
        wait_for(lambda: time.time() > self.end_at(field), 30, "the moment before the end")
        self.end_old(field)
        wait_for(lambda: time.time() > self.begin_at(), 30, "the moment behind the end")
        self.begin_new(field)
        self.done_at = time.monotonic()

    def changed(self, state):
        return "cut" if state.lane == "commands" else ReplacedByANewVersion.changed(self, state)

    def told_at_once(self, state):
        return False  # the new version knows the numbers of no session before it sends


class UpgradedAtAnEnd(UpgradedOverAnEnd):
    """The right ends at a random moment while the old version ends and the new one starts."""

    def begin_at(self):
        return 0

    def end_at(self, field):
        if not hasattr(self, "at"):
            self.at = self.end - field.rng.uniform(0, 0.8)
        return self.at


UPGRADES = (UpgradedOnTrial, UpgradedWithinAnApply, UpgradedOverAnEnd, UpgradedAtAnEnd)
BY_STEP = (UpgradedWhileWorkersLearn, UpgradedBeforeTheRules, UpgradedBehindTheRules)
