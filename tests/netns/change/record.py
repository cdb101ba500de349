# SPDX-License-Identifier: Apache-2.0
"""Checks what the box says after an event: the records and their generations, the history, and the
counters. Each function yields sentences about what the box reported falsely, not at all, or in
contradiction to itself."""
import time

from net import wait_for

CONDUITS = {"commands": {"reads", "writes", "reads-renamed", "reads-next", "writes-next", "pair", "tells"}, "hold": {"held"}, "open": {"opened"},
            "observe": {"watched"}, "shadow": {"under", "over"}, "pick_up": {"picked"}, "naming": {"names"}, "let_go": {"names"}, "fast": {"plain"}}
# Counted by the kernel, and caused by the box's own neighbours.
CHATTER = ("ip_options", "self", "self_out")
PEERS = ("drop", "pdu", "flow")


class Before:
    """The state of the box at one moment."""

    def __init__(self, field):
        self.seq, self.drops = field.last_seq(), field.drops()
        self.generation = field.status()["generation"]
        self.time = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        self.history = field.history()


def wrong_records(row, before, after, lives):
    event, field = row.event, row.field
    yield from wrong_policy(event, field, before)
    records = field.events(before.seq)
    yield from wrong_roles(event, records)
    yield from wrong_drift(event, records)
    yield from wrong_generations(field, records, before)
    for x in lives:
        if not x.cell.problem:
            yield from wrong_flow(event, x, records, before)
    if event.exact and after is not None:
        counted = sum(n - before.drops.get(word, 0) for word, n in after.drops.items() if word not in CHATTER)
        if counted < row.sent:
            yield "%d forbidden packets were sent and %d drops counted" % (row.sent, counted)


def codes(records, kind):
    return [e["code"] for e in records if e["kind"] == kind]


def wrong_policy(event, field, before):
    """Each change of the policy has its record, in order, and nothing else has one. The history
    agrees."""
    if event.told is None:
        return
    want = list(event.told)
    try:
        wait_for(lambda: codes(field.events(before.seq), "policy") == want, 3, "records of the policy")
    except TimeoutError:
        yield "records of the policy are %s, should be %s" % (codes(field.events(before.seq), "policy"), want)
        return
    history = field.history()
    now = field.status()["generation"]
    in_force = [h for h in history if h["in_force"]]
    if len(in_force) != 1 or in_force[0]["digest"] != now["digest"]:
        yield "history says that in force is %s, status says %s" % (in_force, now)
    for e in field.events(before.seq):
        if e["kind"] == "policy" and e["code"] in ("applied", "confirmed"):
            entry = next((h for h in history if h["number"] == e["value"]), None)
            if entry is None or entry["digest"][:16] != e["generation"]["digest"] or e["generation"]["number"] != e["value"]:
                yield "the record that generation %d was %s stands under %s; history: %s" % (e["value"], e["code"], e["generation"], entry)
    new = [h for h in history if h["number"] not in {g["number"] for g in before.history}]
    ends = {"reverted": "reverted", "confirmed": "confirmed", "refused": "reverted", "applied": "waiting"}
    if new and want and not (want[-1] == "reverted" and new[0]["state"] == "confirmed") and new[0]["state"] != ends.get(want[-1], new[0]["state"]):
        yield "the last record says %s, history says %s (%s)" % (want[-1], new[0]["state"], new[0]["why"])


def wrong_roles(event, records):
    """The journal names each role that was ended, and no other role ends."""
    died = {e.get("role") for e in records if e["kind"] == "role" and e["code"] in ("died", "hung")}
    if event.roles is None or "booted" in (event.told or ()):
        return
    for role in event.roles:
        if role not in died:
            yield "nobody says that %s ended: %s" % (role, [e for e in records if e["kind"] == "role"][:6])
    strangers = died - set(event.roles) - ({"dpi"} if "gate" in event.roles else set())
    if strangers:
        yield "roles ended by themselves: %s" % ", ".join("%s/%s %s at %s" % (e.get("role"), e.get("index"), e["code"], e["time"][11:])
                                                          for e in records if e["kind"] == "role")


def wrong_drift(event, records):
    found = codes(records, "drift")
    if event.drift is None:
        return
    if event.drift and not set(found) & set(event.drift):
        yield "no record of kind drift says %s: %s" % (" or ".join(event.drift), found)
    strange = [e for e in records if e["kind"] == "drift" and not (event.excuse and event.excuse in e["object"])]
    if not event.drift and strange:
        yield "records say that somebody changed something: %s" % strange[:3]


def wrong_generations(field, records, before):
    """A record names a generation that was in force when it was made."""
    known = {h["number"]: h["digest"][:16] for h in field.history()}
    # A reverted generation may be replaced by the next one meanwhile.
    then = {before.generation["number"], field.status()["generation"]["number"]} | \
        (set(known) - {h["number"] for h in before.history}) | \
        {e["value"] for e in records if e["kind"] == "policy" and e["code"] == "reverted"}
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    for e in records:
        g = e.get("generation")
        if g is None or e["kind"] not in PEERS + ("decided",):
            continue
        if known.get(g["number"]) != g["digest"]:
            yield "record %d stands under generation %s, which is not kept: %s" % (e["seq"], g, sorted(known))
            return
        # The record of a sum is written ten seconds after its events. After a change of the clock,
        # times prove nothing.
        if before.time < e["time"][:19] <= now and g["number"] not in then:
            yield "record %d stands under generation %d, and in force were %s" % (e["seq"], g["number"], sorted(then))
            return


def wrong_flow(event, x, records, before):
    """No record says that a flow was refused which goes on. For a flow that a change has cut, a
    record says so and names the new generation."""
    state, f = x.state, x.state.f
    host = f.a if hasattr(f, "a") else f.c.me
    end = ("[%s]:%d" if ":" in host else "%s:%d") % (host, f.sport)
    mine = [e for e in records if e["kind"] in PEERS and end in (e.get("client"), e.get("server"))]
    refusals = [e for e in mine if e.get("verdict") == "deny"]
    if x.want == "goes_on" and refusals and not state.partial and event.lossless and not state.ended:
        yield "%s goes on, and a record says that it was refused: %s" % (x.cell.name(), short(refusals[0]))
    if x.want == "cut" and not hasattr(f, "c") and f.came(*state.last):
        yield "%s was cut, and its next datagram arrived" % x.cell.name()
    for e in mine:
        if e.get("conduit") and e["conduit"].removesuffix("-plc") not in CONDUITS[state.lane]:
            yield "%s goes by %s, and a record names %s: %s" % (x.cell.name(), state.lane, e["conduit"], short(e))
    changed = [g for g in ([event.policy] if not hasattr(event, "policies") else event.policies())]
    if x.want == "cut" and len(changed) > 1 and not event.cuts and not state.refused and not state.moves:
        old = [e for e in refusals if e["generation"]["number"] == before.generation["number"]]
        if old:
            yield "%s was cut by a change, and its record stands under the policy before: %s" % (x.cell.name(), short(old[0]))


def short(e):
    return {k: e[k] for k in ("seq", "kind", "generation", "reason", "conduit", "client", "server", "what") if k in e}
