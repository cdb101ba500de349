# SPDX-License-Identifier: Apache-2.0
"""The boots after an apply: the box comes up with the policy of before, and in the next boot gives
its cards back."""
import json
import re

from install import AT_READY, OWN
from tools import SPACES, addresses, cards, check, in_force, moment, plain, rules, run, show, wait_for


def after_boot():
    base, before = moment("sekisho-base", "ActiveEnterTimestampMonotonic"), moment("network-pre.target", "ActiveEnterTimestampMonotonic")
    check("after a boot the base rules stand before network-pre.target", 0 < base < before, "%.3f s, %.3f s" % (base, before))
    flushed, began = moment("nftables", "ExecMainExitTimestampMonotonic"), moment("sekisho-base", "ExecMainStartTimestampMonotonic")
    check("... and come after the rules that the machine loads itself, which begin with a flush", 0 < flushed <= began and
          "of_the_machine" in run("nft", "list", "tables")[1], "%.3f s, %.3f s" % (flushed, began))
    took = wait_for(lambda: show("sekishod", "ActiveState")["ActiveState"] == "active", 60)
    ready = moment("sekishod", "ActiveEnterTimestampMonotonic")
    check("after a boot the policy of before is in force", took is not None and in_force() is not None, "ready at %.1f s" % ready)
    with open(AT_READY, encoding="utf-8") as f:
        text, said = re.match(r"(.*^})\s*({.*)", f.read(), re.S | re.M).groups()
    said = json.loads(said)
    check("when the daemon said that it is ready, the rules of that policy stood, the same as now, and it enforced them", plain(text) == rules() and
          said["generation"]["number"] == in_force() and said["kernel"]["forwarding"], "%d lines of rules, generation %s, forwarding %s" % (
              text.count("\n"), said["generation"]["number"], said["kernel"]["forwarding"]))
    check("the cards are the box's again", not cards() and run("sekisho", "verify")[0] == 0, cards())


def carried():
    """Waits long enough for many frames of every kind. The host at the wires counts what passed
    (../wire.py)."""
    def arrived():
        found = json.loads(run("ip", "-json", "-s", "link", "show", ns=SPACES[0])[1])
        return [x["stats64"]["rx"]["packets"] for x in found if x["ifname"].startswith("ens")]
    begin = arrived()
    check("frames of every kind arrive at both cards", len(begin) == 2 and wait_for(lambda: all(now > was + 200 for was, now in zip(begin, arrived())), 60) is not None,
          arrived())


def released():
    """The state of the two real cards before the first apply is on the disk, also a boot later."""
    code, text = run("sekisho", "release", "--all")
    now = {x: addresses(x) for x in cards()}
    check("sekisho release --all gives the cards back as they were before the first apply, a boot later", code == 0 and
          sorted(now.values()) == sorted(sorted(a % n for a in OWN) for n in (1, 2)), "%s %s" % (now, text[-300:] if code else ""))


STEPS = (after_boot, carried)
