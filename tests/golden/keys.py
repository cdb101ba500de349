#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`sekisho diff` names every key of the language that changes: tests/golden/keys.py BINARY. With an
unknown key in each object, the program prints its tables of keys. For each key of these, CHANGES
has two texts that differ only in it. A key that is missing there fails, unless SILENT says why
nothing has to be said about it. Prints "N passed, N failed"."""
import json
import os
import re
import subprocess
import sys
import tempfile

BINARY = os.path.abspath(sys.argv[1])
SITE = """language_version = 1;
site = { name = "kita"; weak_tls = "report"; time_zone = "UTC"; /*site*/ };
zones = {
  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; owner = "IT"; purpose = "papers"; approved_by = "Mori"; review_by = "2190-02-01";
    lines = ( { carrier = "KDDI"; service = "fibre"; place = "gate"; } ); /*zone*/ };
  crane = { interfaces = ["lan2"]; networks = ["10.30.0.0/22"]; class = "ot"; owner = "Cranes"; purpose = "moving"; approved_by = "Abe"; review_by = "2190-02-02"; };
};
assets = { pc = { zone = "office"; addresses = ["10.10.0.5"]; model = "OptiPlex"; place = "hall"; support_until = "2190-03-31"; /*asset*/ };
  plc = { zone = "crane"; addresses = ["10.30.0.200"]; model = "FX5U"; place = "RTG 1"; support_until = "2190-04-01"; }; };
