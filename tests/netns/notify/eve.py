# SPDX-License-Identifier: Apache-2.0
"""Records in EVE format: each line matches docs/eve.schema.json, and says the same as the box's own
record."""
import contextlib
import glob
import json
import os
import signal
import socket

import jsonschema

import modbus
import serving
from box import TOP, conduit
from cases import Skip, expect
from eve_schema import judge
from net import inside, wait_for

PLC, OFFICE = "10.73.0.2", "10.71.0.2"


def lines(box, *options):
    out = box.sekisho("events", "--eve", *options).stdout
    return [json.loads(x) for x in out.splitlines()]


def happen(box):
    """Causes an event of every kind: a refused command, refused packets over IPv4 and IPv6, bytes
    that are no Modbus, a role that died, rules that another program changed."""
    box.apply(conduit("reads", "it", "ot", ["read"], label="読み取り"))
    with inside(box.ns("ot")):
        listener = socket.create_server((PLC, 502))
    with listener:
        serving.each(listener, modbus.answer)
        for sent in (modbus.read_holding(0, 1) + modbus.write_register(5, 9), b"GET / HTTP/1.0\r\n\r\n"):
            with modbus.connect(box.ns("it"), PLC, 502, timeout=5) as s, contextlib.suppress(OSError):
                s.sendall(sent)
                while s.recv(4096):
                    pass
    with inside(box.ns("ops")):
        for family, to in ((socket.AF_INET, PLC), (socket.AF_INET6, "2001:db8:73::2")):
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.sendto(b"x", (to, 7))
    # Events that the tap has not passed on yet are lost when the tap is killed.
    wait_for(lambda: "drop" in {e["kind"] for e in box.events()}, 15, "a record of the refused packets")
    os.kill(box.pids("tap")[0], signal.SIGKILL)
    wait_for(box.running, 20, "the tap again")


def every_record(box):
    """Every line matches the schema, and has the ends, ports, interface, verdict and time of the
    record."""
    happen(box)
    wait_for(lambda: {"drop", "pdu", "flow", "role", "policy"} <= {e["kind"] for e in box.events()}, 15, "records of all kinds")
    own = {e["seq"]: e for e in box.events()}
    said, validator = lines(box, "--after", "0", "--limit", "10000"), judge()
    expect([x["sekisho"]["seq"] for x in said][:len(own)] == sorted(own), "not the same records")
    for x in said:
        wrong = list(validator.iter_errors(x))
        expect(not wrong, "%s: %s", wrong[:1], x)
        e = own.get(x["sekisho"]["seq"])
        if e is None:
            continue
        expect(x["sekisho"] == {k: v for k, v in e.items() if k not in ("prev", "hash")}, "%s", x)
        expect(x["timestamp"] == e["time"].replace("Z", "000+0000"), "%s", x["timestamp"])
        client, server = ("dest", "src") if e.get("direction") == "s2c" else ("src", "dest")
        for key, side in (("client", client), ("server", server)):
            if key in e:
                port = x.get(side + "_port")
                ip = x[side + "_ip"]
                expect(e[key] == (ip if port is None else ("[%s]:%d" if ":" in ip else "%s:%d") % (ip, port)), "%s: %s", key, x)
        expect(("interface" in e) == ("in_iface" in x) and x.get("in_iface") == e.get("interface"), "%s", x)
        if "alert" in x:
            expect((x["alert"]["action"] == "blocked") == (e.get("verdict") == "deny"), "%s", x)
            expect({"serious": 1, "warning": 2, "notice": 3}[e["severity"]] == x["alert"]["severity"], "%s", x)
    write = next(x for x in said if x["sekisho"].get("function_name") == "write_single_register")
    expect(write["event_type"] == "alert" and write["app_proto"] == "modbus" and write["src_ip"] == OFFICE and write["dest_port"] == 502
           and write["proto"] == "TCP" and write["sekisho"]["reason"] in write["alert"]["signature"], "%s", write)
    died = next(x for x in said if x["sekisho"].get("code") == "died")
    expect(died["event_type"] == "alert" and died["alert"]["severity"] == 2 and "src_ip" not in died, "%s", died)
    types = {x["event_type"] for x in said}
    expect({"drop", "alert", "engine"} <= types and any(":" in x.get("src_ip", "") for x in said), "%s", types)
    return "%d lines: %s" % (len(said), ", ".join(sorted(types)))


