# SPDX-License-Identifier: Apache-2.0
"""Random policies, as the values that a person would write, and their text. They use only a few
addresses and ports, mostly at the edges, so that many things overlap. Most of them are valid by the
reference (docs/policy-language.md). A few are not, because a conduit observes what another one
enforces."""
import ipaddress
import time

import meaning

PORTS = {"tcp": ["502", "443", "1", "65535", "22", "500-510", "502-503", "503-65535", "1-501", "1-65535", "440-502"],
         "udp": ["502", "53", "1-65535", "50-502", "503-600", "65535"],
         "icmp": ["8", "8", "0", "0", "3", "13", "128", "255"]}
PROTOCOLS = ["tcp", "tcp", "udp", "icmp", "icmp", "icmp", "icmp", "modbus", "modbus", "modbus", "modbus", "tls", "tls", "tls", "ssh", "http", "dns", "ntp", "rdp", "slmp", "s7comm", "syslog", "ndpi:dnp3"]
ENDS = ["2020-01-01T00:00:00Z", "2001-02-03", "2100-01-01T00:00:00Z", "2100-01-01T09:00:00+09:00", "2100-01-01T00:00:01Z", "2150-06-01", "2150-06-01T24:00:00+09:00",
        "2150-06-02T00:00:00Z", "2199-12-31T23:59:59Z", "2120-02-29T12:34:56-03:30"]
# more ends than the rules for one packet may have
MANY_ENDS = ["2001-02-03T00:00:00Z", "2002-02-03"] + ["21%02d-01-01T00:00:00Z" % i for i in range(10)]
# Hours that touch, that cross midnight, and that lie at a change to or from daylight saving time;
# and days with such a change in years for which the rule is known.
HOURS = ["09:00-17:00", "17:00-22:00", "22:00-06:00", "00:00-24:00", "06:00-00:00", "01:00-04:00", "02:00-03:00", "02:30-12:00", "08:59-09:00", "09:00-08:00"]
DAYS = ["2100-03-13", "2100-03-14", "2100-03-28", "2100-04-04", "2100-10-03", "2100-10-31", "2100-11-07", "2100-12-31", "2101-01-01"]
CLASSES = ["it", "operations", "ot", "external", "test", "management"]
FUNCTIONS = ["read_coils", "read_discrete_inputs", "read_holding_registers", "read_input_registers", "write_single_coil", "write_single_register", "15", "16", "mask_write_register",
             "read_write_multiple_registers", "report_server_id", "get_comm_event_log", "diagnostics", "read_file_record", "write_file_record", "umas", "43", "1-4", "65-72", "24"]