organisations = { nagoya = { zone = "crane"; /*organisation*/ }; };
services = {
  read = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; } ); /*service*/ };
  web = { protocol = "tls"; ports = ["tcp/443"]; /*web*/ };
  ping = { protocol = "icmp"; ports = ["icmp/8"]; };
  /*services*/
};
windows = { friday = { days = ["fri"]; hours = "09:00-17:00"; }; };
doors = { gate = { at_most = "4 h"; opened_by = ["supervisor"]; /*door*/ }; };
fleets = { pcs = { zone = "office"; members = ["pc"]; rows = ( ["p1", "10.10.0.7"] ); about = { pc = { model = "ThinkPad"; place = "desk"; support_until = "2190-05-01"; }; }; }; };
conduits = (
  { name = "reads"; from = "office"; to = "crane"; services = ["read", "web"]; purpose = "positions"; owner = "IT";
    review_by = "2190-01-01"; accept = ( { warning = "policy.all_commands_to_ot"; reason = "since then"; } ); approved_by = "Hara"; /*conduit*/ }
  , { name = "odd"; from = "office"; to = "office"; sources = ["p1.pc"]; destinations = ["p1.pc"]; services = ["ping"]; purpose = "odd"; owner = "IT"; review_by = "2190-01-03"; until = "2190-01-01T09:00:00+09:00"; approved_by = "Hara";
    exception = { applicant = "Aoki"; rule = "4.2"; effect = "none"; reason = "old"; instead = "a guard"; approved_by = "Sato"; }; }
  /*conduits*/
);
never = ( { from = "crane"; to = "office"; /*never*/ } );
always = ( { services = ["web"]; from = "office"; to = "crane"; /*always*/ } );
isolations = { apart = { cut = ["zones office crane"]; /*isolation*/ }; };
chain_break = ( { asset = "pc"; reason = "a kiosk"; } );
"""
BOX = """language_version = 1;
interfaces = {
  lan0 = { device = "e0"; vlan = 10; addresses = ["10.10.0.1/16"]; /*interface*/ };
  lan2 = { device = "e2"; addresses = ["10.30.0.1/22"]; };
  adm0 = { device = "e3"; role = "admin"; addresses = ["10.99.0.1/24"]; };
};
routes = ( { to = "10.98.0.0/24"; via = "10.99.0.254"; /*route*/ } );
log_server = { address = "10.99.0.9"; name = "log.example.jp"; ca = "/etc/sekisho/log-ca.pem"; };
update_server = { address = "10.99.0.8"; name = "up.example.jp"; ca = "/etc/sekisho/up-ca.pem"; };
ups = { address = "10.99.0.7"; name = "hall"; user = "sekisho"; /*ups*/ };
mail_server = { address = "10.99.0.25"; name = "mail.example.jp"; ca = "/etc/sekisho/mail-ca.pem"; from = "box@example.jp"; to = ["it@example.jp"]; };
snmp_receiver = { address = "10.99.0.30"; user = "sekisho"; };
backup_server = { address = "10.99.0.31"; name = "nas.example.jp"; ca = "/etc/sekisho/nas-ca.pem"; folder = "/backups"; };
/*box*/
"""
BETWEEN = """language_version = 1;
interfaces = { lan0 = { device = "e0"; }; lan2 = { device = "e2"; }; lan3 = { device = "e4"; }; adm0 = { device = "e3"; role = "admin"; addresses = ["10.99.0.1/24"]; }; };
between = ( { sides = ["lan0", "lan2"]; addresses = ["10.30.0.2/24"]; } );
"""
BETWEEN_SITE = SITE.replace("10.10.0.0/16", "10.30.0.0/25").replace("10.30.0.0/22", "10.30.0.128/25").replace("10.10.0.5", "10.30.0.5").replace("10.10.0.7", "10.30.0.7")
# The protocols with commands, and for each a function that has addresses and values.
ROWS = {"modbus": ("write_single_register", "holding"), "slmp": ("batch_write", "d"), "enip": ("set_attribute_single", "objects"), "s7comm": ("write_var", "db"), "fins": ("memory_area_write", "d"), "iec104": ("C_SE_NB_1", "ioa"), "memobus": ("write_holding_registers_extended", "holding"),
        "dnp3": ("direct_operate_analog", "analog_outputs"), "opcua": ("Write", "node_ids"), "bacnet": ("WriteProperty", "objects")}

SILENT = {
    "policy.language_version": "there is one version; another is refused",
    "box.language_version": "there is one version; another is refused",
    # groups of keys, whose own keys are tested
    **{"policy." + k: "its own keys are told" for k in ("site", "zones", "assets", "services", "conduits", "never", "always", "chain_break", "organisations", "doors", "isolations")},
    **{"policy." + k: "what it is written out to is told" for k in ("groups", "fleets", "defaults", "windows")},
    "conduit.exception": "its own keys are told",
    "site.retention": "its own keys are told",
    "site.records": "its own keys are told",
    "site.detect": "its own keys are told",
    **{"box." + k: "its own keys are told" for k in ("interfaces", "routes", "between", "log_server", "ups", "update_server", "mail_server", "snmp_receiver", "backup_server")},
}

# How to ask for the tables: object -> (text, a piece of it after which an unknown key is written).
PLACES = {
    "policy": ("site", "language_version = 1;"), "site": ("site", "/*site*/"), "retention": ("site", "delete_after_days = 800;"), "records": ("site", 'responsible = "Mori";'), "detect": ("site", "learn_days = 30;"), "zone": ("site", "/*zone*/"), "line": ("site", 'carrier = "KDDI";'), "asset": ("site", "/*asset*/"),
    "service": ("site", "/*service*/"), "conduit": ("site", "/*conduit*/"), "accept": ("site", 'reason = "since then";'), "exception": ("site", 'applicant = "Aoki";'), "never": ("site", "/*never*/"), "always": ("site", "/*always*/"), "isolation": ("site", "/*isolation*/"), "organisation": ("site", "/*organisation*/"), "door": ("site", "/*door*/"),
    "chain_break": ("site", 'reason = "a kiosk";'), "box": ("box", "/*box*/"), "interface": ("box", "/*interface*/"), "route": ("box", "/*route*/"),
    "log_server": ("box", 'name = "log.example.jp";'), "update_server": ("box", 'name = "up.example.jp";'), "ups": ("box", "/*ups*/"),
    "mail_server": ("box", 'name = "mail.example.jp";'), "snmp_receiver": ("box", 'address = "10.99.0.30";'),
    "backup_server": ("box", 'name = "nas.example.jp";'), "between": ("between", 'sides = ["lan0", "lan2"];'),
}

RETENTION = '/*site*/ retention = { keep_days = 400; delete_after_days = 800; }; records = { purpose = "incidents"; responsible = "Mori"; }; detect = { learn_days = 30; };'
# object.key -> (a piece of the text, its replacement, (object, setting) that is told; None as the
# setting: one object is new and one is gone), and where else this is visible.
CHANGES = {
    "site.name": ('name = "kita"', 'name = "minami"'),
    "policy.confirm_needs": ("/*conduits*/\n);", '/*conduits*/\n); confirm_needs = ["reads", "pc"];', ("site", "confirm_needs")),
    "site.label": ("/*site*/", 'label = "北";'),
    "site.ledger": ("/*site*/", 'ledger = "strict";'),
    "site.contact": ("/*site*/", 'contact = "1234";'),
    "site.weak_tls": ('weak_tls = "report"', 'weak_tls = "deny"', ("site", "weak_tls"), ("conduit", "weak_tls")),
    "site.time_zone": ('time_zone = "UTC"', 'time_zone = "Asia/Tokyo"'),
    "site.record_passed": ("/*site*/", "record_passed = true;"),
    "retention.keep_days": ("keep_days = 400;", "keep_days = 500;", ("site", "keep_days")),
    "retention.delete_after_days": ("delete_after_days = 800;", "delete_after_days = 900;", ("site", "delete_after_days")),
    "records.purpose": ('purpose = "incidents"', 'purpose = "accidents"', ("site", "records.purpose")),
    "records.responsible": ('responsible = "Mori"', 'responsible = "Hayashi"', ("site", "records.responsible")),
    "detect.learn_days": ("learn_days = 30;", "learn_days = 31;", ("site", "detect.learn_days")),
    **{"detect." + k: ("learn_days = 30;", "learn_days = 30; %s = 77;" % k, ("site", "detect." + k))
       for k in ("control", "program", "write", "scan", "trying", "fresh", "login", "spoofed", "within_s")},
    "zone.interfaces": ('["lan2"]; networks', '["lan2", "lan3"]; networks'),
    "zone.networks": ('["10.10.0.0/16"]', '["10.10.0.0/17"]', ("zone", "networks"), ("conduit", "sources")),
    "zone.class": ('class = "it"', 'class = "operations"'),
    "zone.owner": ('class = "it"; owner = "IT"', 'class = "it"; owner = "Office"'),
    "zone.contact": ("/*zone*/", 'contact = "Mori, mori@example.jp";'),
    "zone.patchable": ("/*zone*/", "patchable = false;"),
    "zone.purpose": ('"papers"', '"letters"'),
    "zone.approved_by": ('"Mori"; review_by', '"Sato"; review_by'),
    "zone.review_by": ('"2190-02-01"', '"2190-02-03"'),
    "zone.lines": ('place = "gate"; }', 'place = "gate"; }, { carrier = "NTT"; service = "fibre"; place = "hall"; }'),
    "line.carrier": ('carrier = "KDDI"', 'carrier = "NTT"', ("zone", "lines")),
    "line.service": ('service = "fibre"', 'service = "copper"', ("zone", "lines")),
    "line.place": ('place = "gate"', 'place = "hall"', ("zone", "lines")),
    "zone.label": ("/*zone*/", 'label = "事務所";'),
    "asset.zone": ('pc = { zone = "office"; addresses = ["10.10.0.5"];', 'pc = { zone = "crane"; addresses = ["10.30.0.5"];', ("asset", "zone"), ("asset", "addresses")),
    "asset.addresses": ('["10.10.0.5"]', '["10.10.0.6"]'),
    "asset.model": ('"OptiPlex"', '"Latitude"'),
    "asset.place": ('place = "hall"', 'place = "yard"'),
    "asset.support_until": ('"2190-03-31"', '"2190-03-30"'),
    "asset.label": ("/*asset*/", 'label = "受付";'),
    "service.protocol": ('web = { protocol = "tls"', 'web = { protocol = "http"'),
    "service.ports": ('["tcp/502"]', '["tcp/502", "tcp/1502"]'),
    "service.allow": ('allow = ( { commands = ["read"]; } );', 'allow = ( { commands = ["read"]; }, { commands = ["diagnose"]; } );'),
    "service.lenient": ("/*service*/", 'lenient = ["%s"];'),
    "service.undecided_bytes": ("/*web*/", "undecided_bytes = 8;"),
    "service.tunnel": ("/*web*/", "tunnel = true;"),
    "service.label": ("/*service*/", 'label = "読み取り";'),
    "conduit.each": ('name = "reads"; from = "office"; to = "crane"; services = ["read", "web"];', 'name = "reads"; each = "pcs"; from = "office"; to = "crane"; sources = [".pc"]; services = ["read", "web"];', ("conduit", None)),
    "conduit.name": ('name = "reads"', 'name = "looks"', ("conduit", None)),
    "conduit.from": ('from = "office"; to = "crane"; services', 'from = "crane"; to = "office"; services', ("conduit", "from"), ("conduit", "to"), ("conduit", "sources"), ("conduit", "destinations")),
    "conduit.to": ('from = "office"; to = "crane"; services', 'from = "office"; to = "office"; services', ("conduit", "to"), ("conduit", "destinations")),
    "conduit.sources": ("/*conduit*/", 'sources = ["pc"];'),
    "conduit.destinations": ("/*conduit*/", 'destinations = ["10.30.0.7"];'),
    "conduit.services": ('["read", "web"]', '["read"]', ("conduit", "services")),
    "conduit.mode": ("/*conduit*/", 'mode = "observe";', ("conduit", "mode"), ("conduit", "when_down"), ("conduit", "when_overloaded")),
    "conduit.shadow": ('/*conduit*/', 'mode = "observe"; shadow = true;', ("conduit", "shadow"), ("conduit", "mode"), ("conduit", "when_down"), ("conduit", "when_overloaded")),
    "conduit.criticality": ("/*conduit*/", 'criticality = "safety";'),
    "conduit.when_down": ("/*conduit*/", 'when_down = "open";'),
    "conduit.when_overloaded": ("/*conduit*/", 'when_overloaded = "open";'),
    "conduit.when_midstream": ("/*conduit*/", 'when_midstream = "drop";'),
    "conduit.on_tighten": ("/*conduit*/", 'on_tighten = "new_flows";'),
    "conduit.weak_tls": ("/*conduit*/", 'weak_tls = "deny";'),
    "conduit.names": ("/*conduit*/", 'names = ["tos.example.jp"];'),
    "conduit.purpose": ('purpose = "positions"', 'purpose = "places"'),
    "conduit.owner": ('purpose = "positions"; owner = "IT"', 'purpose = "positions"; owner = "Cranes"'),
    "conduit.review_by": ('"2190-01-01"', '"2190-01-02"'),
    "conduit.approved_by": ('"Hara"; /*conduit*/', '"Sato"; /*conduit*/'),
    "conduit.until": ("/*conduit*/", 'until = "2190-12-01T18:00:00+09:00";'),
    "conduit.starts": ("/*conduit*/", 'starts = "2189-12-01T18:00:00+09:00";'),
    "conduit.within": ("/*conduit*/", 'within = "friday";'),
    "conduit.door": ("/*conduit*/", 'door = "gate";'),
    "conduit.heard_within": ("/*conduit*/", 'heard_within = "10 min";'),
    "conduit.idle": ("/*conduit*/", 'idle = "15 min";'),
    "conduit.session": ("/*conduit*/", 'session = "8 h";'),
    "conduit.accept": ('accept = ( { warning = "policy.all_commands_to_ot"; reason = "since then"; } );', ""),
    "conduit.label": ("/*conduit*/", 'label = "読む";'),
    **{"exception." + k: ('%s = "%s";' % (k, v), '%s = "other";' % k, ("conduit", "exception." + k))
       for k, v in (("applicant", "Aoki"), ("rule", "4.2"), ("effect", "none"), ("instead", "a guard"), ("approved_by", "Sato"))},
    "exception.reason": ('reason = "old"', 'reason = "other"', ("conduit", "exception.reason")),
    "exception.report": ('instead = "a guard";', 'instead = "a guard"; report = "taken away";', ("conduit", "exception.report")),
    "accept.warning": ('"policy.all_commands_to_ot"', '"policy.hold_forced"', ("conduit", "accept")),
    "accept.reason": ('"since then"', '"for ever"', ("conduit", "accept")),
    "never.from": ('from = "crane"; to = "office"; /*never*/', 'from = "office"; to = "office";', ("never", None)),
    "never.to": ('from = "crane"; to = "office"; /*never*/', 'from = "crane"; to = "crane";', ("never", None)),
    "never.from_assets": ('from = "crane"; to = "office"; /*never*/', 'from_assets = ["plc"]; to = "office";', ("never", "from_assets")),
    "never.to_assets": ('from = "crane"; to = "office"; /*never*/', 'from = "crane"; to_assets = ["pc"];', ("never", "to_assets")),
    "never.commands": ("/*never*/", 'commands = ["write"];'),
    "never.answer_only": ("/*never*/", 'scope = "chain"; answer_only = ["ping"];', ("never", "scope"), ("never", "answer_only")),
    "never.scope": ("/*never*/", 'scope = "chain";'),
    "never.label": ("/*never*/", 'label = "出ない";'),
    "always.from": ('services = ["web"]; from = "office"; to = "crane"; /*always*/', 'from_assets = ["pc"]; to = "crane"; services = ["web"];', ("always", "from_assets")),
    "always.to": ('services = ["web"]; from = "office"; to = "crane"; /*always*/', 'from = "office"; to_assets = ["plc"]; services = ["web"];', ("always", "to_assets")),
    "always.from_assets": ('services = ["web"]; from = "office"; to = "crane"; /*always*/', 'from_assets = ["pc"]; to = "crane"; services = ["web"];'),
    "always.to_assets": ('services = ["web"]; from = "office"; to = "crane"; /*always*/', 'from = "office"; to_assets = ["plc"]; services = ["web"];'),
    "always.services": ('services = ["web"]; from = "office"; to = "crane"; /*always*/', 'services = ["read"]; from = "office"; to = "crane";'),
    "always.purpose": ("/*always*/", 'purpose = "作業";'),
    "isolation.cut": ('cut = ["zones office crane"]', 'cut = ["zone crane"]'),
    "isolation.keep": ("/*isolation*/", 'keep = ["reads"];'),
    "isolation.on_alarm": ("/*isolation*/", 'on_alarm = ["program", "scan"];'),
    "isolation.label": ("/*isolation*/", 'label = "事務所の切り離し";'),
    "organisation.zone": ('nagoya = { zone = "crane";', 'nagoya = { zone = "office";', ("organisation", "zone")),
    "organisation.contract_until": ("/*organisation*/", 'contract_until = "2189-03-31T24:00:00+09:00";', ("organisation", "contract_until"), ("conduit", "until")),
    "organisation.contacts": ("/*organisation*/", 'contacts = ["052-000-0000"];'),
    "organisation.label": ("/*organisation*/", 'label = "名古屋電機";'),
    "door.at_most": ('"4 h"', '"2 h"'),
    "door.opened_by": ('["supervisor"]', '["supervisor", "it_operator"]'),
    "door.needs": ("/*door*/", 'needs = ["ticket"];'),
    "door.organisation": ("/*door*/", 'organisation = "nagoya";'),
    "door.second_person": ("/*door*/", "second_person = true;"),
    "door.break_glass": ("/*door*/", "break_glass = true;"),
    "door.label": ("/*door*/", 'label = "扉";'),
    "chain_break.asset": ('asset = "pc"', 'asset = "tos"', ("chain_break", None)),
    "chain_break.reason": ('"a kiosk"', '"a wall"'),
    "box.workers": ("/*box*/", "workers = 2;"),
    "box.naming_workers": ("/*box*/", "naming_workers = 2;"),
    "box.command_workers": ("/*box*/", "command_workers = 2;"),
    "box.time": ("/*box*/", 'time = ["10.99.0.5"];'),
    "box.terminals": ("/*box*/", 'terminals = ["10.99.0.20"];'),
    "interface.device": ('device = "e0"', 'device = "e9"'),
    "interface.vlan": ("vlan = 10", "vlan = 11"),
    "interface.addresses": ('["10.30.0.1/22"]', '["10.30.0.2/22"]'),
    "interface.role": ('device = "e4";', 'device = "e4"; role = "admin"; addresses = ["10.97.0.1/24"];', ("interface", "role"), ("interface", "addresses")),
    "interface.mtu": ("/*interface*/", "mtu = 1400;"),
    "interface.label": ("/*interface*/", 'label = "事務所側";'),
    "route.to": ('"10.98.0.0/24"', '"10.98.1.0/24"', ("route", None)),
    "route.via": ('"10.99.0.254"', '"10.99.0.253"'),
    "route.interface": ("/*route*/", 'interface = "adm0";'),
    "between.sides": ('["lan0", "lan2"]', '["lan0", "lan2", "lan3"]', ("between", None)),
    "between.addresses": ('"10.30.0.2/24"', '"10.30.0.3/24"'),
    "log_server.address": ('"10.99.0.9"', '"10.99.0.19"'),
    "log_server.name": ('"log.example.jp"', '"logs.example.jp"'),
    "log_server.ca": ("log-ca.pem", "logs-ca.pem"),
    "log_server.port": ('"log.example.jp";', '"log.example.jp"; port = 10514;'),
    "log_server.transport": ('"log.example.jp";', '"log.example.jp"; transport = "relp"; port = 6514;'),
    "log_server.format": ('"log.example.jp";', '"log.example.jp"; format = "eve";'),
    "update_server.address": ('"10.99.0.8"', '"10.99.0.18"'),
    "update_server.name": ('"up.example.jp"', '"ups.example.jp"'),
    "update_server.ca": ("up-ca.pem", "ups-ca.pem"),
    "update_server.port": ('"up.example.jp";', '"up.example.jp"; port = 10443;'),
    "ups.address": ('"10.99.0.7"', '"10.99.0.17"'),
    "ups.name": ('"hall"', '"yard"'),
    "ups.user": ('"hall"; user = "sekisho"', '"hall"; user = "box"'),
    "ups.port": ("/*ups*/", "port = 13493;"),
    "ups.on_low": ("/*ups*/", 'on_low = "record";'),
    "mail_server.address": ('"10.99.0.25"', '"10.99.0.26"'),
    "mail_server.name": ('"mail.example.jp"', '"post.example.jp"'),
    "mail_server.ca": ("mail-ca.pem", "post-ca.pem"),
    "mail_server.from": ('"box@example.jp"', '"kita@example.jp"'),
    "mail_server.to": ('["it@example.jp"]', '["it@example.jp", "night@example.jp"]'),
    "mail_server.user": ('"mail.example.jp";', '"mail.example.jp"; user = "sekisho";'),
    "mail_server.port": ('"mail.example.jp";', '"mail.example.jp"; port = 10465;'),
    "snmp_receiver.address": ('"10.99.0.30"', '"10.99.0.31"'),
    "snmp_receiver.user": ('"10.99.0.30"; user = "sekisho"', '"10.99.0.30"; user = "box"'),
    "snmp_receiver.port": ('"10.99.0.30";', '"10.99.0.30"; port = 10162;'),
    "backup_server.address": ('"10.99.0.31"', '"10.99.0.32"'),
    "backup_server.name": ('"nas.example.jp"', '"store.example.jp"'),
    "backup_server.ca": ("nas-ca.pem", "store-ca.pem"),
    "backup_server.folder": ('"/backups"', '"/backups/kita"'),
    "backup_server.user": ('"nas.example.jp";', '"nas.example.jp"; user = "kita";'),
    "backup_server.port": ('"nas.example.jp";', '"nas.example.jp"; port = 8443;'),
}

work = tempfile.TemporaryDirectory()
count = {True: 0, False: 0}


def verdict(name, problem):
    count[not problem] += 1
    if problem:
        print("FAIL keys: %s: %s" % (name, problem))


def write(folder, site, box):
    path = os.path.join(work.name, folder)
    os.makedirs(path, exist_ok=True)
    for name, text in (("site.cfg", site), ("box.cfg", box)):
        with open(os.path.join(path, name), "w", encoding="utf-8") as f:
            f.write(text)
    return os.path.join(path, "site.cfg")


def run(*words):
    return subprocess.run([BINARY, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)


def texts(where):
    """(site.cfg, box.cfg) in which a change is made: both have something in every object."""
    if where == "between":
        return BETWEEN_SITE, BETWEEN
    return SITE.replace("/*site*/", RETENTION), BOX.replace("  adm0", '  lan3 = { device = "e4"; };\n  adm0')


def keys_of(where, piece, site=None):
    """The keys that the program knows there, from its hint about an unknown one."""
    both = list(texts(where))
    n = 0 if where == "site" else 1
    both[n] = site if site is not None else both[n].replace(piece, piece + " zzzzzzzzzzzzzzzz = 1;", 1)
    said = json.loads(run("check", "--json", "--lang", "en", write("asked", *both)).stdout)
    for d in said["diagnostics"]:
        hint = re.match(r"one of:? (.*)", d.get("hint") or "", re.I)
        if d["code"] == "policy.unknown_key" and hint:
            return [k.strip(" `\"") for k in hint.group(1).split(",")]
    return []


def told(name, old, new, expected):
    """The pair differs exactly as expected, also in the reverse direction, and both languages say
    so."""
    for before, after in ((old, new), (new, old)):
        a, b = write("old", *before), write("new", *after)
        done = run("diff", "--json", a, b)
        try:
            changes = json.loads(done.stdout)["changes"]
        except (ValueError, KeyError):
            return verdict(name, "no answer: " + done.stdout + done.stderr)
        got = sorted((c["object"], c.get("setting") or "", c["change"]) for c in changes)
        want = sorted(w for o, s in expected for w in ([(o, s, "changed")] if s else [(o, "", "added"), (o, "", "removed")]))
        if got != want or done.returncode != 1:
            return verdict(name, "%s instead of %s, status %d" % (got, want, done.returncode))
        for lang in ("en", "ja"):
            text = run("diff", "--lang", lang, a, b)
            lines = re.sub(r"\n +", " ", text.stdout)
            missing = [c for c in changes if c["change"] == "changed" and not re.search(r"\b%s\b" % c["setting"], lines)]
            missing += [c for c in changes if c["name"] and c["name"] not in lines]
            for c in changes:
                for value in (c.get("before"), c.get("after")):
                    other = c.get("after") if value is c.get("before") else c.get("before")
                    parts = [v for v in value if v not in (other or [])] if isinstance(value, list) else [value]
                    missing += [p for p in parts if p is not None and re.sub(r"\W", "", json.dumps(p, ensure_ascii=False)) not in re.sub(r"\W", "", lines)]
            if missing or text.returncode != 1:
                return verdict(name, "%s does not say %s: %s" % (lang, missing, text.stdout))
    return verdict(name, "")


def one(key):
    where = PLACES[key.split(".")[0]][0]
    change = CHANGES[key]
    old = list(texts(where))
    n = 0 if where == "site" else 1
    piece, other = change[0], change[1]
    if key == "chain_break.asset":
        old[0] = old[0].replace("assets = {", 'assets = { tos = { zone = "office"; addresses = ["10.10.0.9"]; };')
    if key == "service.lenient":
        other = other % json.loads(run("protocols", "--json", "modbus").stdout).get("lenient", ["unit"])[0]
    if key == "zone.interfaces":
        old[1] = old[1].replace('lan3 = { device = "e4"; }', 'lan3 = { device = "e4"; addresses = ["10.31.0.1/24"]; }')
    if old[n].count(piece) != 1:
        return verdict(key, "the text has %d of %r" % (old[n].count(piece), piece))
    new = list(old)
    new[n] = old[n].replace(piece, other)
    return told(key, old, new, change[2:] or (tuple(key.split(".")),))


def tables():
    """Every key of every table."""
    for thing, (where, piece) in PLACES.items():
        known = keys_of(where, piece)
        verdict(thing + ": its table is found", "" if known else "no hint names its keys")
        for key in known:
            name = thing + "." + key
            if name in CHANGES:
                one(name)
            else:
                verdict(name, "" if name in SILENT else "no pair of policies that differ in it, nor a reason why nothing is said")
        stale = [k for k in [*CHANGES, *SILENT] if k.split(".")[0] == thing and k.split(".")[1] not in known]
        verdict(thing + ": names no key that there is not", stale)


def value_of(protocol, key):
    """A number for this key of a row, in its notation."""
    if protocol == "fins":
        return {"units": '"0x1"', "senders": '"0.1.0"', "e": '"0.1"', **{k: '"1.0"' for k in ("cio", "w", "h", "a", "g")}}.get(key, "1")
    if key == "security_policies": # a row without the key means None
        return '"Basic256Sha256"'
    if protocol == "iec104" and key == "qualifiers":
        return '"0.1"'
    if protocol == "memobus":
        return '"1.0"' if key == "channels" or key[1:] == "b" else "1"
    if protocol == "dnp3" and key in ("objects", "operations"):
        return {"objects": '"12.1"', "operations": '"0x3"'}[key]
    if protocol == "bacnet" and key == "objects":
        return '"analog-output:1"'
    if protocol == "bacnet" and key in ("routes", "ways", "properties"):
        return {"routes": '"1.0"', "ways": '"broadcast"', "properties": '"present-value"'}[key]
    if key == "certificates":
        return '"#0000000000000001"'
    if key == "node_ids":
        return '"2.100"'
    if key in ("modules", "x", "y", "b", "sb", "dx", "dy", "w", "sw"):
        return '"0x1"'
    return {"routes": '"1.0"', "objects": '"4.100.3"', "tags": '"#0000000000000001"', "db": '"1.0.0"', "inputs": '"0.0"', "outputs": '"0.0"', "flags": '"0.0"', "peripherals": '"0.0"',
            "module_buffer": '"1.0"'}.get(key, "1")


def rows():
    """Every key of a row of `allow`, of each protocol that has rows."""
    known = json.loads(run("protocols", "--json").stdout)["protocols"]
    names, transports = [p["protocol"] for p in known if p["functions"]], {p["protocol"]: p["transports"] for p in known}
    verdict("rows: every protocol", sorted(set(names) ^ set(ROWS)))
    for protocol, (function, place) in ROWS.items():
        def site(row, protocol=protocol):
            text = SITE.replace("/*site*/", RETENTION)
            return text.replace('protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; } );', 'protocol = "%s"; ports = ["%s/5020"]; allow = ( { %s } );' % (protocol, transports[protocol].split(", ")[0], row))
        box = texts("site")[1]
        known = keys_of("site", None, site("functions = [\"%s\"]; zzzzzzzzzzzzzzzz = 1;" % function))
        verdict(protocol + " rows: their keys are found", "" if known else "no hint names them")
        for key in known:
            old = 'functions = ["%s"];' % function
            new = {"commands": old + ' commands = ["diagnose"];', "functions": 'commands = ["read"];'}.get(key, old + " %s = [%s];" % (key, value_of(protocol, key)))
            # values of an address; in one protocol the row must name all of its bytes
            if key == "values":
                old += ' %s = [%s];' % (place, '"1.0-1"' if place == "db" else value_of(protocol, place))
                new = old + " values = [1];"
            told("%s row.%s" % (protocol, key), (site(old), box), (site(new), box), (("service", "allow"),))


def nothing():
    """Texts with the same meaning show no difference."""
    site, box = texts("site")
    plain = site.replace('["read", "web"]', '["read"]')
    told("site.weak_tls over a conduit without TLS", (plain, box), (plain.replace("report", "deny"), box), (("site", "weak_tls"),))
    site = site.replace("/*service*/", "").replace('( { commands = ["read"]; } )', '( { commands = ["read"]; units = [1]; }, { commands = ["write"]; units = [2]; } )')
    box = box.replace("/*box*/", 'time = ["10.99.0.5", "10.99.0.15", "10.99.0.6"]; terminals = ["10.99.0.20", "10.99.0.21"];')
    other = site.replace("/*zone*/", "# a remark\n").replace('["read", "web"]', '["web", "read"]').replace('"10.10.0.0/16"', '"10.10.0.0/17", "10.10.128.0/17"')
    other = other.replace("/*conduit*/", 'mode = "enforce"; sources = ["10.10.0.0/16"]; weak_tls = "report"; when_down = "closed"; criticality = "support";')
    other = other.replace('{ commands = ["read"]; units = [1]; }, { commands = ["write"]; units = [2]; }', '{ commands = ["write"]; units = [2]; }, { commands = ["read"]; units = [1]; }')
    turned = box.replace('"10.99.0.5", "10.99.0.15"', '"10.99.0.15", "10.99.0.5"').replace('"10.99.0.20", "10.99.0.21"', '"10.99.0.21", "10.99.0.20"')
    done = run("diff", "--json", write("old", site, box), write("new", other, turned))
    verdict("what means the same", "" if other != site and turned != box and done.returncode == 0 and json.loads(done.stdout) == {"same": True, "same_meaning": True, "meaning": [], "changes": []} else done.stdout)
    done = run("diff", write("old", site, box), write("new", site.replace("zones", "zonen"), box))
    verdict("a policy with mistakes", "" if done.returncode == 2 and done.stdout == "" else done.stdout)
    twice = site.replace('from = "crane"; to = "office"; /*never*/ }', 'from = "crane"; to = "office"; label = "x"; }, { from = "crane"; to = "office"; }')
    done = json.loads(run("diff", "--json", write("old", site, box), write("new", twice, box)).stdout)["changes"]
    verdict("one more `never` of the same zones", "" if [(c["change"], c.get("settings", {}).get("label")) for c in done] == [("added", "x")] else done)
    with open(os.path.join(work.name, "alone.cfg"), "w", encoding="utf-8") as f:
        f.write(site)
    done = run("diff", "--lang", "en", os.path.join(work.name, "alone.cfg"), write("new", site, box))
    verdict("a box.cfg that one of them alone has", "" if done.returncode == 1 and 'interface "adm0": new in the policy' in done.stdout else done.stdout)


tables()
rows()
nothing()
print("%d passed, %d failed" % (count[True], count[False]))
sys.exit(count[False] > 0)
