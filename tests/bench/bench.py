# SPDX-License-Identifier: Apache-2.0
"""make bench: speed as ratios within one run. It measures many short rounds, and each round takes
the modes in another order. A ratio is the median of the ratios of the rounds. paths.py describes
the modes and placements.

Measured for each mode that supports the metric:
  udp      packets of 50 bytes of one UDP flow that crossed, per second
  rate     64 TCP connections, each with one 12-byte request open: packets both ways per second (a
           packet per request, one per answer) and requests per second
  crr      connect, request, answer, close: per second
  rtt      p50 and p99 of 12-byte requests, one at a time
  stream   answers of 259 bytes to pipelined Modbus requests: bits per second
  bulk     one TCP stream after a TLS hello: bits per second
For `fast` and `recorded` the connections begin with a TLS hello and then carry the same requests.

Besides, once: the inspector alone, and what nDPI is of it (inspect.c); resident memory with 10,000
flows (memory.py); what SYNs take of the kernel (syns.py); what 40 devices take that are polled at
their times (polling.py).

Writes build/bench.json.
bench.py [--rounds N] [--milliseconds N] [--placement one|split|box] [--modes A,B] [--only A,B]
[--rates-only]
"""
import argparse
import json
import os
import random
import statistics
import sys

import growth
import memory
import polling
import syns
from paths import PLACEMENTS, SERVER, TOOLS, TOP, Path, begin, sh

MODES = ("plain", "tracking", "fast", "recorded", "inspected", "loop")
METRICS = ("udp", "rate", "crr", "rtt", "stream", "bulk")
# Metrics that a mode does not have: a conduit that enforces carries only Modbus.
NOT = {"inspected": ("udp", "bulk"), "uncached": ("udp", "bulk")}
# The least share of the forwarded packets that must have been queued. Other modes queue nearly
# none; `inspected` and `uncached` have no limit, as the verdict cache passes packets by the queue.
QUEUED = {"loop": 0.99, "suricata": 0.99, "suricata_ruled": 0.99}


def measure(path, metric, ms, port=None):
    port = port or {"bulk": 443, "udp": 53}.get(metric, 444 if path.mode in ("fast", "recorded") else 502)
    more = {"rate": (64,), "stream": (16, 16)}.get(metric, ())
    found = path.load(metric, SERVER, port, ms, *more)
    seconds = found["seconds"]
    share = found["queued"] / max(found["packets"], 1)
    # a flood overruns the queue
    if path.mode in QUEUED and metric != "udp" and share < QUEUED[path.mode]:
        raise RuntimeError("%s %s: only %.3f of the packets were queued" % (path.mode, metric, share))
    if path.mode not in (*QUEUED, *NOT) and metric != "crr" and found["queued"] > 20 * 64:
        raise RuntimeError("%s %s: %d packets were queued" % (path.mode, metric, found["queued"]))
    if metric == "udp":
        return {"udp_packets_per_s": found["arrived"] / seconds}
    if metric == "rate":
        return {"packets_per_s": found["packets"] / seconds, "requests_per_s": found["n"] / seconds,
                "packets_per_request": found["packets"] / found["n"]}
    if metric == "crr":
        return {"crr_per_s": found["n"] / seconds}
    if metric == "rtt":
        return {"p50_us": found["p50_us"], "p99_us": found["p99_us"]}
    return {metric + "_mbit_per_s": found["bits"] / seconds / 1e6}


