# SPDX-License-Identifier: Apache-2.0
"""The box is replaced by a new version while something changes."""
from net import wait_for
from policies import Policy
from role_events import ReplacedByANewVersion


class UpgradedOnTrial(ReplacedByANewVersion):
    """A trial does not outlive the daemon: the new version begins with what was confirmed, whole, and everybody says so."""
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


UPGRADES = (UpgradedOnTrial,)
