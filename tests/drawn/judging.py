# SPDX-License-Identifier: Apache-2.0
"""Tests one drawn policy with both implementations: which packets and times are asked, and what
must be equal."""
import collections
import datetime
import random

import compiled
import draw
import meaning

SAME = ("conduits", "observe", "until", "on_tighten", "when_midstream", "weak_tls", "declared", "depth")
# settings that only matter for permits that are inspected
SAME_INSPECTED = ("when_down", "when_overloaded", "criticality")
PACKETS = 80  # the number of packets of each kind


def some(d, things, n):
    return things if len(things) <= n else d.sample(things, n)


def near(d, lo, hi, least, most):
    """A number at one of the edges of a range, inside or just outside it."""
    return min(max(d.choice([lo, lo, hi, hi, lo - 1, hi + 1, lo + 1, hi - 1, (lo + hi) // 2]), least), most)


def packets(d, m, c):
    """Packets: one corner of each cell, the edges of the conduits' ranges, and random ones."""
    boxes = [b for found in m.boxes.values() for b in found]
    interfaces = sorted({i for z in m.p["zones"] for i in z["interfaces"]})
    for cell in some(d, c.all, 2 * PACKETS):
        iif, oif, family, proto = cell["key"]
        yield iif, oif, family, d.choice(cell["src"]), d.choice(cell["dst"]), proto, d.choice((cell["lo"], cell["hi"]))
    for _ in range(PACKETS if boxes else 0):
        b, other = d.choice(boxes), d.choice(boxes)
        family, last = b[2][0], (1 << (32 if b[2][0] == 4 else 128)) - 1
        src, dst, ports = b[2], b[3], b[5:]
        # where the range of one conduit ends inside another one
        if other[2][0] == family and d.random() < 0.4:
            src, dst, ports = d.choice((src, other[2])), d.choice((dst, other[3])), other[5:] if other[4] == b[4] and d.random() < 0.5 else ports
        iif = d.choice(b[0]["in"] if d.random() < 0.9 else interfaces)
        oif = d.choice(b[0]["out"] if d.random() < 0.9 else interfaces)
        proto = b[4] if d.random() < 0.95 else d.choice([6, 17, 1 if family == 4 else 58])
        yield iif, oif, family, near(d, *src[1:], 0, last), near(d, *dst[1:], 0, last), proto, near(d, *ports, 0 if proto in (1, 58) else 1, 65535)
    edges = [r for ranges in m.space.values() for r in ranges] + [meaning.span(x) for x in meaning.NEVER_REST]
    edges += [meaning.span_of_interface(x) for x in m.p.get("admin", [])]
    for _ in range(PACKETS // 4):
        a, b = d.choice(edges), d.choice(edges)
        if a[0] != b[0]:
            continue
        last = (1 << (32 if a[0] == 4 else 128)) - 1
        proto = d.choice([6, 17, 1 if a[0] == 4 else 58])
        port = d.choice([502, 443, 53, 65535, 1] if proto in (6, 17) else [0, 8 << 8, 128 << 8, 129 << 8, 8 << 8 | 1, 3 << 8])
        yield d.choice(interfaces), d.choice(interfaces), a[0], near(d, *a[1:], 0, last), near(d, *b[1:], 0, last), proto, port


def said(packet, now):
    iif, oif, family, src, dst, proto, port = packet
    return "%s > %s, %s > %s, protocol %d, %s, at %s" % (iif, oif, draw.address(family, src), draw.address(family, dst), proto,
                                                         "port %d" % port if proto in (6, 17) else "type %d code %d" % divmod(port, 256),
                                                         datetime.datetime.fromtimestamp(now, datetime.timezone.utc).isoformat())


def numbers(found):
    return found if found == "any" else meaning.joined((0, lo, hi) for lo, hi in meaning.numbers_of(found.split(",") if found else []))


def row_of(row):
    """A row of `allow` as compile prints it: its names and its limits."""
    out = {key: ",".join(row[key]) if key in row else "any" for key in ("units", "values")}
    for key in meaning.SPACES:
        out[key] = ",".join(row.get(key, ())) if any(k in row for k in meaning.SPACES) else "any"
    return [sorted(meaning.functions_of(row))] + [numbers(out[k]) for k in sorted(out)]


def row_in(row):
    functions = sorted(n for f in row["functions"] for n in ([f] if isinstance(f, int) else range(*(int(x) + i for i, x in enumerate(f.split("-"))))))
    return [functions] + [numbers(row[k]) for k in sorted(("units", "values") + meaning.SPACES)]


def grants_of(m, want):
    """What a permit has to say about each service: (conduit, protocol, allows all of it, only
    observes, undecided bytes, lenient deviations, rows)."""
    out = []
    for conduit, service in want["grants"]:
        s, c = m.services[service], m.by_name[conduit]
        out.append((conduit, s["protocol"], "allow" not in s, c["shadow"], s.get("undecided_bytes", 0), sorted(s.get("lenient", [])), [row_of(r) for r in s.get("allow", [])]))
    return sorted(out, key=str)


def grants_in(permit):
    return sorted(((g["conduit"], g["protocol"], g["whole"], g["shadow"], g["undecided_bytes"], sorted(g["lenient"]), [row_in(r) for r in g["rows"]])
                   for g in permit["grants"]), key=str)


def compare(m, c, packet, holding, now, doors, want):
    have = c.judge(holding, now, doors)
    where = said(packet, now) + "".join(", door %s open" % x for x in doors)
    if want is None or have is None:
        if want is not have:
            yield "%s: the reference %s, the program %s" % (where, *("lets it pass by " + ", ".join(x["conduits"]) if x else "refuses it" for x in (want, have)))
        return
    for key in SAME + (SAME_INSPECTED if want["depth"] != "transport" else ()):
        if want[key] != have[key]:
            yield "%s: %s is %s by the reference, %s in the program" % (where, key, want[key], have[key])
    if c.line_of[have["line"]] != want["deciding"][0].split("/")[0]:
        yield "%s: it is conduit %s by the reference, line %d in the program" % (where, want["deciding"][0], have["line"])
    # once for each permit, not for each packet
    if (have["permit"], *want["grants"]) not in c.agreed:
        wanted, grants = grants_of(m, want), grants_in(c.permits[have["permit"]])
        if grants != wanted:
            wanted, grants = (collections.Counter(map(str, x)) for x in (wanted, grants))
            yield "%s: grants %s by the reference, %s in the program" % (where, list((wanted - grants).elements()), list((grants - wanted).elements()))
        c.agreed.add((have["permit"], *want["grants"]))


def differences(program, p, folder, seen=None):
    """The differences between the two implementations, as sentences; at most a few. An empty list:
    none."""
    d = random.Random(1)  # always the same packets for a policy, also while it is reduced
    seen = seen if seen is not None else collections.Counter()
    try:
        m = meaning.Meaning(p)
        now = int(datetime.datetime.now().timestamp())
        c = compiled.Compiled(program, folder, draw.text(p), draw.text(p, never=False), draw.box_text(p), draw.table(p))
        if c.crashed:
            return ["the program failed: %s" % c.crashed]
        if c.written:
            return ["written out, %s" % c.written]
        seen["written out from groups"] += "groups" in p and not c.errors
        conflicts, steps = m.conflicts(), m.too_many_ends(now)
        if steps is None and "policy.too_many_ends" in c.errors:
            seen["refused, for hours that meet"] += 1
            return []
        wanted = {"policy.too_many_ends"} if steps else {"policy.observe_over_enforce"} if conflicts else set()
        if m.organisations_meet():  # reported before overlaps are computed
            wanted = {"policy.organisations_meet"}
        # reported together with other errors, because it concerns each conduit on its own
        elif m.test_meets_production():
            wanted = wanted | {"policy.test_meets_production"}
        if wanted <= {"policy.test_meets_production"} and m.half_kept(now):
            wanted = wanted | {"policy.isolation_keep"}
        if m.cuts_nothing(p) and "policy.isolation" in c.errors:
            seen["refused, as they should be"] += 1
            return []
        if c.errors - {"policy.never_broken", "policy.always_broken"} != wanted:
            return ["errors %s, by the reference %s" % (sorted(c.errors) or "none", sorted(wanted) or "none")]
        if wanted:
            seen["refused, as they should be"] += 1
            return []
        lax = collections.defaultdict(set)
        return list(answers(d, m, c, now, seen, lax)) or list(statements(m, c, now, seen, lax)) or list(asks(d, m, c, now, seen)) or list(stays(m, c, now, seen))
    except AssertionError as e:
        return [str(e)]


def answers(d, m, c, now, seen, lax):
    """`lax`: {(zone, zone): (family, source, destination) and the joint settings that let commands
    pass there while nobody judges them}"""
    told = set()
    for packet in packets(d, m, c):
        found, holding = m.matches(packet), c.holding(packet)
        for t, doors in m.moments([x for x, _ in found], now):
            want = m.judge(found, t, doors)
            yield from compare(m, c, packet, holding, t, doors, want)
            seen["answers"] += 1
            seen["answers with a door open"] += bool(doors)
            if want:
                seen["passed"] += 1
                told |= want["told"]
                if want["depth"] == "commands" and not want["observe"]:
                    first = m.by_name[want["deciding"][0]]
                    failing = {want["when_down"], want["when_overloaded"]}
                    # "open" keeps sessions like "hold" as well
                    kinds = ({"open"} & failing or {"hold"} & failing) | {"pick_up"} & {want["when_midstream"]}
                    if kinds:
                        lax[first["from"], first["to"]].add((packet[2:5], tuple(sorted(kinds))))
    yield from warnings(m, c, now, told)
    if c.live != c.lives():
        yield "sessions go on at %s, and begin and are answered at %s" % (sorted(c.live - c.lives()), sorted(c.lives() - c.live))


def warnings(m, c, now, told):
    """Compares what `check` says about overlaps and ends with the conduits for which this is
    true."""
    for x in m.conduits:
        if x["own_end"] <= now:
            told.add(("policy.until_past", x["name"], None))
        elif x["end"] > now and x["shadow"] and not any(m.overlap(x, y) and m.together([x, y], now) for y in m.conduits if not y["shadow"] and y["end"] > now):
            told.add(("policy.shadow_idle", x["name"], None))
    # by line; a line may have several conduits
    told = {(code, name.split("/")[0], about) for code, name, about in told}
    have = {(code, c.line_of[line], about) for code, line, about in c.warned()
            if code in ("policy.overruled", "policy.not_enforced", "policy.not_named", "policy.shadow_idle", "policy.until_past")}
    if len(c.all) <= 2 * PACKETS:  # otherwise not every overlap was asked about
        for x in sorted(have - told, key=str):
            yield "%s of conduit %s (%s) is said, and not true by the reference" % x
    for x in sorted(told - have, key=str):
        yield "%s of conduit %s (%s) is true by the reference, and not said" % x


def statements(m, c, now, seen, lax):
    edges, breaks = m.edges(now), m.p["chain_break"]
    for want, have in zip(m.p["never"], c.nevers, strict=True):
        broken = m.broken(want, edges, breaks)
        seen["statements broken" if broken else "statements that hold"] += 1
        seen["statements about assets, %s" % ("broken" if broken else "that hold")] += m.hosts(want) != (None, None)
        if have["holds"] == broken:
            yield "never %s: by the reference it %s, by the program it %s" % (draw.group(want), *(("is broken", "holds") if broken else ("holds", "is broken")))
            continue
        if broken:
            if not shown(m, want, have, now):
                yield "never %s: by the reference, the way that the program shows leads nowhere: %s" % (draw.group(want), {k: have[k] for k in ("chain", "packet")})
            continue
        rests = sorted(x["asset"] for x in have["rests_on"])
        seen["statements that rest on a break"] += bool(rests)
        if not m.rests_on(want, edges, breaks, rests):
            yield "never %s: rests on %s by the program, by the reference not on these" % (draw.group(want), rests)
        answers = have["rests_on_answers"]
        seen["statements that rest on answers"] += bool(answers)
        if m.broken({**want, "answer_only": answers}, edges, breaks) or any(not m.broken({**want, "answer_only": [x for x in answers if x != s]}, edges, breaks) for s in answers):
            yield "never %s: rests on answers of %s by the program, by the reference not on these" % (draw.group(want), answers)
        known = {kind for (a, b), found in lax.items() if a in m.walked(want, edges, breaks) and b == want["to"]
                 for ends, kinds in found if between(ends, m.hosts(want)) for kind in kinds} if "commands" in want else set()
        told = {x["unattended"] for x in have["exceptions"]}
        # "open" also lets live sessions go on. For single hosts, not every cell was asked about.
        if "open" in known or (m.hosts(want) != (None, None) and "open" in told):
            known.discard("hold")
        seen["statements that need somebody who inspects"] += bool(told)
        if known != told if len(c.all) <= 2 * PACKETS and m.hosts(want) == (None, None) else known - told:
            yield "never %s: while nobody inspects it is broken by %s by the reference, by %s by the program" % (draw.group(want), sorted(known), sorted(told))


def stays(m, c, now, seen):
    """Statements about what has to stay possible: whether they hold, whether the packet that the
    program shows matches the statement, and whether it is refused when every end in time has
    passed."""
    for want, have in zip(m.p["always"], c.always, strict=True):
        possible = m.possible(want)
        seen["what stays possible" if possible else "what does not stay possible"] += 1
        if have["holds"] != possible:
            yield "always %s: by the reference it %s" % (draw.group(want), "holds" if possible else "is broken")
        if possible or have["holds"]:
            continue
        packet = have["packet"]
        (family, src, _), (other, dst, _) = meaning.span(packet["source"]), meaning.span(packet["destination"])
        service = packet["service"]
        if family != other:
            if m.lacking(want, service)[2] is not None:
                yield "always %s: the program shows two families, and the ends have one in common" % draw.group(want)
            continue
        if m.lacking(want, service)[2] is None:
            # nothing of this service uses the address family that both ends have, so no packet
            # shows it
            continue
        proto = {"tcp": 6, "udp": 17}.get(packet["protocol"], 1 if family == 4 else 58)
        port = packet["port"] if proto in (6, 17) else packet["port"] << 8
        from_zone, to_zone = (m.zones[want[k]]["interfaces"][0] for k in ("from", "to"))
        found = [x for x, services in m.matches((from_zone, to_zone, family, src, dst, proto, port)) if not x["shadow"] and any(m.suffices(x, s, m.services[service]) for s in services)]
        asked = any(q == proto and lo <= port <= hi for q, lo, hi in meaning.ports_of(m.services[service])[family])
        if not asked or service not in want["services"] or any(m.endless(x, now) for x in found):
            yield "always %s: by the reference the packet that the program shows is not asked for, or stays possible: %s" % (draw.group(want), packet)
        ending = {x["name"] for x in found if x["end"] > now}
        seen["what ends one day"] += bool(ending)
        if (have["ends"] in ending) != bool(ending):
            yield "always %s: %s ends by the program, %s by the reference" % (draw.group(want), have["ends"], sorted(ending))


def between(ends, hosts):
    """Whether a packet goes from and to one of these hosts (None: any)."""
    family, *them = ends
    return all(these is None or any(f == family and lo <= x <= hi for f, lo, hi in these) for x, these in zip(them, hosts, strict=True))


# ---- what is asked of a policy -------------------------------------------------------------------

def ends(d, m):
    """An end to ask about: a name as a person types it, and {zone: ranges} for which it stands."""
    p, name = m.p, d.choice(["zone", "zone", "asset", "address", "group"])
    if name == "asset" and p["assets"]:
        a = d.choice(p["assets"])
        return a["name"], {a["zone"]: m.assets[a["name"]]}
    if name == "group" and m.groups:
        name = d.choice(sorted(m.groups))
        return name, m.groups[name]
    zone = d.choice(sorted(m.space))
    if name != "address":
        return zone, {zone: m.space[zone]}
    family, lo, hi = d.choice(m.space[zone])
    host = d.choice((lo, hi))
    host = (family, host, host)
    return draw.address(*host[:2]), {z: [host] for z in m.space if any(meaning.meet(host, r) for r in m.space[z])}


def does(m, c, word, sources, destinations, services=None):
    """Whether a packet of this conduit goes between these hosts, by one of these services and with
    this class of command."""
    for _, s, a, b, *_ in m.boxes[c["name"]]:
        if services is not None and s["name"] not in services:
            continue
        if not any(meaning.meet(a, x) for x in sources) or not any(meaning.meet(b, x) for x in destinations):
            continue
        if word is None or s.get("tunnel") or (s["protocol"] != "icmp" and (depth_of(s) or c["observe"] or any(word in meaning.words_of(r) for r in s["allow"]))):
            return True
    return False


def depth_of(s):
    return meaning.depth(s["protocol"]) != "commands" or "allow" not in s


def asks(d, m, c, now, seen):
    t, _ = d.choice(m.moments(m.conduits, now))
    at = ["--at", datetime.datetime.fromtimestamp(t, datetime.timezone.utc).isoformat().replace("+00:00", "Z")]
    stop = meaning.joined([r for a in m.p["chain_break"] for r in m.assets[a]])
    doors = {x["door"]: meaning.FOREVER for x in m.conduits}
    live = [x for x in m.conduits if not x["shadow"] and m.until(x, t, doors) and m.boxes[x["name"]]]
    # A host may have been reached at another time: of a chain, only the last hop must be allowed
    # now.
    leads = [x for x in m.conduits if not x["shadow"] and t < x["end"] and (x in live or m.together([x], t)) and m.boxes[x["name"]] and meaning.minus(m.driven(x, ()), stop)]
    for _ in range(2):
        (a, sources), (b, destinations), word = ends(d, m), ends(d, m), d.choice(meaning.WORDS)
        yield from asked_once(m, c, [x for x in live if not x["door"]], a, sources, b, destinations, word if d.random() < 0.6 else None, at, seen)
        yield from asked_who(m, c, live, leads, b, destinations, word, at, seen)
        yield from asked_reach(m, c, live, leads, a, sources, at, seen)


def said_by(c, args, key):
    """The answer of the program: {conduits, in the order of a chain: the rest of the answer}."""
    status, answer = c.ask(args)
    return status, [(tuple(h["conduit"] for h in x["chain"]), x) for x in answer[key]]


def asked_once(m, c, live, a, sources, b, destinations, word, at, seen):
    service = next((s["protocol"] for s in m.p["services"] if word), None)
    services = {s["name"] for s in m.p["services"] if service in (None, s["protocol"])}
    want = sorted(x["name"] for x in live if x["from"] in sources and x["to"] in destinations and does(m, x, word, sources[x["from"]], destinations[x["to"]], services))
    status, answer = c.ask(["ask", a, b] + ([service, word] if word else []) + at)
    have = sorted(x["conduit"] for x in answer.get("lines", ()))
    seen["asked, and yes" if want else "asked, and no"] += 1
    if status != 2 and (want != have or status != (0 if want else 1)):
        yield "ask %s %s %s at %s: %s by the reference, %s by the program" % (a, b, word, at[1], want, have)


def asked_who(m, c, live, leads, b, destinations, word, at, seen):
    want = []
    for zone, ranges in destinations.items():
        last = {x["name"] for x in live if x["to"] == zone and does(m, x, word, m.space[x["from"]], ranges)}
        near, names = {m.by_name[n]["from"] for n in last} - {zone}, set(last)
        while True:
            more = {x["name"] for x in leads if x["to"] in near and x["from"] not in (zone, x["to"])} - names
            if not more:
                break
            names |= more
            near |= {m.by_name[n]["from"] for n in more}
        want += names
    status, have = said_by(c, ["who-can", word, b] + at, "sources")
    seen["who can, somebody" if want else "who can, nobody"] += 1
    seen["chains of who can"] += sum(len(chain) > 1 for chain, _ in have)
    if sorted(want) != sorted(chain[0] for chain, _ in have) or status != (0 if want else 1):
        yield "who-can %s %s at %s: %s by the reference, %s by the program" % (word, b, at[1], sorted(want), sorted(chain[0] for chain, _ in have))
    for chain, _ in have:
        if not linked(m, chain, leads, live) or not does(m, m.by_name[chain[-1]], word, m.space[m.by_name[chain[-1]]["from"]], destinations[m.by_name[chain[-1]]["to"]]):
            yield "who-can %s %s at %s: the chain %s leads nowhere by the reference" % (word, b, at[1], chain)


def linked(m, chain, leads, live):
    hops = [m.by_name[x] for x in chain]
    return all(x in leads for x in hops[:-1]) and hops[-1] in live and all(x["to"] == y["from"] for x, y in zip(hops, hops[1:], strict=False))


def asked_reach(m, c, live, leads, a, sources, at, seen):
    at_zones, want = list(sources), {}
    for zone in at_zones:
        for x in m.conduits:
            if x["from"] == zone and (zone in sources or x["to"] not in sources):
                if x in live:
                    want[x["name"]] = x
                if x in leads and x["to"] not in at_zones:
                    at_zones.append(x["to"])
    status, have = said_by(c, ["reach", a] + at, "reached")
    seen["reached"] += len(want)
    if sorted(want) != sorted(chain[-1] for chain, _ in have) or status != (0 if want else 1):
        yield "reach %s at %s: %s by the reference, %s by the program" % (a, at[1], sorted(want), sorted(chain[-1] for chain, _ in have))
    for chain, x in have:
        first, last = m.by_name[chain[0]], m.by_name[chain[-1]]
        beside = not any(meaning.meet(y, z) for y in first["sources"] for z in sources.get(first["from"], ()))
        if not linked(m, chain, leads, live) or first["from"] not in sources or x["beside"] != beside:
            yield "reach %s at %s: the chain %s is none by the reference" % (a, at[1], chain)
        for s in x["services"]:
            words = {w for w in meaning.WORDS if does(m, last, w, m.space[last["from"]], m.space[last["to"]], {s["service"]})}
            if words != set(s["commands"]):
                yield "reach %s: %s of %s carries %s by the reference, %s by the program" % (a, s["service"], last["name"], sorted(words), sorted(s["commands"]))


def shown(m, never, have, now):
    """Whether the hops of the way follow each other by conduits in force, and the last one lets
    this packet pass and carries this function."""
    hops, packet = [m.by_name[x["conduit"]] for x in have["chain"]], have["packet"]
    zones = [never["from"]] + [c["to"] for c in hops]
    if any(c["shadow"] or c["end"] <= now or c["from"] != zone for c, zone in zip(hops, zones, strict=False)) or zones[-1] != never["to"]:
        return False
    if len(hops) > 1 and never.get("scope") != "chain":
        return False
    (family, src, _), (_, dst, _) = meaning.span(packet["source"]), meaning.span(packet["destination"])
    if not between((family, src, dst), m.hosts(never)):
        return False
    proto = {"tcp": 6, "udp": 17}.get(packet["protocol"], 1 if family == 4 else 58)
    port = packet["port"] if proto in (6, 17) else packet["port"] << 8
    found = m.matches((hops[-1]["in"][0], hops[-1]["out"][0], family, src, dst, proto, port))
    services = [s for c, services in found if c is hops[-1] for s in services]
    if not services or "commands" not in never:
        return bool(services)
    code = packet["function"]
    words = set(meaning.WORDS if code is None or code not in meaning.FUNCTION else meaning.FUNCTION[code][2].split())
    return bool(words & set(never["commands"])) and (code is None or any(s["protocol"] != "modbus" or hops[-1]["observe"] or "allow" not in s or s.get("tunnel") or any(
        code in meaning.functions_of(row) and meaning.passes(row, code) for row in s["allow"]) for s in services))
