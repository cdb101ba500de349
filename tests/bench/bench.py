# SPDX-License-Identifier: Apache-2.0
"""make bench: speed as ratios within one run. Medians of several rounds, all modes in turn in every round.

Modes, between the same two hosts over the same two wires:
  plain      forwarding, nothing else
  tracking   forwarding with connection tracking and no rules
  fast       Sekisho, a classified flow (named once, then no queue)
  inspected  Sekisho, nDPI and Modbus enforcement of every PDU
  loop       accept-all NFQUEUE loop: one process, many packets per receive, GSO flag (the limit of any queue)

CPU placement is fixed, because veth work moves with it: both hosts on core 1, whatever reads queues on core 0.
Writes build/bench.json.   bench.py [--rounds N] [--milliseconds N]
"""
import argparse
import json
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from net import Net, sh, wait_for  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(TOP, "build", "release"))
RUN = "/run/sekisho-bench"
HOSTS, QUEUES = "1", "0"
# A chain that nothing reaches: naming `ct` in it is what makes the kernel track.
TABLE_TRACKING = "table inet bench {\n chain unused {\n  ct state new counter\n }\n}\n"


class Path:
    """left host - box - right host; `box` decides what the box does."""

    def __init__(self, name, paths):
        self.name = name
        self.net = Net("skbench-%s-" % name)
        paths.append(self)  # first of all, so that it is taken down whatever happens
        self.left, self.right = self.net.add("left"), self.net.add("right")
        self.box = self.net.add("box")
        self.net.veth(self.left, "eth0", self.box, "left0")
        self.net.veth(self.right, "eth0", self.box, "right0")
        self.net.address(self.left, "eth0", "10.1.0.2/24")
        self.net.address(self.right, "eth0", "10.2.0.2/24")
        sh("ip", "route", "add", "default", "via", "10.1.0.1", ns=self.left)
        sh("ip", "route", "add", "default", "via", "10.2.0.1", ns=self.right)
        getattr(self, "box_" + name)()
        load = os.path.join(BUILD, "bench", "load")
        for kind, port in (("serve", 502), ("serve", 443), ("sink", 53)):
            self.net.spawn(["taskset", "-c", HOSTS, load, kind, "10.2.0.2", str(port)], self.right)
        for port in (502, 443):
            wait_for(lambda p=port: ":%d" % p in sh("ss", "-Hltn", ns=self.right).stdout, 5, "the bench server")

    def forward(self):
        self.net.address(self.box, "left0", "10.1.0.1/24")
        self.net.address(self.box, "right0", "10.2.0.1/24")
        sh("sysctl", "-qw", "net.ipv4.ip_forward=1", ns=self.box)

    def box_plain(self):
        self.forward()

    def box_tracking(self):
        self.forward()
        sh("nft", "-f", "-", ns=self.box, input=TABLE_TRACKING)

    def box_loop(self):
        self.forward()
        # the same program binds the queue, adds the rule (both directions queued) and accepts everything
        self.net.spawn(["taskset", "-c", QUEUES, os.path.join(BUILD, "bench", "accept_loop"), "--rule"], self.box,
                       os.path.join(RUN, "loop.log"))
        wait_for(lambda: sh("cat", "/proc/net/netfilter/nfnetlink_queue", ns=self.box).stdout.strip(), 5, "the accept-all loop")

    def box_sekisho(self):
        self.net.names += [self.net.ns("data"), self.net.ns("admin")]
        run = os.path.join(RUN, self.name)
        self.daemon = self.net.spawn([os.path.join(BUILD, "sekishod"), "--data-netns", self.net.ns("data"), "--admin-netns",
                                      self.net.ns("admin"), "--state", run + "/state", "--run", run + "/run"], self.box,
                                     os.path.join(RUN, self.name + ".log"))
        cli = [os.path.join(BUILD, "sekisho")]
        sock = ["--socket", run + "/run/control.sock"]
        wait_for(lambda: sh(*cli, "status", *sock, check=False).returncode in (0, 1), 10, "the box")
        sh(*cli, "apply", os.path.join(TOP, "tests", "bench", "policy", "site.cfg"), *sock)
        self.status = lambda: json.loads(sh(*cli, "status", "--json", *sock, check=False).stdout)

    box_fast = box_inspected = box_sekisho

    def load(self, *args):
        out = sh("taskset", "-c", HOSTS, os.path.join(BUILD, "bench", "load"), *args, ns=self.left, timeout=60)
        return json.loads(out.stdout)

    def measure(self, ms):
        named = self.name in ("plain", "tracking", "fast")
        found = {}
        if self.name != "inspected":
            found["bulk_bits_per_s"] = self.load("bulk", "10.2.0.2", 443, ms)["bits_per_s"]
        if named:
            found["udp_packets_per_s"] = self.load("udp", "10.2.0.2", 53, ms)["per_s"]
        if self.name != "fast":
            found["requests_per_s"] = self.load("pipeline", "10.2.0.2", 502, ms, 4, 8)["per_s"]
            found["crr_per_s"] = self.load("crr", "10.2.0.2", 502, ms)["per_s"]
            rtt = self.load("rtt", "10.2.0.2", 502, ms * 10)
            found["rtt_p50_us"], found["rtt_p99_us"] = rtt["p50_us"], rtt["p99_us"]
        return found


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--milliseconds", type=int, default=1000)
    a = a.parse_args()
    if os.geteuid() != 0:
        print("the benchmarks need root: network namespaces and netfilter", file=sys.stderr)
        return 3
    sh("rm", "-rf", RUN)
    os.makedirs(RUN)
    paths = []
    try:
        for name in ("plain", "tracking", "fast", "inspected", "loop"):
            Path(name, paths)
        rounds = {p.name: [] for p in paths}
        for r in range(a.rounds):
            for p in paths:
                rounds[p.name].append(p.measure(a.milliseconds))
            print("round %d of %d" % (r + 1, a.rounds), flush=True)
        return report(rounds, a.rounds)
    finally:
        for p in paths:
            p.net.close()


