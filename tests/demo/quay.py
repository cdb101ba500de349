# SPDX-License-Identifier: Apache-2.0
"""The demonstration's second policy, on the same box: a whole port terminal, of which much is
written once for many (docs/terminal.md). Its text is tests/golden/terminal. Of its cranes, two of
the twelve RTG and one STS exist here. A panel and the PLC of the same crane meet at the box,
because the hosts of the quay know no other host than their gateway."""
import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import modbus  # noqa: E402
from crossings import Crossing  # noqa: E402
from net import SLOWNESS, sh, wait_for  # noqa: E402
from terminal import BUILD, RUN, TOP, ZONES  # noqa: E402
from tries import QUIET, arrived, datagram, dns_query, is_write, payload_with, ping, program, speak, whole_pdus  # noqa: E402

GOLDEN = os.path.join(TOP, "tests", "golden", "terminal")
POLICY = os.path.join(RUN, "policy-quay")
# Networks for which the first policy has no wire: (namespace, the box's address there, addresses of
# its hosts).
MORE = (("servers", "10.15.0.1/24", ["10.15.0.10/24"]), ("history", "10.25.0.1/24", ["10.25.0.10/24"]), ("reefer", "10.45.0.1/24", ["10.45.0.10/24"]),
        ("position", "10.50.0.1/24", ["10.50.0.10/24"]), ("cctv", "10.55.0.1/24", ["10.55.0.10/24"]), ("maker", "10.90.0.1/28", ["10.90.0.2/28", "10.90.0.3/28"]))
PLCS = ["10.30.1.51", "10.30.1.71", "10.30.2.21"]  # rtg05, rtg07, sts2
PANELS = ["10.30.1.53", "10.30.1.73", "10.30.1.79"]  # rtg05, rtg07, and one that is in no table yet
# The zones of lan0, lan1, ...
ROLES = ("office", "servers", "tos", "history", "gate", "reefer", "position", "cctv", "quay", "maker")


def box_text(t):
    own = {**{short: [device, None] for short, (device, *_) in ZONES.items()}, **{short: [short + "0", address] for short, address, _ in MORE}, "quay": ["quay0", "10.30.0.1/22"]}
    for short, address in (("office", "10.10.0.1/16"), ("tos", "10.20.0.1/24"), ("gate", "10.40.0.1/24"), ("inet", "198.51.100.1/24")):
        own[short][1] = address
    rows = ["  %s = { device = \"%s\"; addresses = [\"%s\"]; };" % (role, *own[short]) for role, short in [("lan%d" % i, s) for i, s in enumerate(ROLES)] + [("wan0", "inet")]]
    return t.devices("\n".join(["language_version = 1;", "workers = 2;", "interfaces = {"] + rows + [
        "  admin0 = { device = \"admin0\"; role = \"admin\"; addresses = [\"10.99.0.1/24\"]; };", "};",
        "routes = ( { to = \"0.0.0.0/0\"; via = \"198.51.100.2\"; interface = \"wan0\"; } );", ""]))


def wires(t):
    net = t.net
    box, quay = net.ns("box"), net.add("quay")
    for short, address, hosts in MORE:
        net.veth(net.add(short), "eth0", box, short + "0")
        t.live(short, hosts, address.split("/")[0])
    sh("ip", "link", "add", "br0", "type", "bridge", ns=quay)
    net.veth(quay, "box0", box, "quay0")
    for short, hosts in (("plcs", PLCS), ("panels", PANELS)):
        net.veth(net.add(short), "eth0", quay, short)
        t.live(short, [a + "/32" for a in hosts], "10.30.0.1")
    for port in ("box0", "plcs", "panels", "br0"):
        sh("ip", "link", "set", "dev", port, *([] if port == "br0" else ["master", "br0"]), "up", ns=quay)
    net.address(net.ns("tos"), "eth0", "10.20.0.90/24")
    for address in PLCS:
        net.spawn([os.path.join(BUILD, "peers", "plc"), address, "502"], net.ns("plcs"), os.path.join(RUN, "quay.log"))
    net.spawn(["dnsmasq", "-k", "-C", "/dev/null", "-h", "-R", "-u", "root", "--pid-file", "--listen-address=10.15.0.10", "--bind-interfaces",
               "--host-record=tos.kita.example,10.20.0.20"], net.ns("servers"), os.path.join(RUN, "quay-dns.log"))
    for short, address, port in [("plcs", a, 502) for a in PLCS] + [("servers", "10.15.0.10", 53)]:
        wait_for(lambda s=short, a=address, p=port: t._listens(s, a, p), 20, "%s:%d" % (address, port))


def texts(t):
    """The policy in a folder of its own, with this box's wires. Returns also the number of its
    lines."""
    shutil.copytree(GOLDEN, POLICY, ignore=shutil.ignore_patterns("expected.*"), dirs_exist_ok=True)
    with open(POLICY + "/box.cfg", "w", encoding="utf-8") as f:
        f.write(box_text(t))
    with open(POLICY + "/site.cfg", encoding="utf-8") as f:
        return len(f.readlines())


