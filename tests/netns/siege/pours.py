# SPDX-License-Identifier: Apache-2.0
"""As many forbidden packets as this machine can send in a minute: the numbers that were sent,
counted and recorded agree, and an allowed session loses nothing."""
import json
import os
import subprocess

import crane
from cases import expect
from net import sh, wait_for

SECONDS = int(os.environ.get("SEKISHO_POUR_SECONDS", "10"))
WANTED = 110000  # packets per second, if the machine can send so many
PACE = 100000  # the least, if a whole minute was asked for and nobody else uses the machine
DENIED = ("10.73.0.2", "7")
BYTES_A_SECOND = 20000


def journal_bytes(site):
    folder = site.box.run_folder + "/state/journal"
    return sum(os.path.getsize(os.path.join(top, name)) for top, _, names in os.walk(folder) for name in names)


def lost_on_the_way(site):
    """Packets that the wire lost before the box, by its own counter."""
    said = json.loads(sh("ip", "-j", "-s", "link", "show", "it0", ns=site.box.data).stdout)[0]["stats64"]["rx"]
    return said["dropped"] + said["errors"]


def heard(site):
    """Single packets that the kernel has reported: it reports only a part of them, and counts
    all."""
    return site.box.status()["tap"]["records"]


def recorded(site, after):
    return sum(e["count"] for e in site.box.events(after) if e["kind"] == "drop")


def pace(said, busy):
    """A text about the pace. Fails if the pace is too low, if packets were sent for a minute or
    longer and no other program used the machine."""
    rate = said["sent"] / said["seconds"]
    if rate >= PACE:
        return "%d a second" % rate
    expect(SECONDS < 60 or busy, "%d a second, not %d, and the machine was free", rate, PACE)
    return "only %d a second, NOT the %d that are asked for%s" % (rate, PACE, " (others used the machine)" if busy else "")


def denied_without_number(site):
    busy = os.getloadavg()[0] > os.cpu_count()
    crane.serve(site)
    quiet = crane.measure(site)
    after, counted, told = site.box.last_seq(), site.box.drops(), heard(site)
    lost, written = lost_on_the_way(site), journal_bytes(site)
    pour = subprocess.Popen(["ip", "netns", "exec", site.box.ns("it"), site.build + "/netns/siege/pour", *DENIED, str(SECONDS), str(WANTED)],
                            stdout=subprocess.PIPE, text=True)
    beside = crane.measure(site)
    said = json.loads(pour.communicate(timeout=SECONDS * 10)[0])
    reached = said["sent"] - (lost_on_the_way(site) - lost)

    def difference():
        return {k: v - counted.get(k, 0) for k, v in site.box.drops().items() if v != counted.get(k, 0) and k != "ip_options"}
    expect(difference() == {"no_conduit": reached}, "%d reached the box, counted: %s", reached, difference())
    # Everything that the kernel has reported is recorded, one by one or in sums: none was left out
    # without a count.
    wait_for(lambda: recorded(site, after) == heard(site) - told, 40, "records of what the tap heard")
    grown = (journal_bytes(site) - written) / said["seconds"]
    expect(grown < BYTES_A_SECOND, "the journal grew by %d bytes a second", grown)
    return "%s for %.0f s, each counted; the kernel told of %d, each recorded; the journal grows by %d bytes a second; the crane p50 %.0f -> %.0f us, p99 %.0f -> %.0f us, none lost" % (
        pace(said, busy), said["seconds"], recorded(site, after), grown, quiet[0], beside[0], quiet[1], beside[1])