def report(rounds, n):
    median = {name: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for name, rs in rounds.items()}
    keys = ("bulk_bits_per_s", "udp_packets_per_s", "requests_per_s", "crr_per_s", "rtt_p50_us", "rtt_p99_us")
    print("\nmedians of %d rounds; hosts on core %s, queue readers on core %s" % (n, HOSTS, QUEUES))
    print("%-10s" % "" + "".join("%19s" % k for k in keys))
    for name, values in median.items():
        print("%-10s" % name + "".join("%19s" % ("%.1f" % values[k] if "us" in k[-3:] and k in values else
                                                "%.0f" % values[k] if k in values else "-") for k in keys))

    def pairs(over, under, key):
        return statistics.median(x[key] / y[key] for x, y in zip(rounds[over], rounds[under]))

    figures = [
        ("classified flow, packets, of tracking without rules", pairs("fast", "tracking", "udp_packets_per_s"), ">=", 0.90),
        ("classified flow, bulk, of tracking without rules", pairs("fast", "tracking", "bulk_bits_per_s"), None, None),
        ("inspected path, requests, of the accept-all loop", pairs("inspected", "loop", "requests_per_s"), ">=", 0.75),
        ("inspected path, connect-request-response, of the loop", pairs("inspected", "loop", "crr_per_s"), None, None),
        ("inspected path, p50 above the loop, us", statistics.median(
            x["rtt_p50_us"] - y["rtt_p50_us"] for x, y in zip(rounds["inspected"], rounds["loop"])), "<=", 20.0),
        ("inspected path, p99 above the loop, us", statistics.median(
            x["rtt_p99_us"] - y["rtt_p99_us"] for x, y in zip(rounds["inspected"], rounds["loop"])), None, None),
        ("tracking without rules, packets, of plain forwarding", pairs("tracking", "plain", "udp_packets_per_s"), None, None),
    ]
    missed = 0
    print("\nratios, round by round in the same run, median")
    for text, value, sign, goal in figures:
        good = sign is None or (value >= goal if sign == ">=" else value <= goal)
        missed += not good
        print("  %-58s %8.2f   %s" % (text, value, "" if sign is None else "goal %s %.2f%s" % (sign, goal, "" if good else
                                                                                              "   MISSED")))
    with open(os.path.join(TOP, "build", "bench.json"), "w", encoding="ascii") as f:
        json.dump({"placement": {"hosts": HOSTS, "queues": QUEUES}, "rounds": rounds, "median": median,
                   "ratios": [{"text": t, "value": v, "goal": g} for t, v, _, g in figures]}, f, indent=1)
    print("written: build/bench.json")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
