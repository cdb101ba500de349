# SPDX-License-Identifier: Apache-2.0
"""A crane behind inspection in a zone of the box, and the benchmarks' client, which measures how
long its answers take."""
import json
import statistics
import subprocess

from cases import expect
from modbus import connect
from net import wait_for

PLC = "10.73.0.2"
ROUNDS, ROUND_MS = 5, 1000


def serve(site):
    """Starts a PLC that answers until the box is closed. Further calls do nothing."""
    if site.__dict__.setdefault("crane", False):
        return
    site.crane = True
    site.box.net.spawn([site.build + "/bench/load", "serve", PLC, "502"], site.box.ns("ot"))

    def there():
        try:
            connect(site.box.ns("ops"), PLC, 502).close()
            return True
        except OSError:
            return False
    wait_for(there, 10, "the PLC")


def measure(site):
    """(p50, p99, requests) of a session's requests, each waiting for the one before: medians of
    five rounds, in microseconds."""
    rounds = []
    for _ in range(ROUNDS):
        done = subprocess.run(["ip", "netns", "exec", site.box.ns("ops"), site.build + "/bench/load", "rtt", PLC, "502", str(ROUND_MS)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        expect(done.returncode == 0, "a request was not answered: %s", done.stderr)
        rounds.append(json.loads(done.stdout))
    return tuple(statistics.median(r[key] for r in rounds) for key in ("p50_us", "p99_us")) + (sum(r["n"] for r in rounds),)
