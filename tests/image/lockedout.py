# SPDX-License-Identifier: Apache-2.0
"""Mistakes that take the box from its administrators, at the image's console and its admin card: a
trial ends by itself, also over a power cut; what was confirmed is taken back at the console."""
import contextlib
import re
import socket
import ssl
import subprocess

from cases import expect
from machine import PATIENCE
from net import inside, wait_for
from surroundings import BOX, POLICY, log_in, open_ports

TRIAL = "apply --confirm 40 /etc/sekisho/site.cfg"
VLAN = 'vlan = 4094; role = "admin"'


def manages(site):
    return open_ports(site.adm, BOX["adm"], [443], 5.0) == [443]


def put(m, site, work, name, text):
    """Loads a file of the policy into the box from the stick."""
    with open(work + "/" + name, "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run(["mcopy", "-o", "-i", site.stick, work + "/" + name, "::" + name], check=True)
    said = m.ask("load")
    expect("taken: " + name in said, "the stick was not read: %s", said)


def cards(m, site):
    """The box.cfg that the box has now."""
    m.ask("save")
    return subprocess.run(["mcopy", "-n", "-i", site.stick, "::box.cfg", "-"], check=True, stdout=subprocess.PIPE, text=True).stdout


def session(site):
    """An administrator's connection to the pages. Reading from it shows whether it still lives."""
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    c.check_hostname, c.verify_mode = False, ssl.CERT_NONE
    with inside(site.adm):
        s = socket.create_connection((BOX["adm"], 443), 60 * PATIENCE)
    return c.wrap_socket(s)


def asks(s):
    try:
        s.sendall(b"HEAD / HTTP/1.1\r\nHost: %s\r\n\r\n" % BOX["adm"].encode())
        return s.recv(4096).startswith(b"HTTP/1.1 ")
    except OSError:
        return False


def back(m, site, why):
    wait_for(lambda: manages(site), 180 * PATIENCE, "the management after " + why)
    site.table()
    wait_for(lambda: "ENFORCING" in m.ask("status --all"), 60 * PATIENCE, "the policy of before")


def own_session_cut(m, site, work):
    """Another host is the only terminal: the administrator's session ends with the apply, and
    nobody confirms."""
    before = cards(m, site)
    wait_for(lambda: manages(site), 60 * PATIENCE, "the management")
    with contextlib.closing(session(site)) as s:
        expect(asks(s), "an administrator's session has no answer")
        put(m, site, work, "box.cfg", before + '\nterminals = ["10.99.0.77"];\n')
        m.ask(TRIAL, 120)
        s.settimeout(5)
        expect(not asks(s) and not manages(site), "the management answers a host that is no terminal")
    site.table()
    back(m, site, "a trial that cut its own administrator")
    put(m, site, work, "box.cfg", before)


def nobody_confirms(m, site, work):
    """A policy without the conduit: the office reads nothing until the trial is over."""
    put(m, site, work, "site.cfg", re.sub(r"conduits = \(.*?\);\n", "conduits = ();\n", POLICY, flags=re.S))
    m.ask(TRIAL, 120)
    expect(not site.reads(), "the office reads without a conduit")
    back(m, site, "a trial that nobody confirmed")
    said = " ".join(m.ask("status --all").split())
    expect("site.cfg" in said, "status does not say that the file differs: %s", said)
    put(m, site, work, "site.cfg", POLICY)


def wrong_vlan(m, site, work):
    """The admin card on a VLAN that the switch does not have. Once nobody confirms; once the power
    fails meanwhile."""
    before = cards(m, site)
    wrong = before.replace('role = "admin"', VLAN)
    expect(wrong != before, "box.cfg has no admin card: %s", before)
    put(m, site, work, "box.cfg", wrong)
    m.ask(TRIAL, 120)
    expect(not manages(site), "the management answers without a VLAN")
    site.table()
    back(m, site, "a trial of the wrong VLAN")
    m.ask(TRIAL.replace("40", "900"), 120)
    expect(not manages(site), "the management answers without a VLAN")
    m.cut()
    m.start()
    log_in(m)
    back(m, site, "a trial of the wrong VLAN and a power cut")
    put(m, site, work, "box.cfg", before)


def confirmed_at_the_console(m, site, work):
    """The same VLAN, but somebody confirms it at the console, which works as before. One command
    there brings the administrators back."""
    put(m, site, work, "box.cfg", cards(m, site).replace('role = "admin"', VLAN))
    m.ask(TRIAL, 120)
    m.ask("confirm")
    expect(not manages(site), "the management answers without a VLAN")
    expect("ENFORCING" in m.ask("status --all"), "not enforcing")
    m.ask("rollback", 120)
    back(m, site, "the console's rollback")
    expect("EQUAL" in m.ask("verify"), "verify finds something")


CASES = own_session_cut, nobody_confirms, wrong_vlan, confirmed_at_the_console
