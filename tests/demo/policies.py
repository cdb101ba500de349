# SPDX-License-Identifier: Apache-2.0
"""What the demonstration does to the policy itself: a typo, a broken `never`, a narrowed policy
under a live session, the admin terminal's own page. Each yields one row: who, to whom, what,
expected, got, reason, line, leaked."""
import http.client
import os
import re
import socket
import ssl
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import modbus  # noqa: E402
from net import SLOWNESS, receiving_sockets, wait_for  # noqa: E402
from terminal import ADMIN_BOX, RUN  # noqa: E402


def variant(t, name, change):
    """The demonstration policy with one change, in a folder of its own."""
    folder = os.path.join(RUN, "policy-" + name)
    os.makedirs(folder, exist_ok=True)
    here = os.path.dirname(t.policy)
    with open(os.path.join(here, "box.cfg"), encoding="utf-8") as f, \
            open(os.path.join(folder, "box.cfg"), "w", encoding="utf-8") as g:
        g.write(f.read())
    with open(t.policy, encoding="utf-8") as f:
        text = f.read()
    changed = change(text)
    assert changed != text, "the variant %s changes nothing" % name
    path = os.path.join(folder, "site.cfg")
    with open(path, "w", encoding="utf-8") as f:
        f.write(changed)
    return path


def without_conduit(text, name):
    start = text.index('  { name = "%s"' % name)
    end = text.index("},\n", start) + 3
    return text[:start] + text[end:]


def digest(t):
    return t.status()["generation"]["digest"]


def refused(t):
    cases = (("typo", ("apply a policy with a typo", "誤字のあるポリシーを適用"),
              lambda s: s.replace("when_down", "when_dwon", 1)),
             ("never", ("apply one that breaks its own never", "自らの never に反するものを適用"),
              lambda s: s.replace('never = (', 'never = ( { from = "tos"; to = "crane"; commands = ["read"]; },')))
    for name, what, change in cases:
        before = digest(t)
        done = t.sekisho("apply", variant(t, name, change), check=False)
        text = done.stdout + done.stderr
        place = next((line for line in text.splitlines() if "site.cfg:" in line), "")
        good = done.returncode == 2 and digest(t) == before and place != ""
        yield "admin", "the box", what, "refused", "refused" if good else "status %d" % done.returncode, \
            "", place.strip().split(" ")[0].rstrip(":") if place else ""


def narrowed(t):
    """maint-sets-rtg01 is removed while its session lives: it is cut at once and both ends are
    told; the poller's session is not cut."""
    what = ("narrow the policy under a live session", "通信中のセッションの許可を取り消す")
    ns = t.net.ns("tos")
    session = modbus.connect(ns, "10.30.1.10", 502, "10.20.0.30")
    port = session.getsockname()[1]
    session.sendall(modbus.write_register(400, 1))
    if not modbus.answer(session):
        yield "tos-maint", "rtg01", what, "reset", "no session", "", "", 0
        return
    before = t.poller_counts("crane")
    path = variant(t, "narrow", lambda s: without_conduit(s, "maint-sets-rtg01"))
    t.sekisho("apply", path)
    since = time.monotonic()
    got, leaked = "passed", 0
    try:
        session.sendall(modbus.write_register(400, 0))
        got = "passed" if modbus.answer(session) else "reset"
    except (ConnectionResetError, BrokenPipeError):
        got = "reset"
    except socket.timeout:
        got = "silent"
    session.close()
    # the PLC was told, too: it serves one connection at a time, and takes the next one at once
    leaked += sum(1 for (s, sp, _, _), data in _streams(t, since).items() if s == "10.20.0.30" and sp == port and data)
    t.sekisho("apply", t.policy)
    again = modbus.connect(ns, "10.30.1.10", 502, "10.20.0.30", timeout=2.0)
    again.settimeout(2.0 * SLOWNESS)
    try:
        again.sendall(modbus.read_holding(0, 1))
        heard = bool(modbus.answer(again))
    except OSError:
        heard = False
    again.close()
    polls = wait_for(lambda: t.poller_counts("crane")["polls"] > before["polls"] + 3 and t.poller_counts("crane"), 5, "polls")
    if not heard:
        got = "PLC deaf"
    # under emulation the poller has errors also without the box
    elif SLOWNESS == 1 and polls["errors"] != before["errors"]:
        got = "poller hit"
    yield "tos-maint", "rtg01", what, "reset", got, "ended", "", leaked


def _streams(t, since):
    from net import tcp_streams
    return tcp_streams(t.captures["crane"].incoming(since))


def https(path, token=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(ADMIN_BOX, 443, timeout=5 * SLOWNESS, context=context)
    connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def expected_families():
    """The families of metrics.def, without those about which this box has nothing to say: it has no
    log or UPS server, no share that is half full, no trial, no systemd, and has not run for a
    day."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "mgmt", "web", "api", "metrics.def"), encoding="utf-8") as f:
        names = set(re.findall(r"^METRIC\((\w+),", f.read(), re.M))
    return {"sekisho_" + n for n in names if not re.match("log_|ups_|zone_|guard_|parsers_|trial_|reach_packets|worker_reasons|kernel_|disk_full_in_", n)}


def admin(t):
    with open(os.path.join(RUN, "state", "secrets", "token"), encoding="ascii") as f:
        token = f.read().strip()
    what = ("status over HTTPS with the token", "トークン付き HTTPS で状態を取得")
    yield "admin", ADMIN_BOX, what, "passed", "passed" if https("/api/v1/status", token)[0] == 200 else "refused"
    what = ("the same without a token", "トークンなしで同じ要求")
    yield "admin", ADMIN_BOX, what, "refused", "refused" if https("/api/v1/status")[0] == 401 else "passed"
    what = ("measurements for Prometheus: all is there and forwards", "Prometheus 用の計測値: 揃っており、転送中")
    status, text = https("/metrics", token)
    whole = status == 200 and "\nsekisho_forwarding 1\n" in text and expected_families() <= set(re.findall(r"^# TYPE (\w+)", text, re.M))
    yield "admin", ADMIN_BOX, what, "passed", "passed" if whole else "%d" % status
    what = ("verify: kernel and workers as compiled", "verify: カーネルと検査部がポリシーどおり")
    done = t.sekisho("verify", check=False)
    yield "admin", "the box", what, "passed", "passed" if done.returncode == 0 else "status %d" % done.returncode
    what = ("receiving sockets in the data namespace", "データ側の名前空間で受信するソケット")
    listening = receiving_sockets(t.net.ns("data"))
    yield "admin", "the box", what, "silent", "silent" if not listening else "%d found" % len(listening)
