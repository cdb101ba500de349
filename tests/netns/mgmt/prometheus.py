# SPDX-License-Identifier: Apache-2.0
"""Prometheus itself asks the role. Tests the samples, and the alarms and the dashboard that come
with the box."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse

from cases import expect
from double import STATUS
from net import inside, wait_for

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
SHIPPED = os.path.join(TOP, "mgmt", "prometheus")
PEERS = os.path.join(TOP, "build", "peers", "usr", "bin")
NAME = r"sekisho_[a-z_]+"

# A complete status (docs/json.md), with characters that must not end a label or a line.
WHOLE = {
    "site": {"name": "kita"}, "generation": {"number": 4, "state": "waiting", "applied": "2026-11-20T08:10:11.5Z", "confirm_by": "2026-11-20T08:20:11Z"},
    "drift": {"seen": 2, "last": None}, "works_stopped": 3, "busy": False, "foreign": ["table ip nat"], "settings": [], "surroundings": [{}, {}], "silent": [], "lingering": [{"permit": 7}],
    "roles": [{"role": "enforce", "index": 0, "state": "running", "restarts": 0}, {"role": "dpi", "index": 8, "state": "dead", "restarts": 3}],
    "kernel": {"forwarding": True, "counters": {"no_conduit": {"packets": 12, "bytes": 720}, "share.pace": {"packets": 2 ** 53, "bytes": 0}}},
    "ending": {"near": 1, "conduits": [{"conduit": "vendor", "label": "", "owner": "Cranes", "until": "2026-11-20T09:00:00Z", "since": "2026-11-20T08:00:00Z"}]},
    "certificates": [{"use": "web", "file": None, "state": "good", "why": None, "since": None, "certificates": 1, "about": 0, "list": [
                         {"subject": "CN=Sekisho", "from": "2026-11-20T08:00:00.000Z", "until": "2036-11-20T08:00:00.000Z", "sha256": "ab" * 32}]},
                     {"use": "mail", "file": "/etc/sekisho/mail.pem", "state": "unreadable", "why": "absent", "since": "2026-11-20T08:00:00.000Z", "certificates": 0, "about": None, "list": []},
                     {"use": "log", "file": "/etc/sekisho/log.pem", "state": "unjudged", "why": None, "since": None, "certificates": 0, "about": None, "list": []}],
    "unheard": {"now": True, "since": "2026-11-20T08:00:12Z", "last": "2026-11-20T08:00:14Z", "packets": 77},
    "uninspected": {"now": True, "since": "2026-11-20T08:00:12Z", "last": "2026-11-20T08:00:14Z", "dropped": 540, "passed": 12, "lanes": [
        {"lane": "commands/cargo/closed/closed", "when_down": "closed", "when_overloaded": "closed", "queue_full": 500, "socket_full": 0, "no_worker": 40, "conduits_all": 1,
         "conduits": [{"conduit": "polls", "label": ""}]}]},
    "expected": {"watched": 3, "silent": 1, "unread": False, "conduits": [{"conduit": "polls", "label": "", "within_s": 600, "since": "2026-11-20T08:00:12Z", "heard": True}]},
    "tracking": {"sessions": 12, "most": 262144, "shares": [{"zone": "office", "lane": "naming/support/closed/closed", "sessions": 19000, "most": 32768}]},
    "workers": [{"index": 0, "kind": "commands", "packets": 5, "accepted": 4, "confirmed": 0, "dropped": 1, "resets": 0, "flows": 1, "flows_max": 9,
                 "pool_used": 1, "pool_bytes": 2, "lent": 240, "lent_max": 8192, "lent_requests": 1000, "lent_without_room": 2, "reasons": {"modbus.function": 3},
                 "shares": [{"kind": "commands", "criticality": "cargo", "flows": 1, "flows_max": 9}],
                 "latency": [{"kind": "commands", "criticality": "cargo", "packets": 7, "sum_us": 2500, "p50_us": 60, "p99_us": 900, "max_us": 1100,
                              "within": [{"us": 64, "packets": 4}, {"us": 1024, "packets": 6}]}]}],
    "queues": [{"lane": 28, "worker": 0, "kind": "commands", "outstanding": 1, "dropped_full": 2, "dropped_user": 3}],
    "gates": [{"index": 0, "kind": "commands", "verdicts": 1, "resets": 2, "decided": 3, "hung": 4, "starved_ms": 1500}],
    "interfaces": [{"name": "lan\"2\\", "device": "ot0\n", "space": "data", "link": "up", "rx": {"bytes": 1, "packets": 2, "errors": 3, "dropped": 4},
                    "tx": {"bytes": 5, "packets": 6, "errors": 7, "dropped": 8}}, {"name": "lan3", "device": "ot1", "space": "data", "link": "absent"}],
    "reach": {"stands": True, "peers": [{"use": "log", "address": "10.99.0.5", "packets": 4}], "refused": 1, "refused_in": 2, "terminals": [{}]},
    "journal": {"records": 17, "last": "2026-11-20T08:10:12Z", "lost": 0, "left_out": 0, "waiting": 0, "stuck": False, "trouble": None, "holds": 2, "held": True, "holds_damaged": False,
                "signs": False, "signed_to": 12, "unsigned_records": 5,
                "attacks": {"ringing": 1, "acknowledged": 2, "silenced": 0, "beyond": 0, "version": 1, "tested": "2026-11-20T08:10:11Z", "test_missed": [], "damaged": False,
                            "alarms": [{"number": 3, "rung": 1, "attack": "scan", "grave": True, "test": False, "count": 50}]},
                "disk": {"bytes": 8000000000, "free": 700000000, "files": 524288, "files_free": 500000, "records_bytes": 6000000000, "used_percent": 91, "nearly_full": True,
                         "since": "2026-11-20T08:10:12Z", "full_in_s": 86400}},
    "log": {"sends": True, "waiting": 3}, "ups": {"state": "battery", "charge": 83, "runtime": 1140, "counted": True}, "clock": {"trusted": True, "synchronised": False, "waiting": ["grant-acme"]},
    "partition": {"stands": True, "guard": {"memory": 31457280}, "parsers": {"memory": 104857600, "most": 3221225472, "ended": 0}},
}
TOOK = 'sekisho_inspection_seconds_%s{worker="0",kind="commands",criticality="cargo"%s}'
SOME = {'sekisho_worker_lent{worker="0",kind="commands"}': 240, 'sekisho_worker_lent_requests_total{worker="0",kind="commands"}': 1000, "sekisho_attacks_ringing": 1, "sekisho_attacks_acknowledged": 2, "sekisho_attacks_test_missed": 0,
        TOOK % ("bucket", ',le="6.4e-05"'): 4, TOOK % ("bucket", ',le="0.001024"'): 6, TOOK % ("bucket", ',le="+Inf"'): 7, TOOK % ("sum", ""): 0.0025, TOOK % ("count", ""): 7,
        "sekisho_disk_free_bytes": 700000000, "sekisho_disk_nearly_full": 1, "sekisho_disk_full_in_seconds": 86400,
        'sekisho_certificate_usable{use="web"}': 1, 'sekisho_certificate_usable{use="mail"}': 0, 'sekisho_certificate_usable{use="log"}': None,
        'sekisho_certificate_ends_timestamp_seconds{use="web",fingerprint="%s"}' % ("ab" * 32): 2110780800, "sekisho_unheard": 1, "sekisho_unheard_packets": 77, "sekisho_ending_conduits": 1, "sekisho_uninspected": 1, "sekisho_uninspected_dropped": 540, "sekisho_uninspected_passed": 12, "sekisho_watched_conduits": 3, "sekisho_silent_conduits": 1, "sekisho_generation": 4, "sekisho_generation_applied_timestamp_seconds": 1795162211, "sekisho_trial_ends_timestamp_seconds": 1795162811,
        "sekisho_forwarding": 1, "sekisho_works_stopped_total": 3, "sekisho_changing": 0, 'sekisho_role_running{role="dpi",index="8"}': 0, 'sekisho_kernel_packets_total{reason="share.pace"}': 2 ** 53,
        'sekisho_worker_reasons_total{worker="0",kind="commands",reason="modbus.function"}': 3, 'sekisho_gate_starved_seconds_total{gate="0",kind="commands"}': 1.5,
        'sekisho_interface_up{interface="lan\\"2\\\\",device="ot0\\n",space="data"}': 1, 'sekisho_interface_up{interface="lan3",device="ot1",space="data"}': 0,
        "sekisho_surroundings_differences": 2, "sekisho_clock_waiting_conduits": 1, "sekisho_management_terminals": 1, "sekisho_ups_on_mains": 0, "sekisho_ups_charge_percent": 83,
        "sekisho_ups_low": 0, "sekisho_ups_forced": 0, "sekisho_ups_counted": 1, "sekisho_ups_runtime_seconds": 1140, "sekisho_journal_writes": 1, "sekisho_journal_signs": 0,
        "sekisho_journal_signed_record": 12, "sekisho_journal_unsigned": 5, "sekisho_journal_stuck": 0, "sekisho_journal_holds": 2, "sekisho_journal_held": 1, "sekisho_journal_holds_damaged": 0}


def there():
    return os.path.exists(os.path.join(PEERS, "prometheus"))


def bytes_of(status):
    return json.dumps(status).encode()


def samples(text):
    """The samples by name and labels, as written. Each family has its type and help once, before
    its samples."""
    found, family, heads = {}, None, set()
    for line in text.decode().splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) (%s) (.+)" % NAME, line)
        if head:
            family = head[2]
            expect((head[1], family) not in heads, "%s of %s twice", head[1], family)
            heads.add((head[1], family))
            continue
        sample = re.fullmatch(r'(%s)(\{[a-z]+="(?:[^"\\]|\\.)*"(?:,[a-z]+="(?:[^"\\]|\\.)*")*\})? (\S+)' % NAME, line)
        expect(sample and re.sub("(?<=^sekisho_inspection_seconds)_(bucket|sum|count)$", "", sample[1]) == family and len([h for h in heads if h[1] == family]) == 2, "no sample of %s: %s", family, line)
        expect(sample[1] + (sample[2] or "") not in found, "twice: %s", line)
        found[sample[1] + (sample[2] or "")] = float(sample[3])
    return found


def rows():
    with open(os.path.join(TOP, "mgmt", "web", "api", "metrics.def"), encoding="utf-8") as f:
        return {"sekisho_" + name for name in re.findall(r"^METRIC\((\w+),", f.read(), re.M)} | {"sekisho_inspection_seconds_" + part for part in ("bucket", "sum", "count")}


def severities():
    """The severities of alarms that the file explains; by these a site decides who is called at
    night."""
    with open(os.path.join(SHIPPED, "alerts.yml"), encoding="utf-8") as f:
        text = f.read()
    explained = set(re.findall(r"`(\w+)`:", text.split("groups:")[0]))
    said = re.findall(r"severity: (\w+)", text)
    expect(len(said) == text.count("- alert: ") and set(said) == {"serious", "warning"} == explained, "%s, explained %s", sorted(set(said)), sorted(explained))


def text_of(site):
    severities()
    token, role = site.role.token(), site.role
    role.answers[STATUS] = (1, bytes_of(WHOLE))
    code, headers, body = site.get("/metrics", token)
    expect(code == 200 and headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8", "%d %s", code, headers)
    found = samples(body)
    expect({name.split("{")[0] for name in found} == rows(), "families: %s", {n.split("{")[0] for n in found} ^ rows())
    for name, number in SOME.items():
        expect(found.get(name) == number, "%s is %s, not %s", name, found.get(name), number)
    # What the box does not know has no sample, and an answer that is no status gives none.
    role.answers[STATUS] = (0, b'{"generation":{"number":1,"applied":null,"confirm_by":"soon"},"log":null,"workers":[null,{"flows":"x"}],"roles":7}')
    expect(samples(site.get("/metrics", token)[2]) == {"sekisho_generation": 1}, "samples of nothing")
    for answer in (b"", b"[]", b"{", b"\xff"):
        role.answers[STATUS] = (0, answer)
        expect(site.get("/metrics", token)[0] == 503, "%r was served", answer)
    role.answers[STATUS] = (3, bytes_of(WHOLE))
    expect(site.get("/metrics", token)[0] == 503, "an error was served as samples")
    expect(site.get("/metrics")[0] == 401 and site.get("/metrics?x=1", token)[0] == 400, "served to anybody, or with anything")
    role.answers[STATUS] = (0, b'{"status":"of the box"}')
    return "%d families" % len(rows())


def expressions(board):
    """Every expression of the dashboard, with Grafana's values for its variables."""
    for text in [t["expr"] for p in board["panels"] for t in p["targets"]] + [a["expr"] for a in board["annotations"]["list"]]:
        yield text.replace("$__rate_interval", "1m").replace("$box", "kita-1")


