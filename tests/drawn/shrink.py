# SPDX-License-Identifier: Apache-2.0
"""Reduces a policy to a small one for which both implementations still differ, by removing
parts."""
import copy
import time

SECONDS = 30  # seconds for the search for a smaller policy


def users(p):
    """The policy without the parts that nothing names."""
    q = copy.deepcopy(p)
    named = {x for c in q["conduits"] for x in c.get("sources", []) + c.get("destinations", [])} | set(q["chain_break"])
    named |= {x for n in q["never"] + q.get("always", []) for x in n.get("from_assets", []) + n.get("to_assets", [])}
    q["assets"] = [a for a in q["assets"] if a["name"] in named]
    q["services"] = [s for s in q["services"] if any(s["name"] in c["services"] for c in q["conduits"] + q.get("always", []))]
    zones = {c[k] for c in q["conduits"] + q["never"] + q.get("always", []) for k in ("from", "to") if k in c} | {a["zone"] for a in q["assets"] + q.get("organisations", [])}
    q["zones"] = [z for z in q["zones"] if z["name"] in zones]
    return q


def smaller(p):
    """Policies with a little less in them, the largest parts first."""
    yield users(p)
    for key in ("conduits", "never", "always", "organisations", "chain_break", "zones", "assets", "services"):
        for i in range(len(p.get(key, []))):
            q = copy.deepcopy(p)
            del q[key][i]
            yield q
    for key in ("conduits", "services", "assets", "zones", "never"):
        for i, o in enumerate(p[key]):
            for k, v in o.items():
                if isinstance(v, list) and len(v) > 1:
                    for n in range(len(v)):
                        q = copy.deepcopy(p)
                        del q[key][i][k][n]
                        yield q
                if k not in ("name", "from", "to", "from_assets", "to_assets", "services", "protocol", "zone", "addresses", "interfaces", "networks", "class"):
                    q = copy.deepcopy(p)
                    del q[key][i][k]
                    yield q
    for s, o in enumerate(p["services"]):
        for r, row in enumerate(o.get("allow", [])):
            for k in row:
                q = copy.deepcopy(p)
                del q["services"][s]["allow"][r][k]
                yield q
    for key in ("site", "admin"):
        if p.get(key):
            yield {**copy.deepcopy(p), key: type(p[key])()}


def shrunk(p, differences, found):
    """`found` is the difference for p: a smaller policy must have the same kind of difference, or
    it is another fault."""
    kind = kind_of(found[0])
    until = time.monotonic() + SECONDS
    going = True
    while going:
        going = False
        for q in smaller(p):
            if time.monotonic() > until:
                return p
            try:
                other = differences(q) if q != p else []
            except (KeyError, StopIteration, IndexError, ValueError, TypeError):
                continue  # something names the removed part
            if other and kind_of(other[0]) == kind:
                p, going = q, True
                break
    return p


def kind_of(text):
    """The difference without the packet and without names, so that it can be compared."""
    return " ".join(w for w in text.split(": ")[-1].split() if not any(ch.isdigit() for ch in w))
