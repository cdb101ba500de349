# SPDX-License-Identifier: Apache-2.0
"""Tests sessions with `sekisho replay`, under their own name and under every other one."""
import json
import os
import subprocess

import streams

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(TOP, "build", "names")
PLAIN = ("tcp", "udp", "icmp")  # these names promise nothing about the data


def names(sekisho):
    """Every name that a policy may use and that promises something: {name: transports}."""
    done = subprocess.run([sekisho, "protocols", "--json"], check=True, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C.UTF-8"})
    return {p["protocol"]: p["transports"] for p in json.loads(done.stdout)["protocols"] if p["protocol"] not in PLAIN}


def own(wanted, known):
    """The first of these names that a policy may use; "-" if there is none."""
    return next((n for n in wanted.split() if n in known), "-")


def policy(known):
    """A policy with one server for each name, whose conduit allows only that name, on every
    port."""
    rows = ['language_version = 1;', 'site = { name = "names"; };', 'zones = {',
            '  here  = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; owner = "IT"; };',
            '  there = { interfaces = ["lan1"]; networks = ["10.30.0.0/16"]; class = "ot"; owner = "OT"; };', '};', 'services = {']
    rows += ['  s_%s = { protocol = "%s"; };' % (n, n) for n in known]
    rows += ['};', 'conduits = (', ',\n'.join(
        '  { name = "%s"; from = "here"; to = "there"; destinations = ["10.30.0.%d"]; services = ["s_%s"];\n'
        '    purpose = "names"; owner = "OT"; review_by = "2099-03-31"; }' % (n, i + 1, n) for i, n in enumerate(known)), ');', '']
    return "\n".join(rows)


class Trial:
    """Flows that are tested together with the policy. `add` adds a flow, `run` yields it with its
    result."""

    def __init__(self, sekisho, label, step=10**6):
        self.sekisho, self.known = sekisho, names(sekisho)
        os.makedirs(OUT, exist_ok=True)
        self.path, self.cfg = os.path.join(OUT, label + ".pcap"), os.path.join(OUT, "names.cfg")
        with open(self.cfg, "w", encoding="utf-8") as f:
            f.write(policy(self.known))
        self.servers = {n: bytes((10, 30, 0, i + 1)) for i, n in enumerate(self.known)}
        self.writer, self.step, self.flows = streams.Writer(self.path), step, []

    def judges(self, name, l4):
        return ("tcp" if l4 == streams.TCP else "udp") in self.known[name]

    def add(self, what, name, session, turns):
        n = len(self.flows)
        self.flows.append(what)
        client, port = bytes((10, 10, n // 60000, 1 + n // 60000 % 250)), 2000 + n % 60000
        self.writer.flow(session.l4, client, port, self.servers[name], session.port, turns, self.step)

    def run(self):
        """(what, flow) for each; a flow is None when replay saw nothing of it."""
        self.writer.close()
        done = subprocess.run([self.sekisho, "replay", "--json", "--as-box", "--policy", self.cfg, "--pcap", self.path],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode not in (0, 1, 3):
            raise RuntimeError("replay: %s" % done.stderr.decode()[-500:])
        told = {}
        for line in done.stdout.splitlines():
            if line.startswith(b'{"type":"flow"'):
                o = json.loads(line)
                told[o["client"]] = o
        for n, what in enumerate(self.flows):
            yield what, told.get("10.10.%d.%d:%d" % (n // 60000, 1 + n // 60000 % 250, 2000 + n % 60000))


def refused(flow):
    return flow is None or flow["verdict"] in ("deny", "unjudged")


def passed(flow):
    """Whether something of the flow passed. Datagrams with commands are refused one by one, and
    their flow goes on."""
    if refused(flow):
        return False
    return flow["transport"] == "tcp" or flow["reason"] != "allowed" or flow["pdus"] > flow["denied_pdus"]


def known_as(flow):
    """Whether the flow passed, and its name was found."""
    return passed(flow) and flow["protocol"] != "unknown"