# Networks for zones: eight adjacent blocks, and the edges of the unicast range.
BLOCKS4 = ["10.0.0.%d/28" % (16 * i) for i in range(8)] + ["1.0.0.0/30", "126.255.255.252/30", "128.0.0.0/30", "169.253.255.252/30", "169.255.0.0/30", "223.255.255.252/30"]
BLOCKS6 = ["2001:db8::%x/124" % (16 * i) for i in range(4)] + ["0:0:0:1::/126", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:fffc/126", "ff:ffff::/32"]


def address(family, number):
    return str(ipaddress.IPv4Address(number) if family == 4 else ipaddress.IPv6Address(number))


def written(d, family, lo, hi):
    """A range in one of the forms that a person may write."""
    bits = 32 if family == 4 else 128
    size = hi - lo + 1
    if size & (size - 1) == 0 and lo % size == 0 and d.random() < 0.7:
        return "%s/%d" % (address(family, lo), bits - size.bit_length() + 1) if size > 1 or d.random() < 0.3 else address(family, lo)
    return "%s-%s" % (address(family, lo), address(family, hi)) if hi > lo else address(family, lo)


def inside(d, lo, hi):
    """A range inside another one, mostly at its edges."""
    near = [x for x in (lo, lo + 1, lo + 2, lo + 7, (lo + hi) // 2, hi - 7, hi - 2, hi - 1, hi) if lo <= x <= hi]
    form = d.random()
    a = d.choice(near)
    if form < 0.4:
        return a, a
    if form < 0.6:  # as a prefix
        size = 1 << d.randrange(5)
        first = a - a % size
        return (first, first + size - 1) if lo <= first and first + size - 1 <= hi else (a, a)
    b = d.choice(near)
    return min(a, b), max(a, b)


def draw_networks(d, blocks):
    networks = []
    for i in range(d.choice([1, 2, 2, 3])):
        # so that both ends may have both address families
        six = [b for b in blocks if ":" in b] if i == 0 and d.random() < 0.5 else []
        if not blocks:
            break
        block = d.choice(six or blocks)
        blocks.remove(block)
        n = ipaddress.ip_network(block)
        lo, hi = int(n[0]), int(n[-1])
        if d.random() < 0.4:
            lo, hi = inside(d, lo, hi)
        networks.append(written(d, n.version, lo, hi))
    return networks


def draw_zones(d):
    blocks = BLOCKS4 + BLOCKS6
    if d.random() < 0.5:
        blocks = [x for x in blocks if "db8" in x or x.startswith("10.")]
    zones, with_rest = [], set()
    for i in range(d.choice([2, 2, 3, 3, 4])):
        interfaces = d.sample(["if%d" % k for k in range(4)], d.choice([1, 1, 2, 2, 3]))
        networks = draw_networks(d, blocks)
        if not with_rest & set(interfaces) and d.random() < 0.35:
            networks = ["rest"] if d.random() < 0.7 or not networks else networks + ["rest"]
            with_rest |= set(interfaces)
        if networks:
            zones.append({"name": "z%d" % i, "interfaces": interfaces, "networks": networks, "class": d.choice(CLASSES)})
    return zones


def draw_addresses(d, ranges, most):
    found = []
    for _ in range(d.randint(1, most)):
        family, lo, hi = d.choice(ranges)
        text = written(d, family, *inside(d, lo, hi))
        if text not in found:
            found.append(text)
    return found


def draw_numbers(d, most):
    a, b = sorted(d.choice([0, 1, 7, 99, most]) for _ in range(2))
    return str(a) if a == b else "%d-%d" % (a, b)


def draw_row(d, tame):
    row = {}
    if tame or d.random() < 0.7:
        row["commands"] = d.sample(["read", "diagnose"] if tame else meaning.WORDS, d.randint(1, 2))
    if not tame and d.random() < 0.4:
        row["functions"] = d.sample(FUNCTIONS, d.randint(1, 3))
    for key, most in (("units", 255), ("coils", 65535), ("discrete", 65535), ("input", 65535), ("holding", 65535), ("values", 65535)):
        if d.random() < 0.2:
            row[key] = [draw_numbers(d, most)]
    return row


def draw_service(d, i, tame, protocols=PROTOCOLS):
    protocol = "modbus" if tame else d.choice(protocols)
    transports = meaning.TRANSPORTS[protocol]
    s = {"name": "s%d" % i, "protocol": protocol}
    if d.random() < 0.85:
        s["ports"] = []
        for _ in range(d.choice([1, 1, 2, 3])):
            t = d.choice(transports)
            port = "%s/%s" % (t, d.choice(PORTS[t]))
            if port not in s["ports"]:
                s["ports"].append(port)
    if tame or (protocol == "modbus" and d.random() < 0.75):
        s["allow"] = [draw_row(d, tame) for _ in range(d.choice([1, 1, 2]))]
    if protocol == "modbus" and d.random() < 0.2:
        s["lenient"] = d.sample(["transaction", "unit", "duplicate", "padding"], d.randint(1, 3))
    if not tame and d.random() < 0.1:
        s["tunnel"] = True
    if meaning.depth(protocol) != "transport" and "allow" not in s and d.random() < 0.15:
        s["undecided_bytes"] = d.choice([0, 8, 65536])
    return s


def draw_end(d, policy, zone):
    names = [a["name"] for a in policy["assets"] if a["zone"] == zone["name"]]
    found = []
    for _ in range(d.choice([1, 1, 2, 3])):
        text = d.choice(names) if names and d.random() < 0.5 else draw_addresses(d, policy["space"][zone["name"]], 1)[0]
        if text not in found:
            found.append(text)
    return found


def draw_conduit(d, policy, i):
    a = d.choice(policy["zones"])
    b = d.choice(policy["zones"]) if d.random() < 0.5 or i == 0 else None
    if b is None:  # between the same zones as another conduit
        other = d.choice(policy["conduits"])
        a, b = (next(z for z in policy["zones"] if z["name"] == other[k]) for k in ("from", "to"))
    c = {"name": "c%d" % i, "from": a["name"], "to": b["name"]}
    if d.random() < 0.5:
        c["sources"] = draw_end(d, policy, a)
    assets = [x["name"] for x in policy["assets"] if x["zone"] == b["name"]]
    if assets and d.random() < 0.3:
        c["destinations"] = [d.choice(assets)]
    elif d.random() < 0.5:
        c["destinations"] = draw_end(d, policy, b)
    names = [s["name"] for s in policy["services"]]
    c["services"] = d.sample(names, min(len(names), d.choice([1, 1, 2, 3])))
    mode = d.random()
    if mode < 0.15:
        c["mode"], c["shadow"] = "observe", True
    elif mode < 0.25:
        c["mode"] = "observe"
    for key, words in meaning.STRICTEST_FIRST.items():
        if d.random() < 0.35:
            c[key] = d.choice(words)
    if any(s["protocol"] == "tls" for s in policy["services"] if s["name"] in c["services"]) and d.random() < 0.4:
        c["names"] = d.sample(["a.vendor.example", "*.vendor.example", "b.example.com"], d.randint(1, 2))
    if d.random() < 0.4:
        c["until"] = d.choice(ENDS)
    return c


def draw_window(d, i):
    w = {"name": "w%d" % i}
    if d.random() < 0.7:
        w["days"] = d.sample(meaning.WEEKDAYS, d.choice([1, 2, 3, 5, 6]))
    if d.random() < 0.8 or "days" not in w:
        w["hours"] = d.choice([x for x in HOURS if x != "00:00-24:00" or "days" in w])
    a, b = sorted(d.sample(range(len(DAYS)), 2))
    for key, day, often in (("first", DAYS[a], 0.3), ("last", DAYS[b], 0.3)):
        if d.random() < often:
            w[key] = day
    if d.random() < 0.4:
        w["except"] = d.sample(DAYS, d.randint(1, 3))
    return w


def draw_times(d, p):
    """Windows, doors and isolations: some conduits open by hours or by a door."""
    p["site"]["time_zone"] = d.choice([d.choice([k, v]) for k, v in meaning.PLACES.items()])
    p["windows"] = [draw_window(d, i) for i in range(d.choice([1, 1, 2, 3]))]
    p["doors"] = [{"name": "d%d" % i, "at_most": d.choice(["1 min", "4 h", "24 h"]), "opened_by": ["supervisor"]} for i in range(d.choice([1, 2, 3]))]
    for c in d.sample(p["conduits"], d.randint(1, min(3, len(p["conduits"])))):
        for key, names in (("within", p["windows"]), ("door", p["doors"])):
            if d.random() < 0.6:
                c[key] = d.choice(names)["name"]
        if d.random() < 0.2 and not any("last" in w for w in p["windows"] if w["name"] == c.get("within")):
            c["starts"] = d.choice(["2099-12-31", "2100-10-31", "2100-11-07T05:30:00Z", "2026-01-01"])
            if "until" in c:
                c["until"] = d.choice(ENDS[-2:])
    if p.get("organisations") and d.random() < 0.5:
        p["doors"][0]["organisation"] = d.choice(p["organisations"])["name"]
    zones, names = [z["name"] for z in p["zones"]], [c["name"] for c in p["conduits"]]
    p["isolations"] = []
    for i in range(d.choice([0, 1, 2])):
        cut = ["zones %s %s" % tuple(d.sample(zones, 2)) if len(zones) > 1 else "everything", "zone " + d.choice(zones), "everything"]
        cut += ["asset " + d.choice(p["assets"])["name"]] if p["assets"] else []
        p["isolations"].append({"name": "i%d" % i, "cut": d.sample(cut, d.choice([1, 1, 2])), "keep": d.sample(names, d.randint(0, len(names)))})


def draw_way(d, p, asset):
    """Few conduits, which together form a chain through one asset: this is the case for a
    chain_break."""
    others = [z["name"] for z in p["zones"] if z["name"] != asset["zone"]]
    del p["conduits"][3:]
    while len(p["conduits"]) < 2:
        p["conduits"].append(draw_conduit(d, p, len(p["conduits"])))
    for c, a, b in ((p["conduits"][0], d.choice(others), asset["zone"]), (p["conduits"][1], asset["zone"], others[-1])):
        for key in ("sources", "destinations", "shadow", "mode"):
            c.pop(key, None)
        c["from"], c["to"] = a, b
    family, lo, hi = meaning.span(asset["addresses"][0])
    beyond = next(r for r in p["space"][asset["zone"]] if meaning.meet(r, (family, lo, hi)))
    p["conduits"][0]["destinations"] = [asset["name"]]
    # a few more addresses: a chain through these does not meet the chain_break
    if d.random() < 0.4:
        p["conduits"][0]["destinations"] += [written(d, family, max(lo - d.randrange(2), beyond[1]), min(hi + d.randrange(2), beyond[2]))]


def draw_never(d, p, tame):
    n = {"from": d.choice(p["zones"])["name"], "to": d.choice(p["zones"])["name"] if d.random() < 0.95 else "self"}
    live = [c for c in p["conduits"] if "shadow" not in c]
    ways = [(a["from"], b["to"]) for a in live for b in live if a["to"] == b["from"] != a["from"]]
    stopped = [(a["from"], b["to"]) for a in live for b in live if a["to"] == b["from"] != a["from"] and set(a.get("destinations", "?")) <= set(p["chain_break"])]
    if stopped and d.random() < 0.6:
        ways = stopped
    if ways and d.random() < 0.6:  # two conduits lead from one to the other
        n["from"], n["to"] = d.choice(ways)
        n["scope"] = "chain"
    elif d.random() < 0.7:
        n["scope"] = d.choice(["direct", "chain", "chain"])
    if tame and live and d.random() < 0.7:
        n["from"], n["to"] = (d.choice(live)[k] for k in ("from", "to"))
    answers = [s["name"] for s in p["services"] if s["protocol"] in ("dns", "ntp", "syslog", "ldap", "kerberos", "icmp") and not s.get("tunnel") and not s.get("undecided_bytes")]
    pairs = [(a, b) for a in live for b in live if a["to"] == b["from"] != a["from"] and a is not b and "names" not in a]
    # the first conduit of the chain only has services that give answers
    if answers and pairs and d.random() < 0.6:
        a, b = d.choice(pairs)
        a["services"], n["from"], n["to"], n["scope"] = answers, a["from"], b["to"], "chain"
    if answers and n.get("scope") == "chain" and d.random() < 0.7:
        n["answer_only"] = d.sample(answers, d.randint(1, len(answers)))
    for end in ("from", "to"):
        here = [a["name"] for a in p["assets"] if a["zone"] == n[end]]
        if here and d.random() < 0.5:
            n[end + "_assets"] = d.sample(here, d.randint(1, len(here))) + d.sample([a["name"] for a in p["assets"]], d.randint(0, 1))
            del n[end]
    if tame or d.random() < 0.7:
        n["commands"] = d.sample(["write", "control", "program"] if tame else meaning.WORDS, d.choice([1, 1, 2]))
    return n


def draw_always(d, p):
    """Mostly what a conduit allows, or a little more: anything else would be refused at once."""
    c = d.choice([c for c in p["conduits"] if "shadow" not in c] or p["conduits"])
    n = {"from": c["from"], "to": c["to"], "services": d.sample(c["services"], d.randint(1, len(c["services"])))}
    if d.random() < 0.1:
        n["services"].append(d.choice(p["services"])["name"])
    for end, key in (("from", "sources"), ("to", "destinations")):
        here = [a["name"] for a in p["assets"] if a["zone"] == n[end]]
        named = [a for a in c.get(key, []) if a in here]
        if here and d.random() < 0.7:
            n[end + "_assets"] = named if named and d.random() < 0.7 else d.sample(here, d.randint(1, len(here)))
            del n[end]
    return n


def draw_policy(d, zones_of=draw_zones, protocols=PROTOCOLS):
    """A policy with zones and protocols of its own, or with given ones. With given ones, some of it
    is written once for many."""
    anywhere = zones_of is draw_zones
    zones = []
    while len(zones) < 2:
        zones = zones_of(d)
    p = {"site": {}, "zones": zones, "assets": [], "services": [], "conduits": [], "chain_break": [], "never": []}
    if d.random() < 0.3:
        p["site"]["weak_tls"] = d.choice(["report", "deny"])
    if anywhere and d.random() < 0.25:
        p["admin"] = d.sample(["10.0.0.100/29", "192.168.7.1/24", "2001:db8::22/125", "10.200.0.1/32"], d.randint(1, 2))
        claimed = [r for z in zones for n in z["networks"] if n != "rest" for r in [meaning.span(n)]]
        p["admin"] = [x for x in p["admin"] if not any(meaning.meet(meaning.span_of_interface(x), r) for r in claimed)]
    space = meaning.zone_space(p)
    p["zones"] = [z for z in zones if space[z["name"]]]
    p["space"] = space  # only for this file; not part of the text
    for i in range(d.choice([0, 1, 2, 3])):
        z = d.choice(p["zones"])
        p["assets"].append({"name": "a%d" % i, "zone": z["name"], "addresses": draw_addresses(d, space[z["name"]], 3)})
    # commands are judged and few are allowed: when many statements hold, there is more to prove
    tame = d.random() < 0.4 and anywhere
    p["services"] = [draw_service(d, i, tame, protocols) for i in range(d.randint(1, 5))]
    for i in range(d.choice([1, 2, 3, 4, 5, 6, 8])):
        p["conduits"].append(draw_conduit(d, p, i))
        if tame and p["conduits"][-1].get("mode"):
            p["conduits"][-1]["shadow"] = True  # a conduit that only observes lets everything pass
    if d.random() < 0.03:  # one end of a conduit after another for the same packets
        for i in range(len(p["conduits"]), 11):
            p["conduits"].append({**p["conduits"][0], "name": "c%d" % i, "services": [d.choice(p["services"])["name"]]})
        for c, end in zip(p["conduits"], d.sample(MANY_ENDS, len(MANY_ENDS)), strict=False):
            c["until"] = end
    if p["assets"] and len(p["zones"]) > 1 and d.random() < 0.3:
        draw_way(d, p, d.choice(p["assets"]))
    for a in p["assets"]:
        if d.random() < 0.6:
            p["chain_break"].append(a["name"])
    p["never"] = [draw_never(d, p, tame) for _ in range(d.choice([0, 1, 2, 4]))]
    if anywhere and d.random() < 0.3:
        zones = d.sample(p["zones"], d.randint(1, min(2, len(p["zones"]))))
        p["organisations"] = [{"name": "o%d" % i, "zone": z["name"], **({"contract_until": d.choice(ENDS)} if d.random() < 0.7 else {})} for i, z in enumerate(zones)]
    p["always"] = [draw_always(d, p) for _ in range(d.choice([0, 1, 2]) if anywhere else 0)]
    if d.random() < 0.5:
        draw_times(d, p)
    if not anywhere or d.random() < 0.5:
        fold(d, p)
    del p["space"]
    return p


def fold_hosts(d, p, c, key, zones):
    """An end with several zones gets hosts as assets, some in each zone; or it stays whole."""
    c.pop(key, None)
    named = [[a["name"] for a in p["assets"] if a["zone"] == z] for z in zones]
    if all(named) and d.random() < 0.6:
        c[key] = [d.choice(names) for names in named]
        if d.random() < 0.5:
            p["groups"]["h" + c["name"] + key[0]] = c[key]
            c[key] = ["h" + c["name"] + key[0]]


def fold(d, p):
    """Writes a part of the policy once for many; the reference describes what this is equal to."""
    groups = p["groups"] = {}
    names = [s["name"] for s in p["services"]]
    groups["some"] = d.sample(names, d.randint(1, len(names)))
    groups["more"] = ["some", d.choice(names)] if d.random() < 0.5 else ["s*"] if len(names) < 3 else ["some"]
    zones = [z["name"] for z in p["zones"]]
    groups["sides"] = d.sample(zones, min(len(zones), 2))
    for c in p["conduits"]:
        if d.random() < 0.3 and "names" not in c:
            c["services"] = c["services"][:1] + [d.choice(["some", "more"])]
        for end, key in (("from", "sources"), ("to", "destinations")):
            if d.random() < 0.2:
                several = d.sample(zones, d.randint(1, min(len(zones), 2)))
                c[end] = "sides" if d.random() < 0.3 else several
                fold_hosts(d, p, c, key, groups["sides"] if c[end] == "sides" else several)
        here = [a["name"] for a in p["assets"] if a["zone"] == c["from"]]
        if here and "sources" in c and isinstance(c["from"], str) and d.random() < 0.3:
            groups["g" + c["name"]] = d.sample(here, d.randint(1, len(here)))
            c["sources"] = c["sources"][:1] + ["g" + c["name"]]
    for n in p["never"]:
        end = d.choice(["from", "to"])
        if end in n and d.random() < 0.3:
            n[end] = d.choice(["sides", d.sample(zones, d.randint(1, min(len(zones), 2)))])
    for n in p["always"]:
        if d.random() < 0.2:
            n["services"] = n["services"][:1] + ["some"]
        if "to" in n and d.random() < 0.2:
            n["to"] = "sides"
    if d.random() < 0.6:
        zone = d.choice(zones)
        cells = [" ".join(draw_addresses(d, p["space"][zone], 2)) for _ in range(6)]
        p["fleets"] = [{"name": "rtg", "zone": zone, "members": ["plc", "cms"], "rows": [["m%d" % i, cells[2 * i], cells[2 * i + 1] if d.random() < 0.7 else ""] for i in range(d.randint(1, 3))]}]
        if d.random() < 0.5:
            p["fleets"][0]["table"] = d.choice(["utf-8", "utf-8-sig", "cp932"])
        c = {"name": "each", "each": "rtg", "from": zone, "to": zone, "services": [d.choice(names + ["some"])], "destinations": [".plc"]}
        if d.random() < 0.5 and any(row[2] for row in p["fleets"][0]["rows"]):
            c["sources"] = [".cms"]
        if d.random() < 0.3:
            c["from"] = d.choice(zones)
            c.pop("sources", None)
        p["conduits"].append(c)
        groups["plcs"] = ["m*.plc"]
        for n in p["never"]:
            if d.random() < 0.3:
                n.pop("to", None)
                n["to_assets"] = [d.choice(["plcs", "m0.plc"])]
        p["conduits"].append({"name": "all", "from": d.choice(zones), "to": zone, "services": [d.choice(names)], "destinations": ["plcs"]})
    for i in p.get("isolations", ()):
        if d.random() < 0.3:
            i["cut"] = i["cut"][:1] + [d.choice(["zone sides", "zones sides " + d.choice(zones), "zones sides sides"] + ["asset plcs"] * ("plcs" in groups))]
    p["defaults"] = d.random() < 0.5


def mended(d, p):
    """Removes the most common error of drawn policies from most of them: a conduit that observes
    overlaps one that enforces."""
    m, now = meaning.Meaning(p), int(time.time())
    for door in p.get("doors", ()):
        zone = next((o["zone"] for o in p.get("organisations", ()) if o["name"] == door.get("organisation")), None)
        if any(zone not in (c["from"], c["to"]) for c in m.conduits if c["door"] == door["name"]):
            door.pop("organisation", None)
    for c in m.conduits:  # a conduit that never opens is an error
        if c["by_hours"] and c["end"] > now and not m.together([c], now):
            for key in ("within", "starts"):
                next(x for x in p["conduits"] if x["name"] == c["name"].split("/")[0]).pop(key, None)
    conflicts = meaning.Meaning(p).conflicts()
    while conflicts and d.random() < 0.97:
        for name in sorted({a.split("/")[0] for a, _ in conflicts}):
            next(c for c in p["conduits"] if c["name"] == name)["shadow"] = True
        conflicts = meaning.Meaning(p).conflicts()
    while p.get("isolations") and not conflicts and d.random() < 0.97:
        half = meaning.Meaning(p).half_kept(now)
        if not half:
            break
        next(i for i in p["isolations"] if i["name"] == half[0][0])["keep"].append(half[0][2].split("/")[0])
    for name in sorted({n.split("/")[0] for n in meaning.Meaning(p).test_meets_production()}):
        if d.random() < 0.97:
            c = next(c for c in p["conduits"] if c["name"] == name)
            c["exception"] = {"applicant": "a", "rule": "4", "effect": "e", "reason": "r", "instead": "i", "approved_by": "b"}
            c.setdefault("until", d.choice(ENDS[-2:] if "starts" in c else ENDS))
    return p


# ---- text ----------------------------------------------------------------------------------------

def value(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    if isinstance(v, dict):
        return group(v)
    if isinstance(v, list):
        return "( %s )" % ", ".join(group(x) for x in v) if v and isinstance(v[0], dict) else "[%s]" % ", ".join(value(x) for x in v)
    return '"%s"' % v


def group(o, leave=()):
    return "{ %s }" % " ".join("%s = %s;" % (k, value(v)) for k, v in o.items() if k not in leave)


def text(p, never=True):
    """site.cfg, one object in a line."""
    lines = ["language_version = 1;", "site = %s;" % group({"name": "drawn", **p["site"]})]
    for key in ("zones", "assets", "services", "windows", "doors", "isolations"):
        lines += [] if not p.get(key) else ["%s = {" % key] + ["  %s = %s;" % (o["name"], group(o, ("name",))) for o in p.get(key, ())] + ["};"]
    if p.get("organisations"):
        lines.append("organisations = { %s };" % " ".join("%s = %s;" % (o["name"], group(o, ("name",))) for o in p["organisations"]))
    for f in p.get("fleets", []):
        rows = 'from = "rtg.csv"' if "table" in f else "rows = ( %s )" % ", ".join(value(r) for r in f["rows"])
        lines.append("fleets = { %s = { zone = \"%s\"; members = %s; %s; label = \"機 {}\"; }; };" % (f["name"], f["zone"], value(f["members"]), rows))
    if p.get("groups"):
        lines.append("groups = %s;" % group(p["groups"]))
    duties = {"owner": "o", "review_by": "2199-12-31"}
    if p.get("defaults"):
        lines.append("defaults = %s;" % group(duties))
        duties = {}
    lines.append("conduits = (")
    for i, c in enumerate(p["conduits"]):
        lines.append("  %s%s" % (group({**c, "purpose": "p", **duties}), "," if i + 1 < len(p["conduits"]) else ""))
    lines.append(");")
    if p["chain_break"]:
        lines.append("chain_break = ( %s );" % ", ".join(group({"asset": a, "reason": "r"}) for a in p["chain_break"]))
    for key in ("never", "always") if never else ():
        if p.get(key):
            lines.append("%s = ( %s );" % (key, ", ".join(group(n, [e for e in ("from", "to") if e + "_assets" in n]) for n in p[key])))
    return "\n".join(lines) + "\n"


def table(p):
    """rtg.csv as bytes; None: the fleet is in the text."""
    f = (p.get("fleets") or [{}])[0]
    if "table" not in f:
        return None
    rows = [["cms", "備考", "name", "plc"]] + [[r[2], "号機", r[0], '"%s"' % r[1]] for r in f["rows"]]
    return "".join(",".join(r) + "\r\n" for r in rows).encode(f["table"])


def box_text(p):
    """box.cfg, or None: it is written only if an admin interface takes an address from `rest`."""
    if not p.get("admin"):
        return None
    roles = sorted({i for z in p["zones"] for i in z["interfaces"]})
    return "language_version = 1;\ninterfaces = {\n%s  adm = { device = \"eth9\"; role = \"admin\"; addresses = %s; };\n};\n" % (
        "".join("  %s = { device = \"eth%s\"; addresses = [\"172.30.%s.1/32\"]; };\n" % (r, r[2:], r[2:]) for r in roles), value(p["admin"]))
