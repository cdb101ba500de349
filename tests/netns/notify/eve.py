# SPDX-License-Identifier: Apache-2.0
"""Records in the form of EVE: each line as docs/eve.schema.json has it, and the same thing said as the box's own record says."""
import contextlib
import json
import os
import signal
import socket

import jsonschema

import modbus
import serving
from box import TOP, conduit
from cases import expect
from net import inside, wait_for

SCHEMA = os.path.join(TOP, "docs", "eve.schema.json")
PLC, OFFICE = "10.73.0.2", "10.71.0.2"


def lines(box, *options):
    out = box.sekisho("events", "--eve", *options).stdout
    return [json.loads(x) for x in out.splitlines()]


def judge():
    with open(SCHEMA, encoding="utf-8") as f:
        schema = json.load(f)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def happen(box):
    """Something of every kind: a refused command, refused packets of both families, bytes that are no Modbus, a role that died, rules changed from outside."""
    box.apply(conduit("reads", "it", "ot", ["read"], label="読み取り"))
    with inside(box.ns("ot")):
        listener = socket.create_server((PLC, 502))
    with listener:
        serving.each(listener, modbus.answer)
        for sent in (modbus.read_holding(0, 1) + modbus.write_register(5, 9), b"GET / HTTP/1.0\r\n\r\n"):
            with modbus.connect(box.ns("it"), PLC, 502) as s, contextlib.suppress(OSError):
                s.sendall(sent)
                while s.recv(4096):
                    pass
    with inside(box.ns("ops")):
        for family, to in ((socket.AF_INET, PLC), (socket.AF_INET6, "2001:db8:73::2")):
            with socket.socket(family, socket.SOCK_DGRAM) as s:
                s.sendto(b"x", (to, 7))
    # What the tap has not handed on dies with it.
    wait_for(lambda: "drop" in {e["kind"] for e in box.events()}, 15, "a record of the refused packets")
    os.kill(box.pids("tap")[0], signal.SIGKILL)
    wait_for(box.running, 20, "the tap again")


def every_record(box):
    """Every line is as the schema has it, and says of ends, ports, interface, verdict and time what the record says."""
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
    """Filters, --limit and --lang mean what they mean without --eve; numbers of signatures stay the same."""
    some = lines(box, "--verdict", "deny", "--limit", "3")
    expect(0 < len(some) <= 3 and all(x["sekisho"]["verdict"] == "deny" for x in some), "%s", some)
    expect(lines(box, "--verdict", "deny", "--limit", "3", "--lang", "ja") == lines(box, "--verdict", "deny", "--limit", "3", "--lang", "en"), "a language in it")
    numbers = {}
    for x in lines(box, "--after", "0", "--limit", "10000"):
        if "alert" in x:
            numbers.setdefault(x["alert"]["signature_id"], set()).add(x["alert"]["signature"])
    expect(numbers and all(len(s) == 1 for s in numbers.values()), "%s", numbers)
    return "%d signatures" % len(numbers)


CASES = (every_record, as_events_are_chosen)
