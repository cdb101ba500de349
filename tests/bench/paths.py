# SPDX-License-Identifier: Apache-2.0
"""The paths that `make bench` measures: left host - box - right host, each in a network namespace.
The mode says what the box does with the packets that it forwards.

  plain      forwarding, nothing else
  tracking   forwarding with connection tracking and no rules
  fast       Sekisho, flows that were named once (TLS, DNS) and left the queue
  recorded   as fast, and every session that passes is recorded when it begins and when it ends
             (record_passed)
  inspected  Sekisho, Modbus enforcement of every PDU; what the verdict cache passes is not queued
  uncached   as inspected, without the verdict cache: its BPF program is not in the daemon's folder
  loop       accept-all NFQUEUE loop, both directions queued: one process, many packets per receive,
             one verdict for all of them, GSO flag (the limit of any queue)

Placements. Hosts and queue readers are processes bound to a core. The kernel forwards a packet on
the core that receives it: on a veth pair this is the sender's core, unless receive packet steering
(RPS) moves the packet.
  one    everything on core 1: the time for a packet is the sum of all work for it. No core ever
         waits for another one, so the result does not depend on how soon an idle core wakes up.
  split  hosts on core 1, queue readers on core 0, no steering: queued packets cross to core 0 and
         go on from there
  box    hosts on core 1, the box on core 0, as if wires lay between them: RPS hands what the box
         receives to core 0 and what a host receives to core 1

Priorities are the same in every mode. Hosts have a higher one than Sekisho's gate and worker
(SCHED_RR 42 and 41), because a wire does not wait for the box's programs. The accept-all loop has
that of the worker, so that neither is woken sooner. If a host had a lower priority than the worker,
each of its packets would interrupt it: the switches between processes would halve the rate. A mode
in which this happens ends the run. Every program runs in a session of its own with the weight of
nice -20, so that other programs of the machine take little time from it.
"""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from net import NETNS, Net, inside, sh, wait_for  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.environ.get("SEKISHO_BUILD", os.path.join(TOP, "build", "release"))
TOOLS = os.environ.get("SEKISHO_BENCH", os.path.join(BUILD, "bench"))
POLICIES = os.path.join(TOP, "tests", "bench", "policy")
RUN = "/run/sekisho-bench"
# A kernel or a container may refuse either call; then all programs run without it.
WEIGHTED = """echo -20 >/proc/self/autogroup 2>/dev/null || renice -n -20 -p $$ >/dev/null
[ "$1" = 0 ] || chrt -r -p "$1" $$ >/dev/null 2>&1
shift; exec "$@"
"""
HOST_PRIORITY, READER_PRIORITY = 45, 41
# hosts' core, queue readers' core, steering
PLACEMENTS = {"box": ("1", "0", True), "split": ("1", "0", False), "one": ("1", "1", False)}
# The reverse path check costs a fiftieth of a packet, and machines have different defaults. So it
# is on in every mode: loose (2) as in Debian, or strict in Sekisho, with the same look-up of the
# source.
REVERSE_PATH = os.environ.get("SEKISHO_BENCH_REVERSE_PATH", "2")
# No packet reaches this chain; the kernel tracks connections because a rule in it uses `ct`.
TABLE_TRACKING = "table inet bench {\n chain unused {\n  ct state new counter\n }\n}\n"
SERVER = "10.2.0.2"