def itself(site, admin, box):
    """The configuration of the scraper, the alarms and the dashboard as shipped, used with the
    role."""
    role, folder = site.role, tempfile.mkdtemp(prefix="skH-prometheus-")
    role.answers[STATUS] = (0, bytes_of(WHOLE))
    for name in ("certificate.pem", "token"):
        shutil.copy(os.path.join(role.folder, name), folder)
    alerts = shutil.copy(os.path.join(SHIPPED, "alerts.yml"), folder)
    with open(alerts, encoding="utf-8") as f:
        shipped = f.read().count("- alert: ")
    with open(os.path.join(SHIPPED, "scrape.yml"), encoding="utf-8") as f:
        text = f.read()
    expect(text.count("10.99.0.1:443") == 1 and text.count("/etc/prometheus/sekisho/") == 2, "what is shipped has changed")
    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as f:
        f.write("global:\n  evaluation_interval: 1s\n" + text.replace("10.99.0.1", box).replace("/etc/prometheus/sekisho/", folder + "/").replace("15s", "1s").replace("10s", "1s"))
    checked = subprocess.run([os.path.join(PEERS, "promtool"), "check", "config", os.path.join(folder, "prometheus.yml")], capture_output=True, text=True, check=False)
    expect(checked.returncode == 0 and shipped > 0 and "%d rules found" % shipped in checked.stdout, "promtool: %s %s", checked.stdout, checked.stderr)
    metrics = subprocess.run([os.path.join(PEERS, "promtool"), "check", "metrics"], input=site.get("/metrics", role.token())[2], capture_output=True, check=False)
    expect(metrics.returncode == 0 and metrics.stderr == b"", "promtool: %s", metrics.stderr.decode())
    with inside(admin), open(os.path.join(folder, "said"), "w", encoding="utf-8") as said:
        process = subprocess.Popen([os.path.join(PEERS, "prometheus"), "--config.file", os.path.join(folder, "prometheus.yml"), "--storage.tsdb.path",
                                    os.path.join(folder, "data"), "--web.listen-address", "127.0.0.1:9090"], stdout=said, stderr=said)

    def ask(path, **query):
        with inside(admin):
            done = subprocess.run(["curl", "-sf", "http://127.0.0.1:9090/api/v1/%s?%s" % (path, urllib.parse.urlencode(query))], capture_output=True, check=False)
        return json.loads(done.stdout)["data"] if done.stdout else {}

    def value(expression):
        found = ask("query", query=expression).get("result", [])
        return float(found[0]["value"][1]) if found else None

    try:
        wait_for(lambda: value('up{job="sekisho"}') == 1, 30, "Prometheus to reach the box")
        expect(value('sekisho_generation{box="kita-1"}') == 4 and value("sum(sekisho_interface_up)") == 1, "what Prometheus has is not what was said")
        with open(os.path.join(SHIPPED, "board.json"), encoding="utf-8") as f:
            board = json.load(f)
        n = 0
        for expression in expressions(board):
            expect(set(re.findall(NAME, expression)) <= rows(), "the board asks for what is not there: %s", expression)
            expect(ask("query", query=expression).get("resultType") == "vector", "Prometheus does not take %s", expression)
            n += 1
        def rules():
            return {r["name"]: r for g in ask("rules").get("groups", []) for r in g["rules"]}

        def stirred():
            return {name for name, r in rules().items() if r["state"] != "inactive"}

        # Alarms are evaluated every second, the first time perhaps before the first samples.
        wait_for(lambda: {"SekishoRoleAway", "SekishoLinkDown", "SekishoClock", "SekishoSurroundings", "SekishoOnBattery", "SekishoUnsigned"} <= stirred(), 30, "the alarms to be stirred")
        expect(not {"SekishoForwardingOff", "SekishoRecordsLost", "SekishoBatteryLow"} & stirred() and all(r["health"] == "ok" for r in rules().values()), "%s", rules())
        for r in rules().values():
            expect(set(re.findall(NAME, r["query"])) <= rows() and r["annotations"]["summary"] and r["annotations"]["summary_ja"], "%s", r)
        return "%d expressions of the board, %d alarms" % (n, len(rules()))
    finally:
        process.terminate()
        process.wait(20)
        role.answers[STATUS] = (0, b'{"status":"of the box"}')
        shutil.rmtree(folder)
