# SPDX-License-Identifier: Apache-2.0
"""The small port terminal of the demonstration: namespaces, wires, hosts with real programs, and
the box between them."""
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from link_kinds import lacking  # noqa: E402
from net import Capture, Net, mac_of, sh, wait_for  # noqa: E402

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
BUILD = os.path.join(TOP, "build", "release")
PEERS = os.path.join(TOP, "build", "peers")
PREFIX = "skdemo-"
RUN = "/run/sekisho-demo"
ADMIN_IF = "skadmin0"
ADMIN_BOX = "10.99.0.1"
ADMIN_ME = "10.99.0.2"

# short name: (device of the box, addresses of its hosts, gateway 4, gateway 6, prefix lengths)
ZONES = {
    "office": ("office0", ["10.10.0.5/16", "10.10.0.6/16", "2001:db8:10::5/64"], "10.10.0.1", "2001:db8:10::1"),
    "tos": ("tos0", ["10.20.0.10/24", "10.20.0.20/24", "10.20.0.30/24", "2001:db8:20::10/64", "2001:db8:20::20/64",
                     "2001:db8:20::30/64"], "10.20.0.1", "2001:db8:20::1"),
    "crane": ("crane0", ["10.30.1.10/22", "10.30.1.11/22", "10.30.1.12/22", "10.30.1.13/22", "10.30.1.20/22",
                         "10.30.1.21/22", "10.30.1.22/22", "10.30.1.23/22", "10.30.1.24/22", "2001:db8:30::10/64", "2001:db8:30::11/64", "2001:db8:30::12/64",
                         "2001:db8:30::13/64", "2001:db8:30::20/64", "2001:db8:30::21/64", "2001:db8:30::22/64", "2001:db8:30::23/64", "2001:db8:30::24/64"], "10.30.0.1", "2001:db8:30::1"),
    "gate": ("gate0", ["10.40.0.10/24", "10.40.0.20/24", "2001:db8:40::10/64", "2001:db8:40::20/64"], "10.40.0.1", "2001:db8:40::1"),
    "vendor": ("vendor0", ["203.0.113.5/24", "2001:db8:50::5/64"], "203.0.113.1", "2001:db8:50::1"),
    "inet": ("inet0", ["198.51.100.2/24", "192.0.2.66/32", "2001:db8:ffff::2/64"], "198.51.100.1", "2001:db8:ffff::1"),
}


# With --trunk the box has all zones as VLANs of one card.
CARD, VLANS, ADMIN_VLAN = "card0", {"office": 10, "tos": 20, "crane": 30, "gate": 40, "vendor": 50, "inet": 60}, 99


class Missing(Exception):
    """What this machine lacks, as one sentence in both languages."""

    def __init__(self, en, ja):
        super().__init__(en)
        self.texts = (en, ja)


def check_machine(trunk=False):
    if os.geteuid() != 0:
        raise Missing("The demonstration needs root (network namespaces, netfilter).",
                      "デモには root 権限が必要です（ネットワーク名前空間と netfilter のため）。")
    try:
        sh("ip", "netns", "add", PREFIX + "probe")
    except (RuntimeError, OSError):
        raise Missing("This machine does not allow network namespaces to be made.",
                      "このマシンではネットワーク名前空間を作成できません。") from None
    try:
        subprocess.run(["modprobe", "-aq", "nfnetlink_queue", "nft_compat", "xt_NFQUEUE", "nft_queue", "nf_conntrack"],
                       check=False, stderr=subprocess.DEVNULL)
    except OSError:
        pass
    queue = sh("ip", "netns", "exec", PREFIX + "probe", "test", "-e", "/proc/net/netfilter/nfnetlink_queue", check=False)
    sh("ip", "netns", "del", PREFIX + "probe", check=False)
    if queue.returncode != 0:
        raise Missing("This kernel has no NFQUEUE (nfnetlink_queue), which hands packets to inspection.",
                      "このカーネルには、パケットを検査に渡す NFQUEUE（nfnetlink_queue）がありません。")
    taken = json.loads(sh("ip", "-j", "addr").stdout or "[]")
    for link in taken:
        for a in link.get("addr_info", []):
            if a.get("local", "").startswith("10.99.0.") and link["ifname"] != ADMIN_IF:
                raise Missing("10.99.0.0/24, the demonstration's admin network, is already in use on %s." % link["ifname"],
                              "デモの管理用ネットワーク 10.99.0.0/24 はすでに %s で使われています。" % link["ifname"])
    if trunk and lacking("vlan"):
        raise Missing("This kernel has no 802.1Q, which a trunk needs.", "このカーネルには、トランクに必要な 802.1Q がありません。")
    for program in ("sekisho", "sekishod"):
        if not os.path.exists(os.path.join(BUILD, program)):
            raise Missing("build/release/%s is missing: run `make all` first." % program,
                          "build/release/%s がありません。先に `make all` を実行してください。" % program)


