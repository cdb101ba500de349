# SPDX-License-Identifier: Apache-2.0
"""Boxes as their status tells them (docs/json.md): well, on trial, without a policy, and with each
kind of fault that a page has to show."""
import copy

NOW = "2026-11-20T08:20:31.000Z"
DIGEST = "5f0c1e9ab34d77aa21c04dd1a3b5f0e2c9d8e7f60123456789abcdef01234567"


def counters(packets, size=420, errors=0, dropped=0):
    return {"packets": packets, "bytes": packets * size, "errors": errors, "dropped": dropped}


def role(name, pid, **more):
    return {"role": name, "index": 0, "pid": pid, "state": "running", "restarts": 0, "since": "2026-11-12T22:01:07.000Z", **more}


GOOD = {
    "site": {"contact": "当直室 内線 4119", "time_zone": "JST-9", "name": "kita", "label": "北埠頭コンテナターミナル", "records": {"purpose": "インシデントの検知と調査", "responsible": "情報管理責任者 佐藤"}},
    "generation": {"number": 42, "digest": DIGEST, "state": "confirmed", "applied": "2026-11-19T05:12:00.000Z", "confirm_by": None, "by": "tanaka"},
    "backend": "native", "features": {"queue": {"used": True, "why": None}, "flowtable": {"used": False, "why": "unjudged"},
                                      "owned_table": {"used": True, "why": None}, "verdict_cache": {"used": True, "why": None}},
    "drift": {"seen": 0, "last": None}, "works_stopped": 0, "busy": False, "notice": None,
    "roles": [role("enforce", 811), role("journal", 812), role("tap", 813), role("mgmt", 814),
              role("gate", 815, kind="commands"), role("dpi", 816, kind="commands"), role("dpi", 817, kind="commands", index=1, restarts=1),
              role("gate", 818, kind="naming", index=8), role("dpi", 819, kind="naming", index=8)],
    "workers": [{"index": i, "kind": kind, "packets": packets, "dropped": 12 * i, "resets": i, "flows": 311 + i, "flows_max": 65536, "reasons": {"modbus.function": 3 * i},
                 "latency": [{"kind": kind, "criticality": "cargo", "packets": packets, "sum_us": packets * 31, "p50_us": 28, "p99_us": 160, "max_us": 2210 + i, "within": []}]}
                for i, kind, packets in ((0, "commands", 1830411), (1, "commands", 1790233), (8, "naming", 90412))],
    "queues": [{"lane": n, "worker": 0, "kind": "commands", "outstanding": n % 2, "dropped_full": 0, "dropped_user": 0} for n in range(4)],
    "gates": [{"index": 0, "kind": "commands", "verdicts": 3620644, "hung": 0, "overdue": 0, "starved_ms": 180}],
    "kernel": {"counters": {"no_conduit": {"packets": 18234, "bytes": 1094040}, "not_ours": {"packets": 3, "bytes": 180}}, "forwarding": True, "digest": DIGEST},
    "tracking": {"sessions": 912, "most": 262144, "shares": []},
    "interfaces": [
        {"name": "lan1", "device": "enp1s0", "space": "data", "zones": [{"name": "office", "label": "事務所"}], "link": "up",
         "addresses": ["10.10.0.1/24"], "rx": counters(8123441), "tx": counters(6123441)},
        {"name": "lan2", "device": "enp2s0", "space": "data", "zones": [{"name": "rtg", "label": "RTG 1～12号機"}], "link": "up",
         "addresses": ["10.30.0.1/22", "2001:db8:30::1/64"], "rx": counters(91234410), "tx": counters(88123441)},
        {"name": "lan3", "device": "enp3s0", "space": "data", "zones": [{"name": "qc", "label": "ガントリークレーン 1～4号機"}], "link": "up",
         "addresses": ["10.31.0.1/24"], "rx": counters(41234410), "tx": counters(38123441)},
        {"name": "adm", "device": "enp4s0", "space": "admin", "zones": [], "link": "up", "addresses": ["10.99.0.1/24"], "rx": counters(91234), "tx": counters(88123)}],
    "journal": {"records": 1830221, "last": "2026-11-20T08:20:29.000Z", "lost": 0, "keep_days": 400, "delete_after_days": 800, "waiting": 0, "left_out": 0, "stuck": False, "trouble": None,
                "disk": {"bytes": 31000000000, "free": 24000000000, "files": 1900000, "files_free": 1890000, "records_bytes": 6100000000, "used_percent": 22, "nearly_full": False, "since": None,
                         "full_in_s": None}},
    "certificates": [
        {"use": "web", "file": None, "state": "good", "why": None, "since": None, "certificates": 1, "about": 0, "list": [
            {"subject": "CN=Sekisho 1a2b3c4d", "from": "2026-01-10T03:00:00.000Z", "until": "2036-01-08T03:00:00.000Z", "sha256": "4c1d" * 16}]},
        {"use": "log", "file": "/etc/sekisho/log-ca.pem", "state": "good", "why": None, "since": None, "certificates": 2, "about": 0, "list": [
            {"subject": "CN=港湾 認証局 2,O=Kita", "from": "2026-11-01T03:00:00.000Z", "until": "2031-11-01T03:00:00.000Z", "sha256": "aa01" * 16},
            {"subject": "CN=港湾 認証局,O=Kita", "from": "2021-11-01T03:00:00.000Z", "until": "2027-11-01T03:00:00.000Z", "sha256": "bb02" * 16}]}],
    "clock": {"time": NOW, "trusted": True, "waits": None, "latest": NOW, "synchronised": True, "since": "2026-11-12T22:03:00.000Z", "sources": True, "waiting": []},
    "log": {"server": "10.99.0.9:6514", "sends": True, "waiting": 0, "last": 1830221},
    "ups": {"server": "10.99.0.7:3493", "name": "ups", "state": "mains", "since": "2026-11-01T00:00:00.000Z", "away_since": None, "charge": 100, "runtime": 2700},
    "partition": {"stands": True, "why": None, "guard": {"memory": 31457280, "kept": 67108864}, "parsers": {"memory": 104857600, "most": 3221225472, "ended": 0}},
    "lingering": [], "silent": [], "surroundings": [], "foreign": [], "settings": [],
}