def tries(t, title):
    ns = t.net.ns
    office, tos, gate, maker, plcs, panels = (ns(x) for x in ("office", "tos", "gate", "maker", "plcs", "panels"))
    read, write = modbus.read_holding, modbus.write_register
    rtg05, rtg07, sts2 = PLCS
    own = ("the panel reads its own crane", "操作盤が自機を読む")
    rows = []

    def add(*args, **kw):
        rows.append(Crossing(title, *args, **kw))

    add("rtg05.cms", "rtg05", own, "passed", speak(panels, rtg05, 502, [read(0, 10)], PANELS[0]), conduit="rtg-panel/rtg05")
    add("rtg07.cms", "rtg07", own, "passed", speak(panels, rtg07, 502, [read(0, 10)], PANELS[1]), conduit="rtg-panel/rtg07")
    add("rtg05.cms", "rtg07", ("it reads another one", "別のクレーンを読む"), "silent", speak(panels, rtg07, 502, [read(0, 10)], PANELS[0], QUIET), arrived(PANELS[0]), "plcs")
    add("rtg05.cms", "rtg05", ("it writes to its own", "自機に書く"), "reset", speak(panels, rtg05, 502, [write(400, 1)], PANELS[0]), whole_pdus(PANELS[0], is_write), "plcs",
        "rtg-panel/rtg05")
    for name, address in (("rtg07", rtg07), ("sts2", sts2)):
        add("tos-db", name, ("reads a PLC of the group", "グループの PLC を読む"), "passed", speak(tos, address, 502, [read(0, 10)], "10.20.0.10"), conduit="work-queue")
    add("engineer", "sts2", ("sets what is for maintenance", "保守用のレジスタに書く"), "passed", speak(tos, sts2, 502, [write(400, 1)], "10.20.0.90"), conduit="set-points")
    add("engineer", "sts2", ("writes elsewhere", "ほかのレジスタに書く"), "reset", speak(tos, sts2, 502, [write(500, 1)], "10.20.0.90"), whole_pdus("10.20.0.90", is_write_elsewhere), "plcs",
        "set-points")
    add("office", "rtg05", ("Modbus from the office", "事務所から Modbus"), "silent", speak(office, rtg05, 502, [read(0, 1)], patience=QUIET), arrived("10.10.0.5"), "plcs")
    add("maker-a", "rtg05", ("Modbus from a vendor", "保守会社から Modbus"), "silent", speak(maker, rtg05, 502, [read(0, 1)], "10.90.0.2", QUIET), arrived("10.90.0.2"), "plcs")
    for who, source, name in ((office, None, "office"), (gate, None, "gate"), (plcs, rtg05, "crane")):
        add(name, "ad1", ("DNS question: basics for everybody", "DNS の問い合わせ（共通の基本サービス）"), "passed", datagram(who, "10.15.0.10", 53, dns_query("tos.kita.example"), source),
            conduit="basics/" + name)
    add("office", "ad1", ("not DNS on port 53", "53 番ポートで DNS 以外"), "silent", datagram(office, "10.15.0.10", 53, b"\xff" * 5 + b"tunnel-tunnel-tunnel"),
        payload_with("10.10.0.5", b"tunnel-tunnel"), "servers", "basics/office")
    add("gate", "ad1", ("ping", "ping"), "passed", ping(gate, "10.15.0.10"), conduit="basics/gate")
    add("office", "tos-app", ("web page over TLS (curl)", "TLS で画面を開く（curl）"), "passed", program(office, "curl", "-sk", "--max-time", str(5 * SLOWNESS), "https://10.20.0.20/"),
        conduit="screens/office")
    return rows


def is_write_elsewhere(unit, function, data):
    return is_write(unit, function, data) and data[:2] != b"\x01\x90"


def moved(t):
    """Rows about a changed table: the panel of one crane changes, and no other one."""
    with open(POLICY + "/rtg.csv", "rb") as f:
        table = f.read()
    with open(POLICY + "/rtg.csv", "wb") as f:
        f.write(table.replace(b",10.30.1.73,", b",10.30.1.79,"))
    t.sekisho("apply", POLICY + "/site.cfg")
    for source, what, expected in ((PANELS[2], ("its new panel, by the table", "表で差し替えた新しい操作盤"), "passed"), (PANELS[1], ("its panel of before", "差し替え前の操作盤"), "silent")):
        since = t.captures["plcs"].frames and t.captures["plcs"].frames[-1][0]
        got = speak(t.net.ns("panels"), PLCS[1], 502, [modbus.read_holding(0, 10)], source, QUIET if expected == "silent" else 2.5 * SLOWNESS)()
        leaked = arrived(source)(t.captures["plcs"].incoming(since)) if expected == "silent" else 0
        yield "panel", "rtg07", what, expected, got, "", "", leaked