class Figures:
    def __init__(self, rounds):
        self.rounds = rounds
        self.rows = []

    def pairs(self, over, under, key, f):
        a, b = self.rounds.get(over, []), self.rounds.get(under, [])
        return [f(x[key], y[key]) for x, y in zip(a, b) if key in x and key in y]

    def ratio(self, text, over, under, key, goal=None):
        self.row(text, self.pairs(over, under, key, lambda x, y: x / y), ">=", goal)

    def above(self, text, over, under, key, goal=None):
        self.row(text, self.pairs(over, under, key, lambda x, y: x - y), "<=", goal)

    def row(self, text, values, sign, goal):
        if not values:
            return
        values.sort()
        n = len(values)
        value = statistics.median(values)
        missed = goal is not None and (value < goal if sign == ">=" else value > goal)
        self.rows.append({"text": text, "value": value, "low": values[n // 4], "high": values[n - 1 - n // 4], "n": n,
                          "sign": sign, "goal": goal, "missed": missed})


def figures(rounds):
    f = Figures(rounds)
    f.ratio("classified flow, UDP packets, of tracking without rules", "fast", "tracking", "udp_packets_per_s", 0.90)
    f.ratio("classified flow, request packets, of tracking without rules", "fast", "tracking", "packets_per_s", 0.90)
    f.ratio("classified flow, bulk, of tracking without rules", "fast", "tracking", "bulk_mbit_per_s")
    f.above("classified flow, p50 above tracking, us", "fast", "tracking", "p50_us")
    f.ratio("sessions recorded, connect-request-response, of a classified flow without", "recorded", "fast", "crr_per_s")
    f.ratio("sessions recorded, request packets, of a classified flow without", "recorded", "fast", "packets_per_s")
    f.ratio("inspected path, packets, of the accept-all loop", "inspected", "loop", "packets_per_s", 0.75)
    f.ratio("inspected path, requests, of the loop", "inspected", "loop", "requests_per_s")
    f.ratio("inspected path, connect-request-response, of the loop", "inspected", "loop", "crr_per_s")
    f.ratio("inspected path, streamed answers, of the loop", "inspected", "loop", "stream_mbit_per_s")
    f.above("inspected path, p50 above the loop, us", "inspected", "loop", "p50_us", 20.0)
    f.above("inspected path, p99 above the loop, us", "inspected", "loop", "p99_us")
    f.ratio("tracking without rules, UDP packets, of plain forwarding", "tracking", "plain", "udp_packets_per_s")
    f.ratio("accept-all loop, request packets, of tracking", "loop", "tracking", "packets_per_s")
    return f.rows


def medians(rounds):
    return {m: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for m, rs in rounds.items()}


def print_medians(rounds, placement, ms, load_before):
    n = max(len(r) for r in rounds.values())
    hosts, queues, steered = PLACEMENTS[placement]
    median = medians(rounds)
    keys = []
    for values in median.values():
        keys += [k for k in values if k not in keys]
    print("\nplacement %s: hosts on core %s, queue readers on core %s, %s; %d rounds of %d ms a measurement"
          % (placement, hosts, queues, "the box's receiving on core %s too" % queues if steered else "no steering", n, ms))
    print("load average before %.2f, after %.2f\nmedians" % (load_before, os.getloadavg()[0]))
    print("%-14s" % "" + "".join("%20s" % k for k in keys))
    for m, values in median.items():
        print("%-14s" % m + "".join("%20s" % ("%.*f" % (2 if values[k] < 100 else 0, values[k]) if k in values else "-")
                                    for k in keys))


def report(rounds, placement, ms, load_before):
    hosts, queues, steered = PLACEMENTS[placement]
    print_medians(rounds, placement, ms, load_before)
    rows = figures(rounds)
    print("\nratios and differences within a round: median (quarter to three quarters)")
    for r in rows:
        goal = "" if r["goal"] is None else "goal %s %.2f%s" % (r["sign"], r["goal"], "   MISSED" if r["missed"] else "")
        print("  %-62s %7.2f (%.2f to %.2f)   %s" % (r["text"], r["value"], r["low"], r["high"], goal))
    return {"placement": {"name": placement, "hosts": hosts, "queues": queues, "steered": steered}, "milliseconds": ms,
            "load_average": [load_before, os.getloadavg()[0]], "rounds": rounds, "median": medians(rounds), "figures": rows}


def inspector():
    """The inspector alone, in nanoseconds and bytes."""
    found = json.loads(sh("taskset", "-c", "1", os.path.join(TOOLS, "inspect"), timeout=120).stdout)
    print("\ninspector alone, medians of %d: %d ns for a packet of a live Modbus session" % (found["repeats"], found["session_ns_per_packet"]))
    for name in ("modbus", "tls"):
        took, without = found[name + "_ns_per_connection"], found[name + "_without_ndpi_ns"]
        print("  a %-6s connection takes %5d ns, of which nDPI %5d ns (%.0f packets shown to it)"
              % (name, took, took - without, found[name + "_ndpi_calls"]))
    print("  a flow takes %d bytes, of which nDPI %d while it looks"
          % (found["flow_bytes"], found["flow_bytes"] - found["flow_bytes_without_ndpi"]))
    return found


def in_rounds(opened, a, metrics, take):
    """The results of `take(path, metric)`, by mode and round. In each round and for each metric the
    paths have another order."""
    order = random.Random(a.seed)
    rounds = {p.mode: [] for p in opened}
    for r in range(-1, a.rounds):  # round -1 only fills caches and neighbour tables
        found = {p.mode: {} for p in opened}
        for metric in metrics:
            for p in order.sample(opened, len(opened)):
                found[p.mode].update(take(p, metric))
        if r >= 0:
            for mode, values in found.items():
                rounds[mode].append(values)
            print("\rround %d of %d" % (r + 1, a.rounds), end="", flush=True)
    return rounds


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=15)
    a.add_argument("--milliseconds", type=int, default=200)
    a.add_argument("--placement", choices=PLACEMENTS, default="one")
    a.add_argument("--modes", default=",".join(MODES))
    a.add_argument("--only", default=",".join(METRICS))
    a.add_argument("--rates-only", action="store_true")
    a.add_argument("--json", default=os.path.join(TOP, "build", "bench.json"))
    a.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    a = a.parse_args()
    load_before = os.getloadavg()[0]
    lock = begin()
    if lock is None:
        return 3
    print("order of the modes: seed %d" % a.seed)
    opened = []
    try:
        for mode in a.modes.split(","):
            Path(mode, a.placement, opened)
        rounds = in_rounds(opened, a, a.only.split(","), lambda p, metric: {} if metric in NOT.get(p.mode, ()) else
                           measure(p, metric, a.milliseconds))
        result = report(rounds, a.placement, a.milliseconds, load_before)
        missed = any(r["missed"] for r in result["figures"])
        if not a.rates_only:
            result["inspector"] = inspector()
            while opened:
                opened.pop().close()
            result["memory"] = memory.measure(a.placement, opened)
            missed |= memory.report(result["memory"])
            result["growth"] = growth.measure(a.placement, opened)
            missed |= growth.report(result["growth"])
            result["syns"] = syns.measure(a.placement, opened)
            missed |= syns.report(result["syns"])
            result["polling"] = polling.measure(opened)
            polling.report(result["polling"])
        with open(a.json, "w", encoding="ascii") as f:
            json.dump(result, f, indent=1)
        print("written: " + os.path.relpath(a.json, TOP))
        return 1 if missed else 0
    finally:
        for p in opened:
            p.close()


if __name__ == "__main__":
    sys.exit(main())