def changed(**more):
    box = copy.deepcopy(GOOD)
    box.update(more)
    return box


def down():
    """A crane's link, a worker and the log server, at three in the morning."""
    box = changed(log={"server": "10.99.0.9:6514", "sends": True, "waiting": 812, "since": "2026-11-19T18:02:11.000Z", "last": 1830221})
    box["interfaces"][1]["link"] = "no_carrier"
    box["interfaces"][2].update(link="absent", rx=None, tx=None)
    del box["interfaces"][2]["rx"], box["interfaces"][2]["tx"]
    box["interfaces"][1]["zones"][0].update(assets=[{"name": "rtg%02d" % n, "label": "RTG %d号機 PLC" % n} for n in range(1, 12)] + [{"name": "rtg12", "label": ""}], assets_all=12)
    box["interfaces"][2]["zones"][0].update(assets=[{"name": "qc1", "label": "1号機"}], assets_all=4)
    box["changes"] = [{"number": 42, "applied": "2026-11-20T02:12:00.000Z", "by": "tanaka", "state": "confirmed", "changed": "2026-11-20T02:13:30.000Z", "changed_by": "sato"},
                      {"number": 41, "applied": "2026-11-19T19:40:00.000Z", "by": "suzuki", "state": "reverted", "changed": "2026-11-19T19:50:00.000Z", "changed_by": None}]
    box["roles"][5].update(state="dead", since="2026-11-19T18:00:43.000Z", pid=0, restarts=6)
    box["certificates"][1].update(state="close", since="2026-11-15T03:00:00.000Z", certificates=1, list=[dict(box["certificates"][1]["list"][1], until="2026-11-22T03:00:00.000Z")])
    box["certificates"].append({"use": "mail", "file": "/etc/sekisho/mail-ca.pem", "state": "unreadable", "why": "closed", "since": "2026-11-20T01:00:00.000Z", "certificates": 0,
                                "about": None, "list": []})
    box["journal"]["disk"] = dict(GOOD["journal"]["disk"], free=2700000000, used_percent=91, nearly_full=True, since="2026-11-19T23:00:00.000Z", full_in_s=190000)
    return box


