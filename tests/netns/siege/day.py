# SPDX-License-Identifier: Apache-2.0
"""The life of a day, traced by strace: people come, go and mistype, a policy is written, approved,
applied, confirmed and taken back, roles die. Only two kinds of processes may execute a program, and
each only once: a child of the supervisor, which becomes a role or the compiler; and a child of
accounts, which becomes the reader of security keys."""
import collections
import os
import re
import signal
import subprocess

from box import conduit
from cases import Skip, expect
from net import wait_for
from people import PHRASE, THERE_IP, totp

READS = conduit("reads", "ops", "ot", ["read"])
WRITES = conduit("writes", "ops", "ot", ["write"])
MORTAL = ("mgmt", "control", "accounts", "journal", "tap", "gate", "dpi", "enforce")
# a call, whether it succeeds or not
CALL = re.compile(r'^(\d+) +execve(?:at)?\([^[]*\[(.*?)\]')
WAYS = {"ot_author": "aoki", "approver": "chiba", "it_operator": "doi", "auditor": "goto"}


def order(site, cookie, word, **more):
    r = site.order(cookie, word, **more)
    expect(r.status == 200, "%s: %d %s", word, r.status, r.body[:300])
    return r.json()


def live(site, mark):
    """Plays the day. People have names that end with `mark`. Afterwards one more generation is in
    force."""
    for role, name in WAYS.items():
        site.add(name + mark, role)
    names = {role: name + mark for role, name in WAYS.items()}
    expect(site.login(names["ot_author"], "three herons argue loudly").status == 401, "a wrong phrase")
    expect(site.login("nobody", source=THERE_IP, code="000000").status == 401, "nobody")
    expect(site.login(names["auditor"], code=totp(site.secrets[names["auditor"]])).status == 200, "a code by the clock")
    author, approver, operator, auditor = (site.session(name) for name in names.values())
    before = site.get("/api/v1/draft", author).json()["draft"]
    saved = order(site, author, "save", revision=before["revision"], base=site.box.status()["generation"]["number"], texts=site.texts(READS, WRITES), comment="night")
    rev = saved["draft"]["revision"]
    for cookie, word in ((author, "try"), (author, "ask"), (approver, "approve")):
        order(site, cookie, word, revision=rev)
    order(site, operator, "confirm", to=order(site, operator, "apply", revision=rev, confirm_s=60)["draft"]["generation"])
    order(site, operator, "rollback", to=0)
    site.box.apply(READS, WRITES)
    for path in ("/api/v1/state", "/api/v1/why", "/api/v1/verify", "/api/v1/picture", "/metrics"):
        expect(site.get(path, auditor).status == 200, "%s", path)
    site.user("password", names["ot_author"], text=PHRASE + " again\n")
    site.user("disable", names["approver"])
    expect(site.logout(operator).status == 200, "logout")
    for role in MORTAL:
        was = site.box.pids(role)
        os.kill(was[0], signal.SIGKILL)
        wait_for(lambda: site.box.running() and was[0] not in site.box.pids(role), 20, "the successor of %s" % role)
    wait_for(site.box.in_force, 20, "the policy in force")


def became(arguments):
    """What an execution is to become, by its arguments: the name of a role, or of a program."""
    words = re.findall(r'"([^"]*)"', arguments)
    return words[2] if words[1:2] == ["--role"] else os.path.basename(words[0])


def nobody_executes(site):
    if subprocess.run(["sh", "-c", "command -v strace"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
        raise Skip("there is no strace")
    trace = site.box.run_folder + "/trace"
    site.box.kill()
    # -D: the started process is the daemon, and strace is its grandchild
    site.box.start(before=["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-s", "200", "-e", "trace=execve,execveat", "-e", "signal=none", "-o", trace])
    wait_for(site.box.running, 30, "all roles")
    live(site, "2")
    pids = {role: site.box.pids(role) for role in ("mgmt", "control", "accounts", "journal", "enforce", "tap", "gate", "dpi")}
    site.box.kill()
    with open(trace, encoding="utf-8") as f:
        lines = [line for line in f if "exec" in line and "resumed>" not in line]
    calls = collections.defaultdict(list)
    for line in lines:
        m = CALL.match(line)
        expect(m is not None, "not understood: %s", line)
        calls[int(m.group(1))].append(became(m.group(2)))
    daemon = min(calls)
    expect(calls.pop(daemon) == ["sekishod"], "the supervisor executes something")
    expect(all(len(names) == 1 for names in calls.values()), "somebody executes twice: %s", {p: n for p, n in calls.items() if len(n) > 1})
    counted = collections.Counter(names[0] for names in calls.values())
    expect(set(counted) == {*pids, "sekisho-compile", "sekisho-webauthn"}, "something else is executed: %s", counted)
    expect(counted["sekisho-webauthn"] == counted["accounts"], "each accounts has one reader of keys: %s", counted)
    # Each process of a role was executed as that role: the last ones, and those that were killed.
    for role, living in pids.items():
        expect(all(calls.get(pid) == [role] for pid in living) and counted[role] > len(living), "%s: %s", role, counted)
    site.box.start()
    wait_for(site.box.running, 30, "all roles")
    return "%d executions: %s" % (sum(counted.values()) + 1, ", ".join("%s %d" % c for c in sorted(counted.items())))