class Terminal:
    def __init__(self, trunk=False, policy="site.cfg"):
        self.net = Net(PREFIX)
        self.trunk = trunk
        self.policy = os.path.join(TOP, "tests", "demo", "policy", policy)
        self.box = None
        self.captures = {}

    # ---- wires ----
    def wires(self):
        os.makedirs(RUN, exist_ok=True)
        box = self.net.add("box")
        if self.trunk:
            self._trunk(box)
        for short, (device, addresses, gw4, gw6) in ZONES.items():
            ns = self.net.add(short)
            if self.trunk:
                self._vlan(VLANS[short], ns, "eth0")
            else:
                self.net.veth(ns, "eth0", box, device)
            self.live(short, addresses, gw4, gw6)
        # the control pair: the same PLC and poller on a wire of their own
        a, b = self.net.add("ctl-a"), self.net.add("ctl-b")
        self.net.veth(a, "eth0", b, "eth0")
        self.net.address(a, "eth0", "192.168.77.1/24")
        self.net.address(b, "eth0", "192.168.77.2/24")
        # the machine itself is the admin terminal
        if self.trunk:
            self._vlan(ADMIN_VLAN, os.getpid(), ADMIN_IF)
        else:
            self.net.veth(None, ADMIN_IF, box, "admin0")
        self.net.address(None, ADMIN_IF, ADMIN_ME + "/24")
        # namespaces that the daemon makes; they are deleted together with ours
        self.net.names += [PREFIX + "data", PREFIX + "admin"]

    def live(self, short, addresses, *gateways):
        """Gives a namespace the addresses of its hosts and their gateways, and records what arrives
        there."""
        ns = self.net.ns(short)
        self.net.address(ns, "eth0", *addresses)
        for gateway in gateways:
            sh("ip", "-6" if ":" in gateway else "-4", "route", "add", "default", "via", gateway, "dev", "eth0", "onlink", ns=ns)
        self.captures[short] = Capture(self.net, ns, "eth0")

    def devices(self, text):
        """Writes the devices of this box into the text of a box.cfg."""
        for device, vlan in [(ZONES[short][0], vlan) for short, vlan in VLANS.items()] + [("admin0", ADMIN_VLAN)] if self.trunk else []:
            text = text.replace('device = "%s";' % device, 'device = "%s"; vlan = %d;' % (CARD, vlan))
        return text

    def _trunk(self, box):
        """Gives the box one card, whose other end belongs to a switch, and copies the policy with a
        box.cfg for that."""
        switch = self.net.add("switch")
        self.net.veth(switch, "port0", box, CARD)
        sh("ip", "link", "set", "port0", "up", ns=switch)
        folder = os.path.join(RUN, "policy")
        sh("cp", "-r", os.path.dirname(self.policy), folder)
        self.policy = os.path.join(folder, os.path.basename(self.policy))
        with open(folder + "/box.cfg", encoding="utf-8") as f:
            text = self.devices(f.read())
        with open(folder + "/box.cfg", "w", encoding="utf-8") as f:
            f.write(text)

    def _vlan(self, number, ns, name):
        """Adds a port to the switch that is only in this VLAN."""
        switch = self.net.ns("switch")
        sh("ip", "link", "add", "link", "port0", "name", "v%d" % number, "type", "vlan", "id", number, ns=switch)
        sh("ip", "link", "set", "v%d" % number, "netns", ns, "name", name, ns=switch)

    def mac(self, short):
        """The MAC address of the box in that zone."""
        return mac_of(self.net.ns("data"), "%s.%d" % (CARD, VLANS[short]) if self.trunk else ZONES[short][0])

    # ---- hosts ----
    def hosts(self):
        spawn, ns = self.net.spawn, self.net.ns
        log = lambda name: os.path.join(RUN, name + ".log")  # noqa: E731
        plc, poller = os.path.join(BUILD, "peers", "plc"), os.path.join(BUILD, "peers", "poller")
        for n, last in enumerate((10, 11, 12, 13), 1):
            spawn([plc, "10.30.1.%d" % last, "502"], ns("crane"), log("rtg0%d" % n))
            spawn([plc, "2001:db8:30::%d" % last, "502"], ns("crane"), log("rtg0%d-6" % n))
        spawn([plc, "10.40.0.10", "502"], ns("gate"), log("barrier"))
        controllers = [sys.executable, os.path.join(TOP, "tests", "demo", "controllers.py")]
        spawn(controllers + [name + "=" + start + last for name, last in (("slmp", "20"), ("enip", "21"), ("s7comm", "22"), ("memobus", "23"), ("opcua", "24"))
                             for start in ("10.30.1.", "2001:db8:30::")], ns("crane"), log("sts"))
        spawn(controllers + ["fins=10.40.0.20", "fins=2001:db8:40::20"], ns("gate"), log("lane"))
        spawn([plc, "192.168.77.2", "502"], ns("ctl-b"), log("ctl-plc"))
        spawn([poller, "192.168.77.2", "502", os.path.join(RUN, "poller-control.json")], ns("ctl-a"), log("ctl-poller"))
        self._web(spawn, ns, log)
        self._database(spawn, ns, log)
        key = os.path.join(RUN, "ssh_host_key")
        if not os.path.exists(key):
            sh("dropbearkey", "-t", "ed25519", "-f", key)
        for where, listen in (("gate", "10.40.0.10:22"), ("gate", "[2001:db8:40::10]:22"), ("tos", "[2001:db8:20::20]:443"),
                              ("tos", "10.20.0.10:22")):
            spawn(["dropbear", "-F", "-E", "-P", RUN + "/dropbear.pid", "-r", key, "-p", listen], ns(where), log("ssh"))
        spawn(["dnsmasq", "-k", "-C", "/dev/null", "-h", "-R", "-u", "root", "--pid-file", "--listen-address=10.20.0.20",
               "--bind-interfaces", "--host-record=tos.kita.example,10.20.0.20"], ns("tos"), log("dns"))
        for where, address, port in (("tos", "10.20.0.20", 443), ("tos", "10.20.0.10", 5432), ("gate", "10.40.0.10", 22), ("gate", "10.40.0.10", 502),
                                     ("crane", "10.30.1.10", 502), ("crane", "10.30.1.13", 502), ("crane", "10.30.1.24", 4840), ("gate", "10.40.0.20", 9600)):
            wait_for(lambda w=where, a=address, p=port: self._listens(w, a, p), 20, "%s:%d in %s" % (address, port, where))

    def _listens(self, short, address, port):
        out = sh("ss", "-Hltn", "sport = :%d" % port, ns=self.net.ns(short), check=False).stdout
        return address + ":" in out

    def _web(self, spawn, ns, log):
        folder = os.path.join(RUN, "web")
        os.makedirs(os.path.join(folder, "html"), exist_ok=True)
        with open(os.path.join(folder, "html", "index.html"), "w", encoding="utf-8") as f:
            f.write("<!doctype html><meta charset=utf-8><title>TOS</title><p>北ターミナル TOS\n")
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
           "-subj", "/CN=tos.kita.example", "-keyout", folder + "/key.pem", "-out", folder + "/cert.pem")
        with open(folder + "/nginx.conf", "w", encoding="utf-8") as f:
            f.write("""daemon off; user root; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error.log;
events { worker_connections 256; }
http { access_log off; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f;
 uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s; keepalive_timeout 600;
 server { listen 10.20.0.20:443 ssl; ssl_certificate %(d)s/cert.pem; ssl_certificate_key %(d)s/key.pem; root %(d)s/html; } }
""" % {"d": folder})
        spawn([os.path.join(PEERS, "usr/sbin/nginx"), "-p", folder, "-c", folder + "/nginx.conf", "-e", folder + "/error.log"],
              ns("tos"), log("web"))

    def _database(self, spawn, ns, log):
        folder = os.path.join(RUN, "database")
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        env = dict(os.environ, LC_ALL="C", HOME="/nonexistent")
        # the server refuses to run as root, and looks for its files relative to the binary: with a
        # copy in RUN the user nobody can read them
        share = os.path.join(RUN, "pg")
        if not os.path.isdir(share):
            os.chmod(RUN, 0o755)
            sh("cp", "-r", os.path.join(PEERS, "usr"), share)
            sh("chmod", "-R", "a+rX", share)
        # the version that Debian's release has
        version = os.listdir(os.path.join(share, "lib/postgresql"))[0]
        binaries = os.path.join(share, "lib/postgresql", version, "bin")
        os.makedirs(folder, exist_ok=True)
        os.chown(folder, 65534, 65534)
        if not os.path.exists(folder + "/PG_VERSION"):
            sh(*as_nobody, binaries + "/initdb", "-D", folder, "-A", "trust", "-U", "tos", "-N",
               "-L", os.path.join(share, "share/postgresql", version), env=env, timeout=120)
            with open(folder + "/pg_hba.conf", "w", encoding="ascii") as f:
                f.write("host all all all trust\n")
        spawn(as_nobody + [binaries + "/postgres", "-D", folder, "-c", "listen_addresses=10.20.0.10,2001:db8:20::10",
                           "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB"],
              ns("tos"), log("database"), env=env)
        self.psql = binaries + "/psql"

    def poller(self):
        self.net.spawn([os.path.join(BUILD, "peers", "poller"), "10.30.1.13", "502",
                        os.path.join(RUN, "poller-crane.json")], self.net.ns("tos"), os.path.join(RUN, "poller.log"))

    def poller_counts(self, which):
        try:
            with open(os.path.join(RUN, "poller-%s.json" % which), encoding="ascii") as f:
                return json.loads(f.readline())
        except (OSError, ValueError):
            return {"polls": 0, "errors": 0, "trips": 0, "connects": 0, "longest_gap_ms": 0}

    # ---- the box ----
    def start_box(self, build=BUILD):
        self.box = self.net.spawn(
            [os.path.join(build, "sekishod"), "--data-netns", PREFIX + "data", "--admin-netns", PREFIX + "admin",
             "--state", RUN + "/state", "--run", RUN + "/box"], self.net.ns("box"), os.path.join(RUN, "sekishod.log"))
        wait_for(lambda: self.sekisho("history", check=False).returncode == 0 or self.box.poll() is not None, 10,
                 "the box's control socket")
        if self.box.poll() is not None:
            raise RuntimeError("sekishod ended with status %d; see %s/sekishod.log" % (self.box.returncode, RUN))

    def kill_box(self):
        # `ip netns exec` is replaced by the daemon, so this process is the supervisor
        os.kill(self.box.pid, signal.SIGKILL)
        self.box.wait()

    def sekisho(self, *args, check=True, timeout=20):
        return sh(os.path.join(BUILD, "sekisho"), *args, "--socket", RUN + "/box/control.sock", check=check, timeout=timeout)

    def status(self):
        # status 1: something is amiss
        said = json.loads(self.sekisho("status", "--json", check=False).stdout)
        return {"error": "no daemon"} if said.get("daemon") is False else said

    def events(self, after=0, limit=5000):
        out = self.sekisho("events", "--json", "--after", str(after), "--limit", str(limit), check=False).stdout
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def role_pids(self, role):
        return [r["pid"] for r in self.status()["roles"] if r["role"] == role and r.get("pid")]

    def save(self):
        os.makedirs(RUN, exist_ok=True)
        with open(os.path.join(RUN, "demo.json"), "w", encoding="ascii") as f:
            json.dump({"runner": (os.getpid(), start_time(os.getpid())),
                       "pids": [(p.pid, start_time(p.pid)) for p in self.net.processes if p.poll() is None],
                       "names": self.net.names}, f)


