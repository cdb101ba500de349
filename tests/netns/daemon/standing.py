# SPDX-License-Identifier: Apache-2.0
"""`status` and `effective` without a daemon: the state of the kernel, whoever set it."""
import hashlib
import json
import os
import signal

from box import conduit
from cases import expect
from net import sh, wait_for

READ = conduit("reads", "ops", "ot", ["read"])
WEB = conduit("web", "it", "ops", ["web"])


def content(folder):
    """Every file with its contents, to check that a reader changes none."""
    found = {}
    for at, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                found[path] = (hashlib.sha256(f.read()).hexdigest(), os.stat(path).st_mtime_ns)
    return found


def lasting(effective):
    """The part of the answer that stays the same between two questions, and is read from the kernel
    with and without a daemon."""
    cells = [{k: v for k, v in x.items() if k != "packets"} for x in effective["cells"]]
    conduits = [{k: v for k, v in x.items() if k != "last_match"} for x in effective["conduits"]]
    permits = [{k: v for k, v in x.items() if k != "last_match"} for x in effective["permits"]]
    # what a change waits to hear is known to the daemon alone
    generation = {k: v for k, v in effective["generation"].items() if k != "unheard"}
    return {"cells": cells, "conduits": conduits, "permits": permits, "limits": effective["limits"], "generation": generation}


def says(box, stands, status, *words):
    """Checks both languages, JSON and exit statuses in one state; nothing on the disk changes."""
    kept = content(box.run_folder + "/state")
    said = box.standing()
    expect(said["daemon"] is False and said["stands"] == stands, "%s, not %s: %s", said.get("stands"), stands, said)
    for lang, word in zip(("en", "ja"), words):
        done = box.sekisho("status", "--all", "--lang", lang, check=False)
        expect(done.returncode == 1 and word in done.stdout.splitlines()[0], "status in %s: %d %s", lang, done.returncode, done.stdout + done.stderr)
        done = box.sekisho("effective", "--lang", lang, check=False)
        expect(done.returncode == status and word in done.stdout.splitlines()[0], "effective in %s: %d %s", lang, done.returncode, done.stdout + done.stderr)
    effective = box.standing("effective")
    expect(effective["daemon"] is False and effective["stands"] == stands, "%s", effective)
    expect(content(box.run_folder + "/state") == kept, "somebody who only looks wrote")
    return said, effective


def what_stands_without_a_daemon(box):
    box.apply(READ, WEB)
    with_daemon, before = box.standing("effective"), box.status()
    box.kill()
    said, effective = says(box, "policy", 0, "NO DAEMON, RULES IN FORCE BUT NOT WATCHED", "デーモンは停止中です。ルールは有効です")
    expect(lasting(effective) == lasting(with_daemon), "%s\n%s", lasting(effective), lasting(with_daemon))
    expect(said["generation"]["number"] == before["generation"]["number"] and said["site"] == before["site"], "%s", said["generation"])
    expect({x["name"]: (x["link"], x["space"]) for x in said["interfaces"]} ==
           {x["name"]: (x["link"], x["space"]) for x in before["interfaces"]}, "%s", said["interfaces"])
    expect(said["kernel"]["forwarding"] and said["kernel"]["digest"] == before["kernel"]["digest"], "%s", said["kernel"])
    one = box.sekisho("effective", "--conduit", "web", "--lang", "en", check=False)
    expect(one.returncode == 0 and "web" in one.stdout and "reads" not in one.stdout, "one conduit: %s", one.stdout)
    expect(box.sekisho("effective", "--conduit", "webb", check=False).returncode == 2, "a conduit that is not there")
    for verb in ("history", "verify", "confirm"):
        expect(box.sekisho(verb, check=False).returncode == 3, "%s without a daemon", verb)


