# SPDX-License-Identifier: Apache-2.0
"""A box under test: three zones (it, ops, ot) with a host namespace each, the daemon between them,
and a policy as text. With WORKERS=1 there is one worker for commands, so the verdict cache is used:
a session that repeats a request is lent to the kernel. Otherwise there are two workers, and the
cache is not used."""
import collections
import json
import os
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import aftermath  # noqa: E402
import reports  # noqa: E402
from net import Net, sh, wait_for  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
ZONES = {"it": ("10.71.0", "2001:db8:71:"), "ops": ("10.72.0", "2001:db8:72:"), "ot": ("10.73.0", "2001:db8:73:")}
FACTS = """language_version = 1;
workers = %d;
interfaces = {
  lan0 = { device = "it0";  addresses = ["10.71.0.1/24", "2001:db8:71::1/64"]; };
  lan1 = { device = "ops0"; addresses = ["10.72.0.1/24", "2001:db8:72::1/64"]; };
  lan2 = { device = "ot0";  addresses = ["10.73.0.1/24", "2001:db8:73::1/64"]; };
  adm0 = { device = "adm0"; role = "admin"; addresses = ["10.79.0.1/24"]; };
};
"""
HEAD = """language_version = 1;
site = { name = "test"; };
zones = {
  it  = { interfaces = ["lan0"]; networks = ["10.71.0.0/24", "2001:db8:71::/64"]; class = "it"; owner = "t"; };
  ops = { interfaces = ["lan1"]; networks = ["10.72.0.0/24", "2001:db8:72::/64"]; class = "operations"; owner = "t"; };
  ot  = { interfaces = ["lan2"]; networks = ["10.73.0.0/24", "2001:db8:73::/64"]; class = "ot"; owner = "t"; };
};
services = {
  read = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); };
  write = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["write"]; units = [1]; holding = ["0-99"]; } ); };
  setpoint = { protocol = "modbus"; ports = ["tcp/502"];
               allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; }, { functions = ["write_single_register"]; units = [1]; holding = ["0-99"]; values = ["0-10"]; } ); };
  logix = { protocol = "enip"; ports = ["tcp/44818"];
            allow = ( { commands = ["read"]; routes = ["0", "1.0"]; },
                      { functions = ["write_tag"]; routes = ["0", "1.0"]; tags = ["Lamp"]; values = ["0-1"]; } ); };
  io_in = { protocol = "enip"; ports = ["tcp/44818", "udp/2222"]; allow = ( { functions = ["open_input_connection"]; objects = ["4.100-160"]; } ); };
  io_out = { protocol = "enip"; ports = ["tcp/44818", "udp/2222"]; allow = ( { functions = ["open_output_connection"]; objects = ["4.100-160"]; } ); };
  look = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read", "diagnose"]; functions = [43]; } ); };
  logix_read = { protocol = "enip"; ports = ["tcp/44818"]; allow = ( { commands = ["read"]; } ); };
  logix_look = { protocol = "enip"; ports = ["tcp/44818"]; allow = ( { commands = ["read", "diagnose"]; } ); };
  s7_look = { protocol = "s7comm"; ports = ["tcp/102"]; allow = ( { commands = ["read", "diagnose"]; } ); };
  melsec = { protocol = "slmp"; ports = ["tcp/5007", "udp/5008"];
             allow = ( { commands = ["read"]; stations = [255]; d = ["0-99"]; },
                       { functions = ["batch_write"]; stations = [255]; d = [50]; values = ["0-1"]; } ); };
  melsec_all = { protocol = "slmp"; ports = ["tcp/5007"]; allow = ( { commands = ["read", "write"]; } ); };
  s7_read = { protocol = "s7comm"; ports = ["tcp/102"];
              allow = ( { commands = ["read"]; slots = [2]; db = ["10.0-99"]; flags = ["0-15"]; } ); };
  s7_set = { protocol = "s7comm"; ports = ["tcp/102"];
             allow = ( { functions = ["write_var"]; slots = [2]; db = ["10.40-41"]; values = ["0-1"]; } ); };
  udp_read = { protocol = "modbus"; ports = ["udp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); };
  udp_write = { protocol = "modbus"; ports = ["udp/502"]; allow = ( { commands = ["write"]; units = [1]; holding = ["0-99"]; } ); };
  omron = { protocol = "fins"; ports = ["tcp/9600"];
            allow = ( { commands = ["read"]; networks = [0]; nodes = [10]; units = ["0x0"]; d = ["0-99"]; },
                      { functions = ["memory_area_write"]; networks = [0]; nodes = [10]; units = ["0x0"]; d = [50]; values = ["0-1"]; } ); };
  omron_any = { protocol = "fins"; ports = ["tcp/9600"]; };
  logix_any = { protocol = "enip"; ports = ["tcp/44818"]; };
  melsec_any = { protocol = "slmp"; ports = ["tcp/5007"]; };
  s7_any = { protocol = "s7comm"; ports = ["tcp/102"]; };
  web = { protocol = "tls"; ports = ["tcp/443"]; };
  any502 = { protocol = "tcp"; ports = ["tcp/502"]; };
  tls502 = { protocol = "tls"; ports = ["tcp/502"]; };
  shell = { protocol = "ssh"; ports = ["tcp/22"]; };
  pages = { protocol = "http"; ports = ["tcp/8080"]; };
  names = { protocol = "dns"; ports = ["udp/53"]; };
  not_names = { protocol = "ntp"; ports = ["udp/53"]; };
  tls9000 = { protocol = "tls"; ports = ["tcp/9000"]; };
  plain = { protocol = "udp"; ports = ["udp/9000"]; };
  plain_tcp = { protocol = "tcp"; ports = ["tcp/9000-9009"]; };
  ping = { protocol = "icmp"; ports = ["icmp/8"]; };
};
"""


