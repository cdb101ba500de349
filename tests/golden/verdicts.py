#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the reports by clause conclude: tests/golden/verdicts.py SEKISHO.

On a box where everything was done, each clause is met. Then one thing at a time is left out, for
each probe and for each answer of a person: the probe says something else, and no clause that needs
it is met. Ends with "N passed, N failed"."""
import copy
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CONTROLS = os.path.join(HERE, "../../docs/controls")
MADE = "2026-11-02T00:00:30.000Z"
DIGEST = "ab" * 32
LEAST = 60  # clauses that a box can meet


def documents():
    for name in ("port", "cpsf", "nisc", "sisac"):
        with open(os.path.join(CONTROLS, name + ".json"), encoding="utf-8") as f:
            yield json.load(f)


def asked():
    """The clauses that ask a person, as `sekisho review --clause` takes them."""
    return [d["document"] + " " + c["clause"] for d in documents() for c in d["clauses"] if "rest" in c or not c["probes"]]


def record(day, kind, code, **more):
    return {"seq": 0, "time": day + "T01:00:00.000Z", "kind": kind, "severity": "notice", "code": code, **more}


def answer(clause, day="2026-10-20", next_day="2027-03-31", code="clause_reviewed"):
    return record(day, "account", code, object="kato", before="%s, %s, SHA-256 %s" % (clause, next_day, DIGEST), after="see the file")


def good_facts():
    """The facts of the other reports, and everything that they lack."""
    with open(os.path.join(HERE, "report/facts.json"), encoding="utf-8") as f:
        facts = json.load(f)
    facts["answers"]["journal"] = {"taken": MADE, "answer": {"whole": True, "first": 1, "last": 1700, "head": DIGEST, "faults": 0, "signed": {"to": 1690}}}
    facts["answers"]["platform"]["answer"].update(security_until="2027-06-10", lts_until="2028-06-30")
    a = {name: x["answer"] for name, x in facts["answers"].items()}
    s, e = a["status"], a["effective"]
    s["kernel"]["digest"] = s["generation"]["digest"]
    s["drift"]["seen"] = s["journal"]["lost"] = s["journal"]["devices"]["new"] = 0
    s["attacks"] = {"ringing": 0, "grave": 0, "test_missed": False, "damaged": False, "alarms": []}
    s["backup"] = {"since": "2026-10-30T00:00:00Z", "days": 3, "overdue": False, "carried": [{"to": "stick", "every": 1, "last": "2026-11-01T00:00:00Z", "overdue": False}]}
    s["prepared"] = [{"name": "it_from_ot", "label": "", "cut": ["zones office crane"], "keep": []}]
    s["mail"] = {"server": "10.99.0.25:587", "state": "good", "since": None, "waiting": 0, "dropped": 0, "why": None}
    for c in e["conduits"]:
        c.update(mode="enforce", purpose="p", owner="o", approved_by="sato", review_by="2027-03-31", last_match="2026-11-01T00:00:00Z", watched_since="2026-09-01T00:00:00Z", unwatched=[])
    e["conduits"][1].update(until="2027-01-31T00:00:00Z", exception=[{"applicant": "Aoki", "reason": "r", "instead": "watch", "approved_by": "CISO", "report": ""}])
    for p in e["permits"]:
        p["mode"] = "enforce"
        for g in p["grants"]:
            g.update(protocol="tls" if g["conduit"] == e["conduits"][1]["name"] else "modbus", whole=False, names=["*.example.jp"])
    outside = [z for z in e["zones"] if z["class"] == "external"]
    e["organisations"] = [{"name": z["name"], "label": "", "zone": z["name"]} for z in outside]
    e["zones"].append({"name": "trial", "label": "", "class": "test", "purpose": "", "owner": "o"})
    a["model"].update(unattended=0, broken=0, ways=0, accepted=0)
    for x in a["accounts"]["accounts"]:
        x.update(full_name=x["full_name"] or "First", reason="r", unused=False, totp=True, keys=[])
    for g in a["history"]["history"]:
        g.update(by=g["by"] or "tanaka", comment="why")
    facts["events"] = [
        record("2026-09-30", "policy", "approved", by="sato", value=3), record("2026-09-30", "policy", "applied", by="tanaka", value=4),
        record("2026-10-01", "policy", "backed_up", by="root"), record("2026-10-30", "policy", "backed_up", by="root"),
        record("2026-10-15", "machine", "backup_tried", by="root", object="kita.backup: same"), record("2026-10-16", "policy", "isolation_rehearsed", by="sato", object="it_from_ot"),
        record("2026-10-21", "machine", "parts_compared", by="root", object="2026-10-20, SHA-256 0123456789ab: 0 mended elsewhere, 7 without a mended version"), record("2026-10-29", "attack", "tested"), record("2026-11-01", "account", "records_reviewed", object="kato", before="2026-09-30T00:00:00Z/2026-11-01T00:00:00Z"),
    ] + [answer(c) for c in asked()]
    return facts


def at(facts, name):
    return facts["answers"][name]["answer"]


def drop(code):
    def change(f):
        f["events"] = [x for x in f["events"] if x["code"] != code]
    return change


def told(**fields):
    def change(f):
        at(f, "status").update(fields)
    return change


def journal(**fields):
    return lambda f: at(f, "status")["journal"].update(fields)


def conduit(**fields):
    return lambda f: at(f, "effective")["conduits"][0].update(fields)


def grant(**fields):
    return lambda f: [g.update(fields) for p in at(f, "effective")["permits"] for g in p["grants"]]


def account(**fields):
    return lambda f: at(f, "accounts")["accounts"][0].update(fields)


def reach(**fields):
    return lambda f: at(f, "status")["reach"].update(fields)


def add(**event):
    return lambda f: f["events"].append({"seq": 0, "time": "2026-10-30T00:00:00.000Z", "severity": "notice", **event})


# For each probe what is left out, so that it is not met.
WITHOUT = {
    "stands": told(foreign=["table ip nat"]), "rules_hold": lambda f: at(f, "verify").update(equal=False), "untouched": told(foreign=["table ip nat"]),
    "conduits_answered_for": conduit(owner=""), "reviews_due": conduit(review_by="2026-11-01"), "conduits_used": conduit(last_match=None),
    "enforced": conduit(mode="observe"), "commands_into_ot": grant(whole=True), "protocols_judged": grant(protocol="tcp"),
    "failure_decided": lambda f: at(f, "effective").update(permits=[]), "ends_by_time": lambda f: [c.update(until=None) for c in at(f, "effective")["conduits"]],
    "outside_register": lambda f: at(f, "effective").update(organisations=[]), "tests_apart": lambda f: at(f, "effective")["zones"].pop(),
    "assets_named": lambda f: at(f, "effective").update(assets=[]), "picture": lambda f: at(f, "effective").update(zones=[]),
    "limits_set": lambda f: at(f, "effective").update(limits=None), "nevers_hold": lambda f: at(f, "model").update(unattended=1),
    "unpatchable_apart": lambda f: at(f, "model").update(ways=1, accepted=1, direct=1), "admin_entry": reach(anybody_enters=True), "admin_exit": reach(others=["udp 53"]),
    "clock_sources": lambda f: at(f, "status")["clock"].update(synchronised=False), "log_server": told(log=None), "records_kept": journal(keep_days=90),
    "records_stated": lambda f: at(f, "status")["site"].update(records=None), "records_complete": journal(lost=1),
    "passed_recorded": lambda f: at(f, "effective").update(record_passed=False), "records_signed": journal(signs=False),
    "records_chain": lambda f: at(f, "journal").update(whole=None), "versions": lambda f: at(f, "platform").update(security_until="2026-06-10", lts_until=""),
    "parts_compared": drop("parts_compared"), "changes_named": lambda f: at(f, "history")["history"][0].update(by=None), "accounts_named": account(full_name=""), "accounts_used": account(unused=True),
    "phrases_refused": lambda f: at(f, "accounts").update(leaked={"count": 0, "damaged": True}), "duties_apart": account(roles=["ot_author", "approver"]),
    "tokens_end": lambda f: at(f, "tokens").update(tokens=[{"id": "1", "until": None}]), "two_persons": add(kind="policy", code="applied", by="tanaka/root", value=5, time="2026-11-01T12:00:00.000Z"),
    "factors": lambda f: at(f, "platform").update(console="passphrase"), "exceptions": lambda f: at(f, "effective")["conduits"][1].update(until="2026-10-01T00:00:00Z"),
    "backup_age": drop("backed_up"), "backup_tried": lambda f: [x.update(object="kita.backup: NOT the same") for x in f["events"] if x["code"] == "backup_tried"],
    "backup_elsewhere": lambda f: at(f, "status")["backup"]["carried"][0].update(overdue=True), "rehearsed": drop("isolation_rehearsed"),
    "isolations_prepared": told(prepared=[]), "alarms_sent": told(mail={"server": "x", "state": "failing"}), "alarms_tested": drop("tested"),
    "records_reviewed": drop("records_reviewed"), "tls_seen": add(kind="weak", code="tls", verdict="allow", conduit="c", count=1),
    "clear_text_seen": add(kind="flow", reason="confirmed", verdict="allow", protocol="telnet", client_zone="vendor", count=1),
    "devices_known": lambda f: at(f, "status")["journal"]["devices"].update(new=1), "services_declared": add(kind="undeclared", verdict="allow", conduit="c", count=1),
}


def judge(sekisho, facts):
    """The report's documents; of an unreadable report nothing is met."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as f:
        json.dump(facts, f)
        f.flush()
        got = subprocess.run([sekisho, "report", "controls", "--facts", f.name, "--json"], stdout=subprocess.PIPE, env={**os.environ, "TZ": "Asia/Tokyo"}, check=True)
    return {d["document"] + " " + c["clause"]: c for d in json.loads(got.stdout)["documents"] for c in d["clauses"]}