def tampered():
    return changed(drift={"seen": 3, "last": "2026-11-20T03:11:09.000Z"}, foreign=["table ip nat", "table inet foreign_table_with_a_rather_long_name_that_goes_on_and_on"],
                   kernel=dict(GOOD["kernel"], forwarding=False, digest="0" * 64), settings=[{"name": "net.ipv4.ip_forward", "is": "0", "want": "1"}],
                   ups=dict(GOOD["ups"], state="battery", since="2026-11-20T08:11:00.000Z", charge=61, runtime=1140),
                   clock=dict(GOOD["clock"], trusted=False, waits="source", synchronised=False, waiting=["grant-acme"]))


def full():
    box = changed()
    box["journal"].update(trouble="write to the journal: No space left on device", waiting=18231, left_out=90412, lost=12, stuck=True)
    box["journal"]["disk"] = dict(GOOD["journal"]["disk"], free=0, used_percent=100, nearly_full=True, since="2026-11-19T23:00:00.000Z", full_in_s=1)
    return box


def long_values():
    """Names as long as they may be, in a language without spaces and in one word; counters that ran
    for years."""
    box = changed(site={"name": "a" * 63, "contact": "夜間連絡先" * 30, "label": "東京港大井コンテナ埠頭第六・第七号岸壁およびその背後地に所在する荷役機械制御網境界装置（予備機を含む）"})
    box["interfaces"][0]["zones"] = [{"name": "z" * 63, "label": "名称の長いゾーン" * 8, "assets": [{"name": "a" * 63, "label": ""}] + [{"name": "x%d" % n, "label": "名称の長い資産" * 6} for n in range(23)], "assets_all": 2000},
                                     {"name": "second", "label": "second", "assets": [], "assets_all": 0}]
    box["changes"] = [{"number": 2 ** 52 - n, "applied": "2026-11-20T02:12:00.000Z", "by": "w" * 63, "state": "confirmed", "changed": "2026-11-20T02:13:30.000Z", "changed_by": "w" * 63} for n in range(8)]
    box["certificates"][1]["list"][0]["subject"] = "CN=" + "港湾認証局" * 7
    box["certificates"][1]["list"][1]["subject"] = "CN=" + "w" * 110
    box["interfaces"][0]["rx"] = counters(2 ** 52, 1, 2 ** 40, 2 ** 40)
    box["interfaces"][1]["addresses"] = ["2001:db8:ffff:ffff:ffff:ffff:ffff:%x/128" % n for n in range(6)]
    box["generation"]["by"] = "very.long.account.name@department.example.co.jp"
    return box


def empty():
    """A daemon without a policy: no cards, no workers, nothing counted."""
    return {"site": {"name": "", "label": "", "records": None}, "generation": {"number": 0, "digest": None, "state": "none", "applied": None, "confirm_by": None, "by": None},
            "drift": {"seen": 0, "last": None}, "roles": GOOD["roles"][:4], "workers": [], "queues": [], "gates": [], "interfaces": [],
            "kernel": {"counters": {}, "forwarding": False}, "journal": {"records": 3, "last": NOW, "lost": 0, "waiting": 0, "left_out": 0, "stuck": False, "trouble": None},
            "clock": {"time": NOW, "trusted": True, "synchronised": False, "since": None, "sources": False, "waiting": []}, "log": None, "ups": None}


BOXES = {"good": GOOD, "trial": changed(generation=dict(GOOD["generation"], state="waiting", applied="2026-11-20T08:18:00.000Z", confirm_by="2026-11-20T08:28:00.000Z")),
         "empty": empty(), "down": down(), "tampered": tampered(), "full": full(), "long": long_values(), "silent": {}}
