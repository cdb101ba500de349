# SPDX-License-Identifier: Apache-2.0
"""make bench-peers: Sekisho compared with Suricata, inline on the same kernel queue, in one run.
Hosts, wires, placement and scheduling priority are the same, and each round takes the paths in
another order (bench.py). Results are ratios to the accept-all loop, to tracking, and to Suricata
with rules beside it. peer.py and suricata/ have Suricata's settings.

The metrics are those of bench.py, and one for flows that are not queued once they are named:
  named    connect, TLS hello and its answer, request, answer, close: per second; tracking does the
           same exchange

Writes build/bench-peers.json. Without Suricata it prints so and exits with 0.
peers.py [--rounds N] [--milliseconds N] [--placement one|split|box] [--rates-only]
"""
import argparse
import json
import os
import random
import sys

import memory
import peer
from bench import Figures, in_rounds, measure, medians, print_medians
from paths import PLACEMENTS, TOP, Path, begin

# The metrics of each mode.
ASKED = {
    "tracking": ("udp", "named", "bulk"),
    "loop": ("rate", "crr", "rtt", "stream", "bulk"),
    "inspected": ("rate", "crr", "rtt", "stream"),
    "fast": ("udp", "named", "bulk"),
    "suricata": ("rate", "crr", "rtt", "stream", "bulk"),
    "suricata_named": ("udp", "named", "bulk"),
    "suricata_ruled": ("rate", "crr", "rtt", "stream", "bulk"),
    "suricata_named_ruled": ("udp", "named", "bulk"),
}
METRICS = ("udp", "rate", "crr", "named", "rtt", "stream", "bulk")
# text, mode of Sekisho, mode of Suricata, mode to which both are compared, figure, format
ROWS = (
    ("packets of requests, of the loop", "inspected", "suricata", "loop", "packets_per_s", "ratio"),
    ("connect-request-response, of the loop", "inspected", "suricata", "loop", "crr_per_s", "ratio"),
    ("p50 of a request above the loop, us", "inspected", "suricata", "loop", "p50_us", "above"),
    ("p99 above the loop, us", "inspected", "suricata", "loop", "p99_us", "above"),
    ("streamed answers, of the loop", "inspected", "suricata", "loop", "stream_mbit_per_s", "ratio"),
    ("bulk of one stream, all of it queued, of the loop", None, "suricata", "loop", "bulk_mbit_per_s", "ratio"),
    ("let go of once named: bulk, of tracking", "fast", "suricata_named", "tracking", "bulk_mbit_per_s", "ratio"),
    ("let go of once named: connecting, of tracking", "fast", "suricata_named", "tracking", "named_per_s", "ratio"),
    ("let go of once named: UDP packets, of tracking", "fast", "suricata_named", "tracking", "udp_packets_per_s", "ratio"),
)


def taken(path, metric, ms):
    if metric == "named":
        return {"named_per_s": measure(path, "crr", ms, 444)["crr_per_s"]}
    return measure(path, metric, ms)


def compared(rounds):
    rows = []
    for text, ours, theirs, under, key, how in ROWS:
        row = {"text": text}
        ruled = theirs + "_ruled"
        for who, over, below in (("sekisho", ours, under), ("suricata", theirs, under), ("suricata_ruled", ruled, under),
                                 ("sekisho_of_ruled", ours, ruled)):
            f = Figures(rounds)
            getattr(f, how)(text, over, below, key)
            row[who] = {k: f.rows[0][k] for k in ("value", "low", "high", "n")} if f.rows else None
        rows.append(row)
    return rows


def memories(placement, opened):
    """PSS in MB, all processes of each, at rest and with memory.FLOWS inspected sessions."""
    found = {}
    for who, kind, mode, processes in (("sekisho", Path, "inspected", memory.roles),
                                       ("suricata", peer.PeerPath, "suricata", peer.processes)):
        # Suricata does not read this policy
        path = kind(mode, placement, opened, "memory-", "commands.cfg")
        rest = processes(path)
        flows, full = memory.held(path, 502, processes)
        path.close()
        opened.remove(path)
        found[who] = {"flows": flows, "rest_pss": sum(r[2] for r in rest), "full_pss": sum(r[2] for r in full),
                      "rest_rss": sum(r[1] for r in rest), "full_rss": sum(r[1] for r in full)}
    return found


def show(rows, found):
    def cell(value):
        return "-" if value is None else "%.2f (%.2f to %.2f)" % (value["value"], value["low"], value["high"])
    print("\nmedian of the rounds' ratios and differences (quarter to three quarters)")
    print("  %-52s%26s%26s%26s%26s" % ("", "Sekisho", "Suricata", "Suricata, rules beside it", "Sekisho against that"))
    for row in rows:
        print("  %-52s%26s%26s%26s%26s" % (row["text"], *map(cell, (row[k] for k in ("sekisho", "suricata", "suricata_ruled", "sekisho_of_ruled")))))
    for when, text in (("rest", "memory at rest, MB (PSS)"), ("full", "memory with %d inspected flows, MB (PSS)" % memory.FLOWS)):
        if found:
            print("  %-52s%26.1f%26.1f" % (text, found["sekisho"][when + "_pss"], found["suricata"][when + "_pss"]))


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=9)
    a.add_argument("--milliseconds", type=int, default=200)
    a.add_argument("--placement", choices=PLACEMENTS, default="one")
    a.add_argument("--rates-only", action="store_true")
    a.add_argument("--json", default=os.path.join(TOP, "build", "bench-peers.json"))
    a.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    a = a.parse_args()
    name = peer.version()
    if name is None:
        print("skipped: Suricata is not to be had here (images/deps backports says why)")
        return 0
    load_before = os.getloadavg()[0]
    lock = begin()
    if lock is None:
        return 3
    print("%s; order of the paths: seed %d" % (name, a.seed))
    opened = []
    try:
        for mode in ASKED:
            (peer.PeerPath if mode.startswith("suricata") else Path)(mode, a.placement, opened)
            if mode.startswith("suricata"):
                opened[-1].verify()
        rounds = in_rounds(opened, a, METRICS,
                           lambda p, metric: taken(p, metric, a.milliseconds) if metric in ASKED[p.mode] else {})
        while opened:
            opened.pop().close()
        print_medians(rounds, a.placement, a.milliseconds, load_before)
        rows = compared(rounds)
        found = None if a.rates_only else memories(a.placement, opened)
        show(rows, found)
        with open(a.json, "w", encoding="ascii") as f:
            json.dump({"peer": name, "placement": a.placement, "milliseconds": a.milliseconds, "rounds": rounds,
                       "load_average": [load_before, os.getloadavg()[0]], "median": medians(rounds), "figures": rows,
                       "memory": found}, f, indent=1)
        print("written: " + os.path.relpath(a.json, TOP))
        return 0
    finally:
        for p in opened:
            p.close()


if __name__ == "__main__":
    sys.exit(main())
