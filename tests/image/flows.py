# SPDX-License-Identifier: Apache-2.0
"""Ten thousand sessions at the same time through the image's machine. They are real: clients in the
office open them, a server in the crane accepts them and sends something in each, and both ends keep
them open. A tenth is Modbus, and inspected: each has asked for a register and got its answer."""
import re
import resource
import select
import socket
import subprocess
import time

import modbus
from cases import expect
from machine import PATIENCE
from net import inside, wait_for
from surroundings import POLICY, figures

PLAIN, INSPECTED, AT_ONCE, PORT = 9000, 1000, 100, 5001
# several clients, because a pair of hosts has its limit (4,096 sessions)
CLIENTS = ["10.10.0.%d" % n for n in range(21, 24)]
# The server runs in a process of its own, because the descriptors of a process are limited.
SERVER = """import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
listener, held = socket.create_server(("10.30.1.10", int(sys.argv[1])), backlog=1000), []
while True:
    held.append(listener.accept()[0])
    held[-1].send(b"!")
"""
WIDER = POLICY.replace("services = {", 'services = { bulk = { protocol = "tcp"; ports = ["tcp/%d"]; };' % PORT).replace('services = ["plc_read"]', 'services = ["plc_read", "bulk"]')


def batch(ns, port, number):
    """Opens `number` sessions at the same time. Every one has to be opened; those to SERVER also
    have to get its byte."""
    found, waiting, poll = [], {}, select.poll()
    with inside(ns):
        for n in range(number):
            s = socket.socket()
            s.setblocking(False)
            s.bind((CLIENTS[n % len(CLIENTS)], 0))
            s.connect_ex(("10.30.1.10", port))
            waiting[s.fileno()] = s
            poll.register(s, select.POLLIN if port == PORT else select.POLLOUT)
    end = time.monotonic() + 60 * PATIENCE
    while waiting and end > time.monotonic():
        for fd, _ in poll.poll(1000):
            poll.unregister(fd)
            s = waiting.pop(fd)
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            expect(error == 0 and (port != PORT or s.recv(2) == b"!"), "a session was not opened: %d", error)
            found.append(s)
    expect(not waiting, "%d of %d sessions were not opened", len(waiting), number)
    return found


def answered(sessions):
    for s in sessions:
        s.settimeout(60 * PATIENCE)
        s.sendall(modbus.read_holding(0, 1))
    return all(modbus.answer(s)[7:9] == b"\x03\x02" for s in sessions)


def held(m, site, work):
    """Applies a policy that allows this many sessions, and opens them. Forbidden frames do not pass
    meanwhile."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    before = figures(m).rsplit("; ", 1)[1]
    with open(work + "/site.cfg", "w", encoding="utf-8") as f:
        f.write(WIDER)
    subprocess.run(["mcopy", "-o", "-i", site.stick, work + "/site.cfg", "::site.cfg"], check=True)
    expect("site.cfg" in m.ask("load"), "the stick was not read")
    m.ask("apply", 120)
    m.ask("confirm")
    for address in CLIENTS:
        subprocess.run(["ip", "-n", site.office, "address", "add", address + "/16", "dev", "card"], check=True)
    server, mine = site.net.spawn(["/usr/bin/python3", "-c", SERVER, PORT], site.crane), []
    wait_for(lambda: ":%04X" % PORT in subprocess.run(["ip", "netns", "exec", site.crane, "cat", "/proc/net/tcp"], check=True, stdout=subprocess.PIPE, text=True).stdout, 20, "the server")
    try:
        for port, number in ((PORT, PLAIN), (502, INSPECTED)):
            for _ in range(number // AT_ONCE):
                mine += batch(site.office, port, AT_ONCE)
                if port == 502:
                    expect(answered(mine[-AT_ONCE:]), "an inspected session has no answer")
        said = " ".join(m.ask("flows --limit 1", 120).split())
        number = re.search(r"of (\d+) sessions are shown .* of (\d+) in all", said)
        expect(number and int(number.group(2)) >= PLAIN + INSPECTED, "%s", said)
        site.table()
        return "%s sessions at a time, of them %d inspected: %s; at rest %s" % (number.group(2), INSPECTED, figures(m).rsplit("; ", 1)[1], before)
    finally:
        site.net.stop(server)
        for s in mine:
            s.close()
