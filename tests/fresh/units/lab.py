# SPDX-License-Identifier: Apache-2.0
"""Three hosts behind three cards of the box, in namespaces of this machine: what docs/install.md
has as its example."""
import os
import subprocess

from tools import check, must, run, wait_for

HOSTS = (("admin", "enp1s0", "10.99.0.9/24", "10.99.0.1"), ("office", "enp2s0", "10.10.0.20/16", "10.10.0.1"),
         ("crane", "enp3s0", "10.30.1.10/22", "10.30.0.1"))
# addresses such as a machine that is in use has
OWN = {card: "198.51.100.%d/28" % (16 * n + 1) for n, (_, card, _, _) in enumerate(HOSTS)}
SESSIONS = "/srv/units/sessions.py"


def cable():
    for name, card, address, gateway in HOSTS:
        for command in ("ip netns add %s" % name, "ip link add %s type veth peer name eth0 netns %s" % (card, name),
                        "ip -n %s addr add %s dev eth0" % (name, address), "ip -n %s link set eth0 up" % name, "ip -n %s link set lo up" % name,
                        "ip -n %s route add default via %s" % (name, gateway), "ip addr add %s dev %s" % (OWN[card], card),
                        "ip link set %s up" % card):
            must(*command.split())


def reads():
    """One Modbus request from the office, answered by a server at the crane."""
    server = subprocess.Popen(["ip", "netns", "exec", "crane", "/usr/bin/python3", "-B", SESSIONS, "serve", "10.30.1.10"])
    try:
        wait_for(lambda: ":01F6" in run("cat", "/proc/net/tcp", ns="crane")[1], 20)
        code = run("timeout", "4", "/usr/bin/python3", "-c",
                   "import socket; s = socket.create_connection(('10.30.1.10', 502), 2); s.sendall(bytes([0,1,0,0,0,6,1,3,0,0,0,1])); "
                   "s.settimeout(2); assert len(s.recv(64)) > 8", ns="office", timeout=30)[0]
    finally:
        server.kill()
        server.wait()
    return code == 0


def enduring():
    """The guide's three cards with a policy under which sessions outlive a daemon (`when_down`,
    `when_midstream`)."""
    os.makedirs("/root/lab", exist_ok=True)
    with open("/root/lab/box.cfg", "w", encoding="utf-8") as f:
        f.write('language_version = 1;\ninterfaces = {\n  adm0 = { device = "enp1s0"; role = "admin"; addresses = ["10.99.0.1/24"]; };\n'
                '  lan0 = { device = "enp2s0"; addresses = ["10.10.0.1/16"]; };\n  lan1 = { device = "enp3s0"; addresses = ["10.30.0.1/22"]; };\n};\n')
    with open("/root/lab/site.cfg", "w", encoding="utf-8") as f:
        f.write('language_version = 1;\nsite = { name = "machine"; };\n'
                'zones = {\n  office = { interfaces = ["lan0"]; networks = ["10.10.0.0/16"]; class = "it"; };\n'
                '  crane = { interfaces = ["lan1"]; networks = ["10.30.0.0/22"]; class = "ot"; };\n};\n'
                'services = {\n  plain = { protocol = "tcp"; ports = ["tcp/9000"]; };\n'
                '  read = { protocol = "modbus"; ports = ["tcp/502"]; allow = ( { commands = ["read"]; units = [1]; holding = ["0-99"]; } ); };\n};\n'
                'conduits = ( { name = "c"; from = "office"; to = "crane"; services = ["plain", "read"]; purpose = "t"; owner = "t"; '
                'review_by = "2099-01-01"; when_down = "hold"; when_overloaded = "hold"; when_midstream = "pick_up"; } );\n')
    code, text = run("sekisho", "apply", "/root/lab/site.cfg")
    check("another policy, with sessions that outlive a daemon", code == 0, text[-500:] if code else "")


STEPS = (cable,)
