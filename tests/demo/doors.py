# SPDX-License-Identifier: Apache-2.0
"""Two rows of the demonstration. A vendor's door, opened by a person, shuts by itself while no
daemon runs. IT is cut from OT, and the cranes go on. A door stays open for at least a minute, so it
is opened before everything else, and tried again when its time is nearly over."""
import calendar
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import modbus  # noqa: E402
from faults import daemon_dead  # noqa: E402
from net import SLOWNESS, wait_for  # noqa: E402
from tries import QUIET, arrived, ping, program, speak  # noqa: E402

VENDOR, BARRIER = "203.0.113.5", "10.40.0.10"
LEAST = 4.0  # seconds that remain when the daemon is killed


def knock(t):
    """Sends packets that are not inspected, so that they pass without a daemon as long as the
    kernel allows them."""
    return ping(t.net.ns("vendor"), BARRIER)()


def quietly(t, where, attempt, *came):
    """(what happened, what arrived at that interface)."""
    since = time.monotonic()
    return attempt(), arrived(*came)(t.captures[where].incoming(since))


def end_of_door(t):
    """When the open door shuts, in seconds since 1970; 0 if it is shut."""
    use = next((u for d in t.status()["doors"] for u in d["uses"] if u["open"]), None)
    return 0.0 if use is None else calendar.timegm(time.strptime(use["until"][:19], "%Y-%m-%dT%H:%M:%S"))


def opened(t):
    t.sekisho("open", "barrier_upkeep", "--for", "1m", "--name", "Tanaka", "--ticket", "4711")


def shuts_by_itself(t):
    """Returns the rows. `opened` has opened the door; if the machine has taken too long since then,
    it is opened once more."""
    if end_of_door(t) < time.time() + LEAST:
        opened(t)
    end = end_of_door(t)
    what = ("Modbus through the door that is open", "開いている臨時接続を通る Modbus")
    yield "vendor", "gate", what, "passed", speak(t.net.ns("vendor"), BARRIER, 502, [modbus.read_holding(0, 10)])()
    wait_for(lambda: time.time() > end - LEAST, 70, "the last seconds of the door")
    with daemon_dead(t):
        yield "vendor", "gate", ("ping, the daemon killed", "ping（デーモンを強制終了した後）"), "passed", knock(t)
        wait_for(lambda: knock(t) != "passed", LEAST + 10 * SLOWNESS, "the end of the door")
        early = time.time() < end - 1
        got, leaked = quietly(t, "gate", lambda: knock(t), VENDOR, None, 1)
        what = ("ping, its time over and still no daemon", "ping（期限後、デーモンは停止したまま）")
        yield "vendor", "gate", what, "silent", "too early" if early else got, "", "", leaked
    got, leaked = quietly(t, "gate", speak(t.net.ns("vendor"), BARRIER, 502, [modbus.read_holding(0, 10)], patience=QUIET), VENDOR)
    yield "vendor", "gate", ("Modbus, the daemon is back", "Modbus（デーモンの復帰後）"), "silent", got, "", "", leaked


def it_from_ot(t):
    """Returns the rows."""
    page = program(t.net.ns("office"), "curl", "-sk", "--max-time", str(SLOWNESS), "https://10.20.0.20/")
    before = t.poller_counts("crane")
    t.sekisho("isolate", "it_from_ot", "--reason", "demonstration")
    got, leaked = quietly(t, "tos", page, "10.10.0.5")
    yield "office", "tos-app", ("IT is cut from OT: the web page", "IT を OT から切り離し: 画面を開く"), "silent", got, "", "", leaked
    wait_for(lambda: t.poller_counts("crane")["polls"] > before["polls"] + 20, 5, "polls of the crane")
    after = t.poller_counts("crane")
    stops = after["trips"] - before["trips"] + after["errors"] - before["errors"]
    yield "tos-db", "rtg04", ("the crane is polled on, without a stop", "クレーンの監視は止まらず継続"), "passed", "passed" if stops == 0 else "interrupted"
    t.sekisho("rejoin", "it_from_ot", "--reason", "demonstration")
    yield "office", "tos-app", ("they rejoin: the web page", "隔離の解除後: 画面を開く"), "passed", page()
