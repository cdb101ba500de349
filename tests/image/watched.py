# SPDX-License-Identifier: Apache-2.0
"""What the image's box watches in what it lets pass: a server that chooses weak TLS, a conduit that
falls silent. Records and alarms are read at the console, which folds them to its width."""
import contextlib
import os
import select
import subprocess
import time

from cases import expect
from machine import PATIENCE
from net import wait_for
from surroundings import POLICY, events_say

WATCHED = POLICY.replace("services = {", 'services = { web = { protocol = "tls"; ports = ["tcp/443"]; };').replace(
    'review_by = "2099-03-31"; }', 'review_by = "2099-03-31"; heard_within = "30 s"; },\n  { name = "office-opens-hmi"; from = "office"; to = "crane"; destinations = ["rtg01"]; '
    'services = ["web"]; purpose = "screens"; owner = "IT"; review_by = "2099-03-31";%s }')
WEAK = "10.30.1.10:443: a version below TLS 1.2"
SILENT = "SILENT conduit office-reads-rtg01: nothing heard since"


def policy(m, site, work, text):
    with open(work + "/site.cfg", "w", encoding="utf-8") as f:
        f.write(text)
    subprocess.run(["mcopy", "-o", "-i", site.stick, work + "/site.cfg", "::site.cfg"], check=True)
    expect("site.cfg" in m.ask("load"), "the stick was not read")
    said = m.ask("apply", 180)
    expect("In force" in said, "%s", said)
    m.ask("confirm")


def status(m):
    return " ".join(m.ask("status --all").split())


@contextlib.contextmanager
def hmi(site, work, *options):
    """openssl s_server at the crane: it answers each line with the line backwards."""
    if not os.path.exists(work + "/hmi.pem"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", work + "/hmi.key", "-out", work + "/hmi.pem", "-days", "30", "-subj", "/CN=hmi"],
                       check=True, stderr=subprocess.DEVNULL)
    server = site.net.spawn(["openssl", "s_server", "-accept", "10.30.1.10:443", "-key", work + "/hmi.key", "-cert", work + "/hmi.pem", "-rev", "-quiet", *options], site.crane)
    try:
        wait_for(lambda: ":443 " in subprocess.run(["ip", "netns", "exec", site.crane, "ss", "-Hltn"], check=True, stdout=subprocess.PIPE, text=True).stdout, 20, "openssl s_server")
        yield
    finally:
        site.net.stop(server)


def opened(site):
    """Whether a client in the office that accepts any TLS gets an answer from the server."""
    p = subprocess.Popen(["ip", "netns", "exec", site.office, "openssl", "s_client", "-connect", "10.30.1.10:443", "-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said, until = b"", time.monotonic() + 60 * PATIENCE
    try:
        with contextlib.suppress(BrokenPipeError):
            p.stdin.write(b"sekisho\n")
            p.stdin.flush()
        while b"ohsikes" not in said and time.monotonic() < until:
            if select.select([p.stdout], [], [], 1)[0]:
                more = os.read(p.stdout.fileno(), 65536)
                if not more:
                    break
                said += more
    finally:
        p.kill()
        p.communicate()
    return b"ohsikes" in said


def watched(m, site, work):
    """Weak TLS causes an alarm, and then is denied. A conduit that is expected to carry something
    causes an alarm while it carries nothing. Nothing else is disturbed."""
    old = ["-tls1", "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0"]
    policy(m, site, work, WATCHED % "")
    site.table()
    with hmi(site, work, *old):
        expect(opened(site), "weak TLS that nobody denies has no session")
        wait_for(lambda: WEAK in status(m), 60 * PATIENCE, "weak TLS in status")
        site.table()
        policy(m, site, work, WATCHED % ' weak_tls = "deny";')
        expect("weak versions and cipher suites are denied" in " ".join(m.ask("effective").split()), "effective does not say it")
        expect(not opened(site), "weak TLS that is denied has a session")
    said = "".join(m.ask("events --json --kind weak --limit 10").split())
    expect('"reason":"tls.weak"' in said and '"reason":"tls.weak_denied"' in said, "%s", said)
    with hmi(site, work, "-tls1_3"):
        expect(opened(site), "good TLS has no session")
    # From here on nobody reads the crane. The forbidden frames must not count as use of the
    # conduit.
    site.read()
    wait_for(lambda: SILENT not in status(m), 60 * PATIENCE, "no silence yet")
    began = time.monotonic()
    wait_for(lambda: SILENT in status(m), 180 * PATIENCE, "silence in status")
    seconds = time.monotonic() - began
    events_say(m, "AN EXPECTED CONDUIT IS SILENT")
    site.table()
    wait_for(lambda: SILENT not in status(m), 60 * PATIENCE, "the end of silence in status")
    events_say(m, "a silent conduit is heard again")
    expect("EQUAL" in m.ask("verify"), "verify finds something")
    site.table()
    return "silent after %.0f s of the host" % seconds
