# SPDX-License-Identifier: Apache-2.0
"""The first namespace of a machine that people use, with every kind of setting that is lost when a
device leaves it."""
import contextlib
import itertools
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from net import inside, sh, wait_for  # noqa: E402

DEVICES = ["it0", "ops0", "ot0", "adm0"]
# One line for each setting. Kinds that this kernel does not have are left out, and the suite says
# so.
DRESS = """
addr add 192.0.2.10/24 brd + label ops0:1 dev ops0
addr add 192.0.2.11/24 dev ops0
addr add 172.30.0.1 peer 172.30.0.2/32 dev ops0
addr add 203.0.113.5/24 dev ops0 valid_lft 600 preferred_lft 300
addr add 198.18.0.5/15 dev ops0 noprefixroute metric 7
addr add 2001:db8:c0::10/64 dev ops0 nodad
addr add 2001:db8:c1::10/64 dev ops0 nodad valid_lft 900 preferred_lft 500
addr add 2001:db8:c2::10/64 dev ops0 nodad noprefixroute
route add default via 192.0.2.1 dev ops0 metric 100
route add 198.51.100.0/24 via 192.0.2.2 dev ops0 proto static src 192.0.2.11 mtu 1300
route add 100.64.0.0/10 dev ops0 scope link table 77
route add 100.65.0.0/16 via 192.0.2.2 dev ops0 table 77 tos 0x10
-6 route add default via 2001:db8:c0::1 dev ops0 metric 50
-6 route add 2001:db8:ff::/48 via 2001:db8:c0::2 dev ops0 proto static pref high
-6 route add 2001:db8:fe::/48 via fe80::2 dev ops0 expires 800
neigh add 192.0.2.1 lladdr 02:00:00:00:00:77 nud permanent dev ops0
link add br0 type bridge
link set ot0 master br0
addr add 10.88.0.1/24 dev br0
route add default via 10.88.0.9 dev br0 metric 500
link set it0 down
addr add 10.77.0.1/24 dev it0
addr add 192.0.2.129/25 dev adm0
route add 10.55.0.0/16 nexthop via 192.0.2.130 dev adm0 weight 2 nexthop via 192.0.2.2 dev ops0 weight 1
"""
ORDER_UP = ["ops0", "ot0", "adm0", "br0"]
SETTINGS = {"ipv4/conf/ops0/rp_filter": "2", "ipv4/conf/ops0/arp_ignore": "1", "ipv6/conf/ops0/accept_ra": "2",
            "ipv6/conf/adm0/disable_ipv6": "1", "ipv4/neigh/ops0/gc_stale_time": "77", "ipv4/conf/it0/forwarding": "1"}
EXTRA = {  # macvlan: a kind that no box accepts; the others are kinds that not every kernel has
    "macvlan": ["link add link ops0 name mv0 type macvlan", "link set mv0 up", "addr add 10.99.0.1/24 dev mv0", "route add 10.98.0.0/16 via 10.99.0.9 dev mv0"],
    "vlan": ["link add link ops0 name ops0.5 type vlan id 5", "link set ops0.5 up", "addr add 10.95.0.1/24 dev ops0.5",
             "route add 10.94.0.0/16 via 10.95.0.9 dev ops0.5"],
    "bond": ["link add bond0 type bond mode active-backup miimon 100", "link set adm0 down", "link set adm0 master bond0", "link set bond0 up",
             "addr add 10.93.0.1/24 dev bond0", "route add 10.92.0.0/16 via 10.93.0.9 dev bond0"],
}


def setting(ns, name, value=None):
    with inside(ns):
        if value is None:
            with open("/proc/sys/net/" + name, encoding="ascii") as f:
                return f.read().strip()
        with open("/proc/sys/net/" + name, "w", encoding="ascii") as f:
            return f.write(value)


def settings_of(ns):
    """All settings of devices that a process may read, by name."""
    found = {}
    with inside(ns):
        for d in DEVICES:
            for folder in ("ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"):
                path = "/proc/sys/net/%s/%s/" % (folder, d)
                for name in os.listdir(path) if os.path.isdir(path) else ():
                    with contextlib.suppress(OSError), open(path + name, encoding="ascii") as f:
                        found[path + name] = f.read().strip()
    return found


def tentative(ns):
    """IPv6 addresses whose duplicate detection still runs."""
    with inside(ns), open("/proc/thread-self/net/if_inet6", encoding="ascii") as f:
        return [line for line in f if int(line.split()[4], 16) & 0x40]


def ip_lines(ns, lines, force=False):
    """Runs `ip` with each line, with as few processes as their order allows: one process takes
    lines of one address family."""
    for family, group in itertools.groupby(lines, key=lambda line: line[0] if line[0][0] == "-" else "-0"):
        text = "".join(" ".join(line[1:] if line[0] == family else line) + "\n" for line in group)
        sh("ip", *([] if family == "-0" else [family]), *(["-force"] if force else []), "-batch", "-", ns=ns, input=text, check=not force)