def begin():
    """Allows one benchmark at a time, only as root; otherwise prints the reason and returns None.
    Removes what a killed benchmark left behind. The returned descriptor holds the lock."""
    if os.geteuid() != 0:
        print("the benchmarks need root: network namespaces and netfilter", file=sys.stderr)
        return None
    lock = os.open(RUN + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        print("another benchmark is running on this machine", file=sys.stderr)
        return None
    for name in os.listdir(NETNS) if os.path.isdir(NETNS) else []:
        if name.startswith("skbench-"):
            for pid in sh("ip", "netns", "pids", name, check=False).stdout.split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", name, check=False)
    shutil.rmtree(RUN, ignore_errors=True)
    os.makedirs(RUN)
    return lock


class Path:
    def __init__(self, mode, placement, opened, name="", policy="site.cfg"):
        self.mode, self.policy = mode, os.path.join(POLICIES, policy)
        self.hosts, self.queues, self.steered = PLACEMENTS[placement]
        self.programs = BUILD
        self.net = Net("skbench-%s%s-" % (name, mode))
        opened.append(self)  # first of all, so that the caller closes it whatever happens
        self.left, self.right = self.net.add("left"), self.net.add("right")
        self.box = self.data = self.net.add("box")
        self.net.veth(self.left, "eth0", self.box, "left0")
        self.net.veth(self.right, "eth0", self.box, "right0")
        self.net.address(self.left, "eth0", "10.1.0.2/24")
        self.net.address(self.right, "eth0", SERVER + "/24")
        sh("ip", "route", "add", "default", "via", "10.1.0.1", ns=self.left)
        sh("ip", "route", "add", "default", "via", "10.2.0.1", ns=self.right)
        getattr(self, "box_" + mode)()
        if self.steered:
            self.steer()
        for kind, port in (("serve", 502), ("serve", 443), ("serve", 444), ("sink", 53)):
            self.net.spawn(self.at(self.hosts, HOST_PRIORITY, os.path.join(TOOLS, "load"), kind, SERVER, port), self.right,
                           os.path.join(RUN, "load.log"))
        for port in (502, 443, 444, 53):
            wait_for(lambda p=port: ":%d" % p in sh("ss", "-Hltun", ns=self.right).stdout, 5, "the bench server")

    @staticmethod
    def at(core, priority, *command):
        return ["taskset", "-c", core, "sh", "-c", WEIGHTED, "sh", str(priority), *map(str, command)]

    def steer(self):
        for ns, device, core in ((self.left, "eth0", self.hosts), (self.right, "eth0", self.hosts),
                                 (self.data, "left0", self.queues), (self.data, "right0", self.queues)):
            # `ip netns exec` mounts a sysfs that shows the devices of the namespace
            sh("sh", "-c", "echo %x >/sys/class/net/%s/queues/rx-0/rps_cpus" % (1 << int(core), device), ns=ns)

    # ---- what the box does ----

    def forward(self):
        self.net.address(self.box, "left0", "10.1.0.1/24")
        self.net.address(self.box, "right0", "10.2.0.1/24")
        sh("sysctl", "-qw", "net.ipv4.ip_forward=1", *["net.ipv4.conf.%s.rp_filter=%s" % (name, REVERSE_PATH)
                                                       for name in ("all", "left0", "right0")], ns=self.box)

    def box_plain(self):
        self.forward()

    def box_tracking(self):
        self.forward()
        sh("nft", "-f", "-", ns=self.box, input=TABLE_TRACKING)

    def box_loop(self):
        self.forward()
        # the same program binds the queue, adds the rule (both directions queued) and accepts
        # everything
        loop = os.path.join(TOOLS, "accept_loop")
        self.net.spawn(self.at(self.queues, READER_PRIORITY, loop, "--rule"), self.box, os.path.join(RUN, "loop.log"))
        wait_for(lambda: self.read("net/netfilter/nfnetlink_queue").strip(), 5, "the accept-all loop")

    def box_sekisho(self):
        self.data = self.net.ns("data")
        self.net.names += [self.data, self.net.ns("admin")]
        run = os.path.join(RUN, self.net.prefix)
        self.socket = ["--socket", run + "/run/control.sock"]
        self.daemon = self.net.spawn(
            self.at(self.queues, 0, os.path.join(self.programs, "sekishod"), "--data-netns", self.data, "--admin-netns", self.net.ns("admin"),
                    "--state", run + "/state", "--run", run + "/run"), self.box, os.path.join(RUN, self.mode + ".log"))
        wait_for(lambda: self.cli("history").returncode == 0, 10, "the box")
        applied = self.cli("apply", self.policy)
        if applied.returncode != 0:
            raise RuntimeError("the bench policy: " + applied.stderr)
        self.check_order()

    def check_order(self):
        now = {r["role"]: os.sched_getparam(r["pid"]).sched_priority for r in self.status()["roles"]
               if r.get("pid") and r.get("kind") != "naming"}
        if max(now.values()) > 0 and not now["dpi"] == READER_PRIORITY < now["gate"] < HOST_PRIORITY:
            raise RuntimeError("the bench's order of running is not Sekisho's: %s" % now)

    box_fast = box_inspected = box_sekisho

    def box_uncached(self):
        self.programs = os.path.join(RUN, "uncached")
        os.makedirs(self.programs, exist_ok=True)
        for name in ("sekishod", "sekisho-compile"):
            shutil.copy(os.path.join(BUILD, name), self.programs)
        self.box_sekisho()
        if self.status()["features"]["verdict_cache"]["used"]:
            raise RuntimeError("the verdict cache is used")

    def box_recorded(self):
        folder = os.path.join(RUN, "recorded")
        shutil.copytree(POLICIES, folder)
        with open(self.policy, encoding="utf-8") as f:
            text = f.read().replace('name = "bench"; }', 'name = "bench"; record_passed = true; }', 1)
        self.policy = os.path.join(folder, "site.cfg")
        with open(self.policy, "w", encoding="utf-8") as f:
            f.write(text)
        self.box_sekisho()
        if not json.loads(self.cli("effective", "--json").stdout)["record_passed"]:
            raise RuntimeError("the bench's sessions are not recorded")

    def cli(self, *args):
        return sh(os.path.join(BUILD, "sekisho"), *args, *self.socket, check=False)

    def status(self):
        return json.loads(self.cli("status", "--json").stdout)

    def daemon_pid(self):
        """The supervisor: the started process became it by execs, and kept its id."""
        return self.daemon.pid

    def tracked(self):
        with inside(self.data):
            with open("/proc/sys/net/netfilter/nf_conntrack_count", encoding="ascii") as f:
                return int(f.read())

    # ---- measuring ----

    def read(self, name):
        with inside(self.data):
            with open("/proc/thread-self/" + name, encoding="ascii") as f:
                return f.read()

    def counts(self):
        """The numbers of packets that the box received from the hosts, that arrived at the right
        host, and that were queued."""
        received = {line.split(":")[0].strip(): [int(x) for x in line.split(":")[1].split()]
                    for line in self.read("net/dev").splitlines()[2:]}
        queued = sum(int(line.split()[7]) for line in self.read("net/netfilter/nfnetlink_queue").splitlines())
        return {"packets": received["left0"][1] + received["right0"][1], "arrived": received["right0"][9], "queued": queued}

    def load(self, *args):
        """Runs one client; returns its result, and the packets that the box counted meanwhile."""
        before = self.counts()
        command = self.at(self.hosts, HOST_PRIORITY, os.path.join(TOOLS, "load"), *args)
        out = subprocess.run(["nsenter", "--net=/run/netns/" + self.left, *command], start_new_session=True,
                             capture_output=True, text=True, timeout=60, check=False)
        if out.returncode != 0:
            raise RuntimeError("%s: load %s: %s" % (self.mode, " ".join(map(str, args)), out.stderr.strip()))
        after = self.counts()
        return dict(json.loads(out.stdout), **{k: after[k] - before[k] for k in after})

    def close(self):
        self.net.close()