def as_events_are_chosen(box):
    """Filters, --limit and --lang work as without --eve. The numbers of signatures stay the
    same."""
    some = lines(box, "--verdict", "deny", "--limit", "3")
    expect(0 < len(some) <= 3 and all(x["sekisho"]["verdict"] == "deny" for x in some), "%s", some)
    expect(lines(box, "--verdict", "deny", "--limit", "3", "--lang", "ja") == lines(box, "--verdict", "deny", "--limit", "3", "--lang", "en"), "a language in it")
    numbers = {}
    for x in lines(box, "--after", "0", "--limit", "10000"):
        if "alert" in x:
            numbers.setdefault(x["alert"]["signature_id"], set()).add(x["alert"]["signature"])
    expect(numbers and all(len(s) == 1 for s in numbers.values()), "%s", numbers)
    return "%d signatures" % len(numbers)


def suricatas_own():
    """The schema from Suricata's sources (etc/schema.json): the file that SEKISHO_SURICATA_SCHEMA
    names, or that of its unpacked or installed package. No copy is kept here."""
    places = (os.path.join(TOP, "build", "backports", "usr", "share", "**", "schema.json"), "/usr/share/doc/suricata/**/schema.json", "/usr/share/suricata/**/schema.json")
    found = [os.environ[v] for v in ("SEKISHO_SURICATA_SCHEMA",) if os.environ.get(v)]
    found += [p for place in places for p in glob.glob(place, recursive=True)]
    if not found:
        raise Skip("Suricata's own schema is not here: its package does not bring it; SEKISHO_SURICATA_SCHEMA names etc/schema.json of its sources")
    with open(found[0], encoding="utf-8") as f:
        return json.load(f)


def listens():
    """None while another socket listens there."""
    try:
        return socket.create_server((PLC, 502))
    except OSError:
        return None


def crane(s):
    """A crane whose client ends the session."""
    with contextlib.suppress(OSError):
        modbus.answer(s)


def of_every_type(box):
    """Besides the events above: a session that passes, from its beginning, and a request with a
    wrong length."""
    main = box.write(conduit("reads", "it", "ot", ["read"]))
    with open(main, encoding="utf-8") as f:
        text = f.read().replace('name = "test"; }', 'name = "test"; record_passed = true; }')
    with open(main, "w", encoding="utf-8") as f:
        f.write(text)
    box.sekisho("apply", main)
    # The thread of the earlier listener may still wait in accept.
    with inside(box.ns("ot")):
        listener = wait_for(listens, 10, "the port of the crane")
    with listener:
        serving.each(listener, crane)
        for sent in (modbus.read_holding(0, 1), modbus.read_holding(0, 1) + b"\0\7\0\0\xff\xff\1\3\0\0\0\1"):
            with modbus.connect(box.ns("it"), PLC, 502) as s, contextlib.suppress(OSError):
                s.sendall(sent)
                s.recv(4096)
                s.recv(4096)
    wait_for(lambda: {"anomaly", "flow"} <= {x["event_type"] for x in lines(box, "--after", "0", "--limit", "10000")}, 20, "lines of all types")


def as_suricata_has_it(box):
    """Without our own member, each line is one that Suricata itself may write, and its types are
    Suricata's."""
    schema = suricatas_own()
    of_every_type(box)
    validator, said = jsonschema.Draft202012Validator(schema), lines(box, "--after", "0", "--limit", "10000")
    for x in said:
        theirs = {k: v for k, v in x.items() if k != "sekisho"}
        wrong = list(validator.iter_errors(theirs))
        expect(not wrong, "%s: %s", wrong[:1], theirs)
        expect(x["event_type"] in ("alert", *schema["properties"]), "a type of ours: %s", x["event_type"])
    # The schema refuses unknown members, which shows that the check works.
    expect(list(validator.iter_errors(dict(said[0], sekisho={}))) and list(validator.iter_errors({"event_type": "drop"})), "it takes anything")
    types = {x["event_type"] for x in said}
    expect({"drop", "alert", "engine", "anomaly", "flow"} <= types, "%s", types)
    return "%d lines: %s" % (len(said), ", ".join(sorted(types)))


CASES = (every_record, as_events_are_chosen, as_suricata_has_it)