def conduit(name, source, target, services, **keys):
    """One conduit as text; further keys as Python values."""
    def value(v):
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, dict):
            return "{ %s }" % " ".join("%s = %s;" % (k, value(x)) for k, x in v.items())
        if isinstance(v, list) and v and isinstance(v[0], dict):
            return "( " + ", ".join(value(d) for d in v) + " )"
        if isinstance(v, list):
            return "[" + ", ".join('"%s"' % x for x in v) + "]"
        return '"%s"' % v
    keys = dict({"purpose": "test", "owner": "t", "review_by": "2031-01-01"}, **keys)
    extra = " ".join("%s = %s;" % (k, value(v)) for k, v in keys.items())
    return '{ name = "%s"; from = "%s"; to = "%s"; services = %s; %s }' % (name, source, target, value(services), extra)


def listens(path):
    """Whether a process listens at this socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        return s.connect_ex(path) == 0


class Box:
    def __init__(self, prefix, build, run, workers=None):
        self.build, self.run_folder = build, run
        self.workers = workers or int(os.environ.get("WORKERS", "2"))
        sh("rm", "-rf", run)
        os.makedirs(run)
        self.net = Net(prefix)
        self.daemon = None
        self.began, self.logged, self.counted = time.time(), 0, {}
        aftermath.ABOUT.append(self)
        box = self.net.add("box")
        for zone, (v4, v6) in ZONES.items():
            ns = self.net.add(zone)
            self.net.veth(ns, "eth0", box, zone + "0")
            self.net.address(ns, "eth0", v4 + ".2/24", v4 + ".3/24", v6 + ":2/64")
            sh("ip", "route", "add", "default", "via", v4 + ".1", ns=ns)
            sh("ip", "-6", "route", "add", "default", "via", v6 + ":1", ns=ns)
        self.admin = self.net.add("adm")
        self.net.veth(self.admin, "eth0", box, "adm0")
        self.net.address(self.admin, "eth0", "10.79.0.2/24")
        self.data = self.net.ns("data")
        self.net.names += [self.data, self.net.ns("admin")]

    def ns(self, zone):
        return self.net.ns(zone)

    def start(self, wait=True, before=(), owned=False, keeps=()):
        """`before`: words in front of the daemon's command; they execute it. `owned`: the rules'
        table has an owner, so that nobody else can change it, if the kernel can do that. By default
        it has none, as with an older kernel, so that a case can change it from outside. `keeps`:
        descriptors that the daemon inherits."""
        if not owned:
            sh("ip", "netns", "add", self.data, check=False)
            sh("nft", "add", "table", "inet", "sekisho", ns=self.data, check=False)
        self.daemon = self.net.spawn(
            [*before, self.build + "/sekishod", "--data-netns", self.data, "--admin-netns", self.net.ns("admin"), "--state",
             self.run_folder + "/state", "--run", self.run_folder + "/run"], self.net.ns("box"), self.run_folder + "/sekishod.log", keeps=keeps)
        if wait:
            wait_for(lambda: self.sekisho("history", check=False).returncode == 0, 10, "the control socket")

    def kill(self):
        """Kills the daemon. Its roles end behind it, one by one: while the role control lives, the
        control socket still takes a question that nobody answers."""
        os.kill(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait()
        wait_for(lambda: not listens(self.run_folder + "/run/control.sock"), 10, "the end of the roles")

    def restart_with(self, workers):
        """Restarts the daemon. From the next policy on it has `workers` workers of each kind, each
        with its gate."""
        self.workers = workers
        self.kill()
        sh("rm", "-rf", self.run_folder + "/state")
        self.start()

    def sekisho(self, *args, check=True, timeout=30):
        return sh(self.build + "/sekisho", *args, "--socket", self.run_folder + "/run/control.sock", check=check, timeout=timeout)

    def write(self, *conduits, extra="", site=""):
        """Writes the policy folder; returns the path of its main text. `site`: more keys of that
        section."""
        folder = self.run_folder + "/policy"
        os.makedirs(folder, exist_ok=True)
        with open(folder + "/box.cfg", "w", encoding="utf-8") as f:
            f.write(FACTS % self.workers)
        with open(folder + "/site.cfg", "w", encoding="utf-8") as f:
            f.write(HEAD.replace("site = { ", "site = { " + site, 1) + "conduits = (\n  " + ",\n  ".join(conduits) + "\n);\n" + extra)
        return folder + "/site.cfg"

    def write_large(self):
        """Writes a policy of 89,304 cells, which takes a second to read back; otherwise like
        write."""
        assets = "assets = {\n%s};\n" % "".join('  %s = { zone = "%s"; addresses = [%s]; };\n' % (
            name, zone, ", ".join('"%s%d"' % (before, n) for n in range(8, 252, 2))) for name, zone, before in (("half1", "it", "10.71.0."), ("half3", "ot", "10.73.0.")))
        main_text = self.write(conduit("many", "it", "ot", ["ports"], sources=["half1"], destinations=["half3"]), conduit("reads", "ops", "ot", ["read"]))
        with open(main_text, encoding="utf-8") as f:
            text = f.read()
        ports = '  ports = { protocol = "tcp"; ports = [%s]; };\n' % ", ".join('"tcp/%d"' % n for n in range(7100, 7112, 2))
        with open(main_text, "w", encoding="utf-8") as f:
            f.write(text.replace("services = {\n", assets + "services = {\n" + ports, 1))
        return main_text

    def apply(self, *conduits, extra="", site="", options=()):
        return self.sekisho("apply", *options, self.write(*conduits, extra=extra, site=site))

    def seen(self):
        """Acknowledges the signs of attacks of the test so far, so that they raise no alarm in the
        headline."""
        for alarm in json.loads(self.sekisho("attacks", "--json").stdout)["alarms"]:
            if alarm["state"] == "ringing":
                self.sekisho("attacks", "--acknowledge", str(alarm["number"]), "--reason", "a test's", "--by", "the test")

    def status(self):
        """The daemon's status; `standing`: the status that is read from the kernel without a
        daemon."""
        said = self.standing()
        return {"error": "no daemon"} if said.get("daemon") is False else said

    def standing(self, question="status"):
        return json.loads(self.sekisho(question, "--json", check=False).stdout)

    def events(self, after=0):
        out = self.sekisho("events", "--json", "--after", str(after), "--limit", "10000").stdout
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def last_seq(self):
        last = 0
        while True:  # an answer has ten thousand records at most
            events = self.events(last)
            last = events[-1]["seq"] if events else last
            if len(events) < 10000:
                return last

    def pids(self, role):
        return [r["pid"] for r in self.status()["roles"] if r["role"] == role and r.get("pid")]

    def running(self):
        return all(r["state"] == "running" for r in self.status()["roles"])

    def in_force(self):
        """Whether the box has read back what it has confirmed; false while it has not read the
        kernel."""
        said = self.status()
        return "kernel" in said and "generation" in said and said["kernel"].get("digest") == said["generation"]["digest"]

    def drops(self):
        return {k: v["packets"] for k, v in self.status()["kernel"]["counters"].items()}

    def begin(self):
        """Begins a case; the box's output from here on is shown if it fails."""
        self.began, self.logged = time.time(), aftermath.size(self.run_folder + "/sekishod.log")
        try:
            self.counted = self.drops()
        except (ValueError, KeyError):  # there is no daemon; perhaps the case is about to start it
            self.counted = {}

    def tell(self):
        """Prints the daemon's log, tracked sessions, drops, gates, workers and the last records
        since the case began."""
        out = ["daemon: " + line for line in aftermath.said_since(self.run_folder + "/sekishod.log", self.logged)]
        out.append("tracked: " + self.tracked())
        out += ["queue: " + x for x in sh("cat", "/proc/net/netfilter/nfnetlink_queue", ns=self.data, check=False).stdout.splitlines()]
        since = ["--since", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.began)), "--lang", "en"]
        for options in (["--severity", "warning", "--limit", "40"], ["--limit", "12"]):
            said = self.sekisho("events", *since, *options, check=False)
            out += ["event: " + x for x in (said.stdout + said.stderr).splitlines()]
        status = self.status()
        drops = {k: v["packets"] for k, v in status["kernel"]["counters"].items()}
        out.append("dropped: %s" % {k: n - self.counted.get(k, 0) for k, n in drops.items() if n != self.counted.get(k, 0)})
        out.append("sessions: %s" % status["tracking"])
        out += ["%s: %s" % (kind[:-1], x) for kind in ("gates", "workers") for x in status[kind]]
        return out + ["role: %s, %s" % (r, aftermath.had(r["pid"])) for r in status["roles"]]

    def tracked(self):
        """The number of tracked sessions by kind and state, and the pairs of addresses with the
        most."""
        kinds, pairs = collections.Counter(), collections.Counter()
        for family in ("ipv4", "ipv6"):
            for line in sh("conntrack", "-L", "-f", family, ns=self.data, check=False).stdout.splitlines():
                words = line.split()
                kinds[words[0] + (" " + words[3] if words[0] == "tcp" else "")] += 1
                pairs[" ".join([w for w in words if w[:4] in ("src=", "dst=")][:2])] += 1
        return "%s; %s" % (dict(kinds), dict(pairs.most_common(3)))

    def close(self):
        self.net.close()
        reports.expect_none()  # roles of the last case may have ended after it