def dress(ns):
    """Sets everything of DRESS in the namespace."""
    sh("ip", "link", "del", "br0", ns=ns, check=False)
    ip_lines(ns, ["link set ops0 mtu 1400 address 02:00:00:00:aa:01".split()] + [["link", "set", d, "up"] for d in DEVICES])
    for name, value in SETTINGS.items():
        setting(ns, name, value)
    lines = []
    for line in (x.split() for x in DRESS.strip().splitlines()):
        lines.append(line)
        if line[:2] == ["link", "add"]:
            lines.append(["link", "set", line[line.index("name") + 1] if "name" in line else line[2], "up"])
    ip_lines(ns, lines)


def extra(ns, kind):
    """Adds a kind of EXTRA."""
    ip_lines(ns, [x.split() for x in EXTRA[kind]])


def undress(ns):
    lines = [["link", "del", d] for d in ("mv0", "br0", "ops0.5", "bond0", "spare0")]
    for d in DEVICES:
        lines += [["addr", "flush", "dev", d], ["neigh", "flush", "dev", d, "nud", "permanent"]]
        lines += [[family, "route", "flush", "table", "all", "dev", d] for family in ("-4", "-6")]
        lines += [["link", "set", d, "down"]]
    ip_lines(ns, lines, force=True)


def shown(ns, *words):
    out = sh("ip", "-j", *words, ns=ns).stdout
    return json.loads(out) if out.strip() else []


LIVES = ("valid_life_time", "preferred_life_time")
FOREVER = 4294967295


def look(ns):
    """What `ip` shows of the namespace, without values that change by themselves; lifetimes
    separately."""
    lives = {}
    addresses = shown(ns, "addr")
    for link in addresses:
        for a in link.get("addr_info", []):
            lives[(link["ifname"], a["local"])] = tuple(a.pop(k, FOREVER) for k in LIVES)
        link["addr_info"].sort(key=lambda a: (a["family"], a["scope"] == "link"))
    links = shown(ns, "-d", "link")
    for link in addresses + links:
        for volatile in ("link", "ifindex", "link_index", "link_netnsid", "operstate", "gc_timer", "hello_timer"):
            link.pop(volatile, None)
        link["flags"].sort()
        if "UP" not in link["flags"]:
            link.pop("qdisc", None)  # a link that was never up shows another one
        for k in [k for k in link.get("linkinfo", {}).get("info_data", {}) if k.endswith("timer") or k == "active_slave"]:
            del link["linkinfo"]["info_data"][k]
        slave = link.get("linkinfo", {}).get("info_slave_data", {})
        for k in [k for k in slave if k.endswith("timer") or k in ("port", "no", "id", "state", "queue_id", "link_failure_count", "mii_status")]:
            del slave[k]
    routes = shown(ns, "route", "show", "table", "all") + shown(ns, "-6", "route", "show", "table", "all")
    for r in routes:
        r["flags"] = sorted(r.get("flags", []))
        for hop in r.get("nexthops", []):
            hop["flags"] = sorted(hop.get("flags", []))
        if r.pop("expires", None) is not None:
            r["expires"] = "some"
    neighbours = shown(ns, "neigh", "show", "nud", "permanent")
    key = lambda x: json.dumps(x, sort_keys=True)  # noqa: E731
    return {"addr": sorted(addresses, key=key), "link": sorted(links, key=key), "route": sorted(routes, key=key),
            "neigh": sorted(neighbours, key=key), "settings": settings_of(ns)}, lives


def differences(was, now):
    """The differences as sentences; "": none. Lifetimes may only shrink, and infinite ones stay
    so."""
    out = []
    for part, before in was[0].items():
        after = now[0][part]
        if isinstance(before, dict):
            out += ["%s: %s, now %s" % (k, before.get(k), after.get(k)) for k in set(before) | set(after) if before.get(k) != after.get(k)]
            continue
        b, a = [json.dumps(x, sort_keys=True) for x in before], [json.dumps(x, sort_keys=True) for x in after]
        out += ["%s gone: %s" % (part, x) for x in b if x not in a] + ["%s new: %s" % (part, x) for x in a if x not in b]
    for k, before in was[1].items():
        after = now[1].get(k, ())
        for x, y in zip(before, after):
            if (x == FOREVER) != (y == FOREVER) or y > x or (x != FOREVER and y < x - 120):
                out.append("lifetimes of %s: %s, now %s" % (k, before, after))
    return "\n    ".join(out)


def same(ns, was, seconds=8):
    """Waits until the namespace is as it was; returns the differences."""
    try:
        wait_for(lambda: not differences(was, look(ns)), seconds, "the first namespace as it was")
    except TimeoutError:
        raise AssertionError("the first namespace differs:\n    " + differences(was, look(ns))) from None