def main(sekisho):
    counts = [0, 0]

    def say(ok, name, why=""):
        counts[not ok] += 1
        if not ok:
            print("FAILED  %s: %s" % (name, why))

    good = good_facts()
    clauses = judge(sekisho, good)
    met = [name for name, c in clauses.items() if c["verdict"] == "met"]
    say(len(met) >= LEAST, "everything was done", "%d of %d clauses are met" % (len(met), len(clauses)))
    for name, c in clauses.items():
        say(c["verdict"] == "met", "done " + name, [(e["probe"], e["verdict"], e["en"]) for e in c["evidence"] if e["verdict"] != "met"] or c["verdict"])
    used = {p for d in documents() for c in d["clauses"] for p in c["probes"]}
    say(used <= set(WITHOUT), "each probe has a case", used - set(WITHOUT))
    for probe, leave_out in WITHOUT.items():
        facts = copy.deepcopy(good)
        leave_out(facts)
        for name, c in judge(sekisho, facts).items():
            for e in c["evidence"]:
                if e["probe"] == probe:
                    say(e["verdict"] != "met" and c["verdict"] != "met", "without %s, %s" % (probe, name), e["en"])
    # A person's answer: none, one with findings, one that is over, and a later one that replaces
    # it.
    for clause in asked():
        others = [x for x in good["events"] if not x.get("before", "").startswith(clause + ", ")]
        for what, more in (("no answer", []), ("findings", [answer(clause, code="clause_reviewed_found")]), ("over", [answer(clause, next_day="2026-11-02")]),
                           ("replaced", [answer(clause), answer(clause, day="2026-10-21", code="clause_reviewed_found")])):
            facts = {**good, "events": others + more}
            say(judge(sekisho, facts)[clause]["verdict"] != "met", "%s for %s" % (what, clause))
    half_year = {**good, "events": [x if not x.get("before", "").startswith("P 2.4.2, ") else answer("P 2.4.2", day="2026-02-01") for x in good["events"]]}
    say(judge(sekisho, half_year)["P 2.4.2"]["verdict"] != "met", "a self-check of nine months ago")
    # What still counts as done, and what does not, beside the cases above.
    for what, clause, ok, change in (
            ("a policy that root applied, in reviewed records", "P 2.1.1 (4)", True, add(kind="policy", code="applied", by="tanaka/root", value=5)),
            ("a chain that the policy accepts", "P 2.1.1 (1)", True, lambda f: at(f, "model").update(ways=1, accepted=1, direct=0)),
            ("a chain that nobody accepted", "P 2.1.1 (1)", False, lambda f: at(f, "model").update(ways=1, accepted=0)),
            ("a part that a newer version mends", "P 2.4.1", False, add(kind="machine", code="parts_vulnerable", object="2026-10-29, SHA-256 0123456789ab: 1 mended elsewhere")),
            ("a part that is mended again", "P 2.4.1", True, add(kind="machine", code="parts_vulnerable", object="2026-10-01, SHA-256 0123456789ab: 1 mended elsewhere", time="2026-10-02T00:00:00.000Z")),
            ("an old list, compared today", "P 2.4.1", False, lambda f: [x.update(object="2026-09-01, SHA-256 0123456789ab: 0") for x in f["events"] if x["code"] == "parts_compared"]),
            ("an account without a second factor", "C L3.003", False, account(totp=False)),
            ("a console with a second factor", "C L3.003", True, lambda f: at(f, "platform").update(console="factor")),
            ("a console that cannot be read", "C L3.003", False, lambda f: at(f, "platform").update(console="unread"))):
        facts = copy.deepcopy(good)
        change(facts)
        c = judge(sekisho, facts)[clause]
        say((c["verdict"] == "met") == ok, what, c["verdict"])
    print("%d of %d clauses are met where everything was done" % (len(met), len(clauses)))
    print("%d passed, %d failed" % tuple(counts))
    return counts[1] > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