def a_trial_without_a_daemon(box):
    """The trial is still in force, is shown as a trial, and ends at the next start."""
    box.apply(READ, WEB)
    confirmed = box.status()["generation"]["number"]
    box.apply(READ, options=["--confirm", "600"])
    box.kill()
    said, effective = says(box, "policy", 0, "NO DAEMON", "デーモンは停止中")
    expect([x["generation"]["confirm_by"] for x in (said, effective)] == [None, None], "it ends without a daemon: %s", effective["generation"])
    expect(said["generation"]["number"] == confirmed + 1 and said["generation"]["state"] == "waiting", "%s", said["generation"])
    expect("it is not confirmed" in box.sekisho("status", "--all", "--lang", "en", check=False).stdout, "the trial is not named")
    box.start()
    wait_for(box.running, 5, "all roles")
    expect(box.status()["generation"]["number"] == confirmed, "%s", box.status()["generation"])


def other_things_that_stand(box):
    box.apply(READ)
    box.daemon.terminate()
    box.daemon.wait(timeout=5)
    state = box.run_folder + "/state"
    os.rename(state, state + ".away")
    os.mkdir(state)
    try:
        says(box, "unknown", 1, "rules of a policy that is not in the state folder", "状態フォルダーにないポリシー")
    finally:
        os.rmdir(state)
        os.rename(state + ".away", state)
    sh("nft", "delete", "table", "inet", "sekisho", ns=box.data)
    says(box, "open", 1, "FORWARDING IS ON", "転送が有効です")
    for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        sh("sh", "-c", "echo 0 >/proc/sys/net/" + name, ns=box.data)
    says(box, "closed", 1, "forwarding is off, so nothing passes", "何も通りません")
    sh(box.build + "/sekishod", "--base", "--data-netns", box.data, "--admin-netns", box.net.ns("admin"))
    said, _ = says(box, "base", 1, "NO POLICY IN FORCE", "有効なポリシーもありません")
    expect(said["generation"]["state"] == "none" and not said["kernel"]["forwarding"], "%s", said)
    note = box.run_folder + "/run/daemon"
    with open(note, encoding="utf-8") as f:
        kept = f.read()
    with open(note, "w", encoding="utf-8") as f:
        f.write(kept.replace(box.data, "skdaemon-nowhere"))
    says(box, "nothing", 1, "NO DAEMON, NO RULES", "ルールもありません")
    with open(note, "w", encoding="utf-8") as f:
        f.write(kept)
    os.chmod(note, 0o666)  # not only root can write it, so it is ignored
    expect("error" in box.standing(), "a note that anybody can write was believed")
    os.chmod(note, 0o644)
    with open(note, "w", encoding="utf-8") as f:
        f.write(kept.replace(box.data, "a/b"))
    bad = box.sekisho("status", "--all", "--lang", "en", check=False)
    expect(bad.returncode == 3 and "cannot be read" in bad.stderr, "%d %s", bad.returncode, bad.stderr)
    expect("error" in json.loads(box.sekisho("status", "--json", check=False).stdout), "its JSON")
    box.start()
    wait_for(box.running, 5, "all roles")
    box.apply(READ)
    expect(box.sekisho("verify", check=False).returncode == 0, "verify afterwards")


def ends_of_children_ignored(box):
    """A program inherits ignored signals from its parent, and would not be told of the end of its
    own children."""
    ignored = ["env", "--ignore-signal=CHLD"]
    box.kill()
    box.start(before=ignored)
    wait_for(box.running, 5, "all roles")
    box.apply(READ)
    before = box.pids("journal")
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: box.pids("journal") not in ([], before) and box.running(), 5, "another journal")
    (listens,) = box.pids("control")
    box.kill()
    wait_for(lambda: not os.path.exists("/proc/%d" % listens), 5, "the end of the role that listens")
    done = sh(*ignored, box.build + "/sekisho", "status", "--socket", box.run_folder + "/run/control.sock", check=False)
    expect(done.returncode == 1, "status without a daemon: %d %s", done.returncode, done.stdout + done.stderr)
    box.start()
    wait_for(box.running, 5, "all roles")


CASES = [what_stands_without_a_daemon, a_trial_without_a_daemon, other_things_that_stand, ends_of_children_ignored]
