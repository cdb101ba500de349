#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that no alarm is raised while the demonstration's terminal does what its policy allows.
Each allowed attempt is made once. Two weeks later, by a clock that the test sets, so that every
host counts as known for long, all of them are made again and again while a crane is polled. At the
end a request that nobody made before and three refused writes must raise alarms, which shows that
the check works.
Needs a network of its own:   tests/netns/alone tests/demo/quiet.py [SECONDS, 3600]"""
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "netns", "change")]
import terminal  # noqa: E402
from crossings import crossings  # noqa: E402
import modbus  # noqa: E402
from net import wait_for  # noqa: E402
from seam import Seam  # noqa: E402
from tries import speak  # noqa: E402

WEEKS, EVERY, MAINT, RTG03 = 15 * 86400, 20, "10.20.0.30", "10.30.1.12"


def main(seconds):
    terminal.check_machine()
    t, seam = terminal.Terminal(), Seam("/run/sekisho-test-change/run")
    t.wires()
    t.hosts()
    t.start_box(os.path.join(terminal.BUILD, "netns", "change"))  # whose clock can be set

    def alarms():
        return {a["attack"]: a for a in json.loads(t.sekisho("attacks", "--json").stdout)["alarms"]}

    def rung(cause):
        return wait_for(lambda: alarms().get(cause), 20, "an alarm of " + cause)

    def told():
        """Makes the box record what it accepted, which it otherwise does once an hour."""
        t.sekisho("apply", t.policy)
    told()
    allowed, made, failed = [c for c in crossings(t) if c.expected == "passed" and not c.observed], 0, []

    def a_round():
        nonlocal made
        for c in allowed:
            got = c.attempt()
            made += 1
            if got != "passed":
                failed.append("%s > %s: %s: %s" % (c.who, c.whom, c.what[0], got))
    a_round()
    t.poller()
    wait_for(lambda: t.poller_counts("crane")["polls"] > 0, 20, "a poll of the crane")
    told()
    seam.pass_by(WEEKS)
    told()
    # The journal may have read one of its clocks before the first call of pass_by, and the other
    # one after it. Then it distrusts the clock for two hours, so two more hours have to pass.
    seam.pass_by(WEEKS + 7200)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        at = time.monotonic()
        a_round()
        # only the pace; nothing is awaited
        time.sleep(max(0.0, min(EVERY - (time.monotonic() - at), seconds - (time.monotonic() - begun))))
    took = time.monotonic() - begun
    told()
    t.events()
    rang, polls = alarms(), t.poller_counts("crane")["polls"]
    print("%d tries of %d kinds and %d polls in %.0f s: %d alarms" % (made, len(allowed), polls, took, len(rang)))
    for what in [json.dumps(a, ensure_ascii=False) for a in rang.values()] + failed:
        print("    " + what)
    # These must raise alarms: a host that is known for long reads a crane for the first time, and
    # writes.
    tos, read, write = t.net.ns("tos"), modbus.read_holding(0, 10), modbus.write_register(400, 1)
    if speak(tos, RTG03, 502, [read], MAINT)() != "passed":
        raise RuntimeError("what the policy allows did not pass")
    told()
    rung("fresh")
    for _ in range(3):
        speak(tos, RTG03, 502, [write], MAINT)()
    rung("write")
    print("and two rang when they were to: what was never asked, and three refused writes")
    return not rang and not failed and polls > 0


if __name__ == "__main__":
    try:
        good = main(float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0)
    finally:
        terminal.take_down()
    print("%d passed, %d failed" % (good, not good), flush=True)
    os._exit(not good)