def start_time(pid):
    """Field 22 of /proc/PID/stat: with it a number names one process for good."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None


def check_alone():
    """Only one demonstration can run at a time: a second one would take away the network of the
    first one."""
    try:
        with open(os.path.join(RUN, "demo.json"), encoding="ascii") as f:
            pid, started = json.load(f)["runner"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if pid != os.getpid() and started is not None and start_time(pid) == started:
        raise Missing("Another demonstration is running (process %d); wait until it has ended." % pid,
                      "別のデモが実行中です（プロセス %d）。終わるまでお待ちください。" % pid)


def take_down():
    """Removes every trace of an earlier run: processes it started (by pid and start time),
    namespaces, the veth pair, RUN."""
    found = False
    try:
        with open(os.path.join(RUN, "demo.json"), encoding="ascii") as f:
            saved = json.load(f)
    except (OSError, ValueError):
        saved = {"pids": [], "names": []}
    for pid, started in saved["pids"]:
        if started is not None and start_time(pid) == started:
            found = True
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    listed = [n.split()[0] for n in sh("ip", "netns", "list", check=False).stdout.splitlines() if n.strip()]
    for name in listed:
        if name.startswith(PREFIX):
            found = True
            for pid in sh("ip", "netns", "pids", name, check=False).stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            sh("ip", "netns", "del", name, check=False)
    if os.path.exists("/sys/class/net/" + ADMIN_IF):
        found = True
        sh("ip", "link", "del", ADMIN_IF, check=False)
    if os.path.isdir(RUN):
        sh("rm", "-rf", RUN)
    return found
