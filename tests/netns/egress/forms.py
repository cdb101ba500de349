# SPDX-License-Identifier: Apache-2.0
"""The records in EVE form for a log server, by syslog and by RELP. Each line fits
docs/eve.schema.json; there are as many lines as records, in their order, with the text of `sekisho
events --eve`. Signatures are among them and show a cut end. Then faults of the form and of the
program that makes it."""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import away
import chain
from cases import expect
from eve_schema import judge
from net import inside, sh, wait_for
from programs import LOG_USER, PEERS_FOLDER, SERVER, Programs, read, unit, written

# One received line: its number, whether it is EVE, and the text.
Line = collections.namedtuple("Line", "seq eve text")


def declared(p, form, transport="syslog"):
    said = ' format = "%s";' % form if form else ""
    return 'log_server = { address = "%s"; port = 10514; name = "log.example"; ca = "%s/ca.pem"; transport = "%s";%s };\n' % (SERVER, p.folder, transport, said)


def came(p):
    """The received lines in order; an incomplete last line is left out."""
    path = p.folder + "/came"
    if not os.path.exists(path):
        return []
    out = []
    with open(path, "rb") as f:
        for text in f.read().decode().split("\n")[:-1]:
            j = json.loads(text)
            eve = "event_type" in j
            out.append(Line((j["sekisho"] if eve else j)["seq"], eve, text))
    return out


def size(p):
    """The number of received bytes."""
    return os.path.getsize(p.folder + "/came") if os.path.exists(p.folder + "/came") else 0


def all_here(p, box, seconds=60):
    """Waits until every record has come. The first copies of the lines must be in the order of
    their numbers. Returns (lines, those that came twice)."""
    goal = box.last_seq()
    wait_for(lambda: goal in [x.seq for x in came(p)[-400:]], seconds, "what waited, up to %d" % goal)
    lines, firsts = came(p), {}
    for x in lines:
        firsts.setdefault(x.seq, x)
    missing = sorted(set(range(1, goal + 1)) - set(firsts))
    expect(not missing, "%d records are missing, from %s to %s", len(missing), missing[:1], missing[-1:])
    expect(list(firsts) == sorted(firsts), "they came in another order")
    return list(firsts.values()), len(lines) - len(firsts)


def ended(box, sender):
    """Ends the sender as its unit does (KillMode=mixed): only the main program gets a signal, and
    its children end with their input."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(sender.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        sender.wait(timeout=5)
    box.net.stop(sender)


def on_the_box(p, box):
    """{number: record} and {number: its line of `events --eve`}."""
    own = {json.loads(line)["seq"]: json.loads(line) for line in p.kept()}
    eve, last = {}, 0
    while True:
        page = box.sekisho("events", "--eve", "--after", str(last), "--limit", "10000").stdout.splitlines()
        for line in page:
            last = json.loads(line)["sekisho"]["seq"]
            eve[last] = line
        if len(page) < 10000:
            return own, eve


def as_it_is_here(p, box, lines, validator):
    """Each line is EVE, by the schema and as the box itself writes it, and says what its record
    says."""
    own, eve = on_the_box(p, box)
    for x in lines:
        expect(x.eve, "no EVE: %s", x.text)
        wrong = list(validator.iter_errors(json.loads(x.text)))
        expect(not wrong, "%s: %s", wrong[:1], x.text)
        expect(json.loads(x.text)["sekisho"] == {k: v for k, v in own[x.seq].items() if k not in ("prev", "hash")}, "%s: %s", x.text, own[x.seq])
        expect(x.text == eve[x.seq], "another text:\n%s\n%s", x.text, eve[x.seq])


# From docs/operate.md, with the names of this case.
BY_OPENSSL = r"""set -e
grep '"code":"checkpoint"' came | tail -n 1 >last
sed 's/.*"text":"\([^"]*\)".*/\1/' last | tr -d '\n' >text
sed 's/.*"signature":"\([^"]*\)".*/\1/' last | tr a-f A-F | basenc -d --base16 >signature
openssl pkeyutl -verify -pubin -inkey box.pem -rawin -in text -sigfile signature
cat text"""


def cut_end_shows(p, box):
    """Compares another copy of the journal with a signature that was sent as EVE: complete, and
    with its end cut off."""
    answer = json.loads(box.sekisho("journal", "checkpoint", "--json").stdout)
    wait_for(lambda: any(x.seq == answer["seq"] for x in came(p)), 20, "the signature")
    key, cut, state = written(p.folder + "/box.pem", answer["key"]), p.folder + "/cut", box.run_folder + "/state/journal"

    def verified(folder):
        return json.loads(box.sekisho("journal", "verify", folder, "--key", key, "--head", p.folder + "/came", "--json", check=False).stdout)
    whole = wait_for(lambda: (lambda said: said if said["whole"] is True else None)(verified(state)), 5, "records as the server has them signed")
    expect(whole["signed"]["sent"] == answer["seq"] - 1, "%s", whole)
    done = sh("sh", "-c", "cd '%s'\n%s" % (p.folder, BY_OPENSSL), check=False)
    expect(done.returncode == 0 and " record=%d " % (answer["seq"] - 1) in done.stdout, "%s", done)
    shutil.rmtree(cut, ignore_errors=True)
    shutil.copytree(state, cut)
    last = max(n for n in os.listdir(cut) if n.startswith("events-"))
    left = [line for line in read(cut + "/" + last).splitlines() if json.loads(line)["seq"] < answer["seq"] - 1]
    written(cut + "/" + last, "".join(line + "\n" for line in left))
    written(cut + "/head", "%d %s\n" % (json.loads(left[-1])["seq"], json.loads(left[-1])["hash"]))
    found = verified(cut)["list"]
    expect([(f["what"], f["seq"]) for f in found] == [("sent", answer["seq"] - 1)], "a cut end: %s", found)


def each_line_is_eve(box):
    """By syslog over TLS and by RELP: sessions that pass, refused packets, applies, a role that
    dies, signatures."""
    said, validator = [], judge()
    for transport in ("syslog", "relp"):
        box.fresh()
        box.go("")
        with Programs(box) as p, contextlib.ExitStack() as last:
            p.keys()
            away.policy(box, declared(p, "eve", transport))
            p.server(transport == "relp")
            sender = p.sender()
            expect("(%s, eve)" % transport in box.sekisho("effective", "--lang", "en").stdout, "effective does not say how records go out")
            all_here(p, box)
            sessions = away.Sessions(box, 20)
            last.callback(sessions.end)
            wait_for(lambda: sum('"kind":"passed"' in x.text for x in came(p)) > 60, 60, "records of sessions")
            with inside(box.ns("ops")):
                for family, to in ((socket.AF_INET, "10.73.0.2"), (socket.AF_INET6, "2001:db8:73::2")):
                    with socket.socket(family, socket.SOCK_DGRAM) as s:
                        s.sendto(b"x", (to, 7))
            # Events that the tap has not passed on yet are lost when the tap is killed.
            wait_for(lambda: sum('"event_type":"drop"' in x.text for x in came(p)) >= 2, 30, "records of refused packets")
            os.kill(box.pids("tap")[0], signal.SIGKILL)
            wait_for(box.running, 20, "the tap again")
            for _ in range(3):
                away.policy(box, declared(p, "eve", transport))
            sessions.end()
            last.pop_all()
            cut_end_shows(p, box)
            wait_for(lambda: p.told()["waiting"] == 0, 20, "the word that all were sent")
            lines, twice = all_here(p, box)
            as_it_is_here(p, box, came(p), validator)
            expect(len(lines) == len(p.kept()), "%d lines of %d records", len(lines), len(p.kept()))
            types = collections.Counter(json.loads(x.text)["event_type"] for x in lines)
            expect({"flow", "engine", "alert", "drop"} <= set(types), "%s", types)
            expect(twice == 0, "%d came twice, and nothing had ended", twice)
            ended(box, sender)
            said.append("%s: %d lines of as many records (%s)" % (transport, len(lines), ", ".join("%d %s" % (n, t) for t, n in sorted(types.items()))))
    return "; ".join(said)


def another_form(box):
    """Records wait for a server that is away, and box.cfg changes to EVE; then again, and it
    changes back to the box's own form, by leaving the key out. Nothing is lost, and the order is
    kept. Waiting records are sent in the new form, and so are repeated ones, at most 32 at each
    start."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        validator = judge()
        p.keys()
        away.policy(box, declared(p, "sekisho"))
        server, sender = p.server(), p.sender()
        p.wait_all_came(40, "the records so far")
        twice = 0
        for form in ("eve", None):
            away.gone(box, p, server)
            before, n_before = box.last_seq(), len(came(p))
            for _ in range(10):
                away.policy(box, declared(p, form))
            ended(box, sender)
            server, sender = p.server(), p.sender()
            last = box.last_seq()
            lines, twice = all_here(p, box)
            behind = came(p)[n_before:]
            expect(all(x.eve == (form == "eve") for x in behind), "an older form behind the change: %s", [x for x in behind if x.eve != (form == "eve")][:1])
            expect({x.seq for x in behind} >= set(range(before + 1, last + 1)), "what waited went elsewhere")
        own = {json.loads(line)["seq"]: line for line in p.kept()}
        for x in came(p):
            if x.eve:
                expect(not list(validator.iter_errors(json.loads(x.text))), "%s", x.text)
            else:
                expect(x.text == own[x.seq], "%s", x.text)
        forms = collections.Counter(x.eve for x in lines)
        expect(forms[True] >= 10 and forms[False] >= 10, "%s", forms)
        expect(twice <= 2 * 32, "%d records came twice", twice)
        return "%d records, none lost; first as EVE %d, as the box has it %d; %d twice" % (len(lines), forms[True], forms[False], twice)


def below(pid, name):
    """The children with that name, of all threads."""
    out = []
    with contextlib.suppress(OSError):  # a thread or a child ends meanwhile
        for task in os.listdir("/proc/%d/task" % pid):
            for child in read("/proc/%d/task/%s/children" % (pid, task)).split():
                if read("/proc/%s/comm" % child).strip() == name:
                    out.append(int(child))
    return out


def rsyslogd(sender):
    """The process of rsyslogd, beside which the unit's script runs."""
    wait_for(lambda: below(sender.pid, "rsyslogd"), 20, "rsyslogd")
    return below(sender.pid, "rsyslogd")[0]


def children(sender):
    """The process ids of its programs that make EVE."""
    return below(rsyslogd(sender), "sekisho-eve")


def its_program_dies(box):
    """The program that makes EVE is killed again and again while thousands of records are sent:
    they arrive as EVE nevertheless, none twice and in order. Then it cannot be started, or answers
    something else, or dies over each line: what cannot become EVE arrives in the box's own form."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        p.keys()
        away.policy(box, declared(p, "eve"))
        box.stop()
        goal = chain.lengthen(box.run_folder + "/state/journal", 10 << 20, each=80)
        box.start()
        wait_for(box.running, 20, "the roles")
        p.server()
        sender, killed = p.sender(), 0
        most = 300 * goal  # bytes; all lines together have more
        while size(p) < most:
            wait_for(lambda n=size(p): size(p) > n + 8192, 60, "records in spite of it")
            # One at a time: a line that one program left is given to the other.
            for pid in children(sender)[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
            expect(sender.poll() is None, "rsyslogd ended")
        lines, twice = all_here(p, box, 120)
        expect(killed >= 10 and twice == 0, "%d killed, %d came twice", killed, twice)
        own = {json.loads(line)["seq"]: line for line in p.kept()}
        as_it_was = [x for x in lines if not x.eve]
        expect(all(x.text == own[x.seq] for x in as_it_was), "neither of the two: %s", as_it_was[:1])
        # The server writes what it gets with a delay. So now and then the next kill hits the other
        # program at the same line.
        expect(len(as_it_was) <= killed // 8, "no EVE, %d lines by %d deaths: %s", len(as_it_was), killed, as_it_was[:1])
        ended(box, sender)
        # A program that cannot be started; one that answers with another text; one that never ends
        # its line.
        liars = {"none": p.folder + "/none", "another": written(p.folder + "/another", "#!/bin/sh\nwhile read -r x; do echo 'nothing of it'; done\n"),
                 "dies": written(p.folder + "/dies", "#!/bin/sh\nread -r x; printf 'half'\n")}
        for what, program in liars.items():
            if what != "none":
                os.chmod(program, 0o755)
            n = len(came(p))
            sender = p.sender(eve=program)
            for _ in range(3):
                away.policy(box, declared(p, "eve"))
            _, twice = all_here(p, box)
            behind = came(p)[n:]
            expect(behind and not [x for x in behind if x.eve], "%s: EVE of nowhere", what)
            own = {json.loads(line)["seq"]: line for line in p.kept()}
            expect(all(x.text == own[x.seq] for x in behind), "%s: %s", what, behind[:1])
            ended(box, sender)
        return "%d records, %d deaths, %d as the box has them, none lost or twice; by three programs that are none all as the box has them" % (len(lines), killed, len(as_it_was))


def processes(sender, most):
    """Limits the number of processes of its user, set by that user itself, because the root of a
    container may not do so."""
    sh("setpriv", "--reuid", LOG_USER, "--regid", LOG_USER, "--clear-groups", "prlimit", "--pid", rsyslogd(sender), "--nproc=%s:" % most)


def no_process_for_it(box):
    """The program has died, and the machine cannot make a process for another one: what happens
    meanwhile arrives in the box's own form, and later records as EVE again. None is lost, and none
    arrives twice."""
    box.fresh()
    box.go("")
    with Programs(box) as p:
        p.keys()
        away.policy(box, declared(p, "eve"))
        p.server()
        sender = p.sender()
        all_here(p, box)
        most = next(x for x in read("/proc/%d/limits" % rsyslogd(sender)).splitlines() if x.startswith("Max processes")).split()[3]
        processes(sender, 1)
        for pid in children(sender):
            os.kill(pid, signal.SIGKILL)
        n = len(came(p))
        for _ in range(6):
            away.policy(box, declared(p, "eve"))
        _, twice = all_here(p, box)
        meanwhile, own = came(p)[n:], {json.loads(line)["seq"]: line for line in p.kept()}
        expect(twice == 0 and len(meanwhile) >= 12, "%d came, %d twice", len(meanwhile), twice)
        expect(not [x for x in meanwhile if x.eve or x.text != own[x.seq]], "%s", [x for x in meanwhile if x.eve or x.text != own[x.seq]][:1])
        processes(sender, most)

        def again():
            away.policy(box, declared(p, "eve"))
            return came(p)[-1].eve
        wait_for(again, 30, "EVE again")
        lines, twice = all_here(p, box)
        expect(twice == 0 and children(sender), "%d twice", twice)
        return "%d records, %d of them as the box has them, none lost or twice" % (len(lines), len([x for x in lines if not x.eve]))


def its_program_is_shut_in(box):
    """The program alone: it drops all rights with which it was started, cannot open or connect
    anything, and ends with its input and with its parent."""
    program = box.build + "/sekisho-eve"
    record = '{"seq":7,"time":"2026-11-20T08:10:11.123Z","kind":"role","severity":"notice","code":"started","process":"journal"}'
    done = subprocess.run([program], input=record + "\n{}\nx\n", capture_output=True, text=True, timeout=20, env={})
    answers = [json.loads(x) for x in done.stdout.splitlines()]
    expect(done.returncode == 0 and answers[1:] == [{}, {}] and not list(judge().iter_errors(json.loads(answers[0]["msg"]))), "%s", done)
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={}) as running:
        running.stdin.write(record + "\n")
        running.stdin.flush()
        expect("msg" in json.loads(running.stdout.readline()), "no answer")
        status = dict(x.split(":\t", 1) for x in read("/proc/%d/status" % running.pid).splitlines() if ":\t" in x)
        expect(status["Uid"].split() == ["65534"] * 4 and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "%s", status)
        expect(all(int(status[k], 16) == 0 for k in ("CapEff", "CapPrm", "CapInh", "CapAmb")), "%s", status)
        running.stdin.close()
        expect(running.wait(timeout=20) == 0, "it did not end with its input")


HOLDS_MANY = """import os, resource, signal, subprocess, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
held = [os.dup(2) for _ in range(int(sys.argv[2]))]
with open("/proc/self/comm", "w") as f:
    f.write(sys.argv[3])
done = subprocess.run([sys.argv[1]], input=b"{}\\n", stdout=subprocess.PIPE)
print(done.stdout.decode().strip())
"""


def rsyslogd_without_descriptors(box):
    """Each program that dies over a line costs rsyslogd a descriptor. Before none is left, the next
    program ends rsyslogd, and the unit restarts it. An rsyslogd in order is left alone."""
    ends = {}
    for name, many in (("rsyslogd", 400), ("rsyslogd", 1200), ("another", 1200)):
        done = subprocess.run([sys.executable, "-c", HOLDS_MANY, box.build + "/sekisho-eve", str(many), name], capture_output=True, text=True, timeout=20, check=False)
        ends[name, many] = done.returncode, done.stdout.strip()
    expect(ends == {("rsyslogd", 400): (0, "{}"), ("rsyslogd", 1200): (-signal.SIGTERM, ""), ("another", 1200): (0, "{}")}, "%s", ends)


def its_program_hangs(box):
    """rsyslogd waits for an answer without limit. A program that needs ten seconds for a line is
    ended; one that waits for its next line is not."""
    program, record = box.build + "/sekisho-eve", b'{"seq":7,"time":"2026-11-20T08:10:11.123Z","kind":"role","severity":"notice","code":"started","process":"journal"}\n'
    waiting = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    hangs = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with waiting, hangs:
        waiting.stdin.write(record)
        waiting.stdin.flush()
        expect(b'"msg"' in waiting.stdout.readline(), "no answer")
        # Nobody reads the program's answers, so it stops in the middle of one.
        os.set_blocking(hangs.stdin.fileno(), False)
        began = time.monotonic()
        while True:
            try:
                hangs.stdin.write(record)
                hangs.stdin.flush()
            except (BlockingIOError, BrokenPipeError):
                break
        wait_for(lambda: hangs.poll() is not None, 30, "the end of one that hangs")
        took = time.monotonic() - began
        expect(hangs.returncode == -signal.SIGALRM and took >= 5, "%s after %.1f s", hangs.returncode, took)
        waiting.stdin.write(record)
        waiting.stdin.flush()
        expect(b'"msg"' in waiting.stdout.readline(), "no second answer")
        waiting.stdin.close()
        expect(waiting.wait(timeout=20) == 0, "it did not end with its input")
        with contextlib.suppress(OSError):
            hangs.stdin.close()
    return "ended after %.1f s" % took


def the_unit_has_it(_):
    """The unit names the program by its installed path, and at its end stops only rsyslogd, whose
    child still answers the line that it was given."""
    ours = unit("sekisho-log.service")
    expect({("LimitNOFILE", "65536"), ("MemoryMax", "192M"), ("TasksMax", "16"), ("Restart", "always")} <= set(ours), "%s", ours)
    expect(("Environment", "SEKISHO_EVE=/usr/lib/sekisho/eve") in ours and ("KillMode", "mixed") in ours, "%s", ours)
    installed = read(os.path.join(os.path.dirname(PEERS_FOLDER), "..", "images", "files.mk"))
    expect("install -D -m 755 $(B)/sekisho-eve $(DESTDIR)$(PREFIX)/lib/sekisho/eve" in installed, "files.mk")


CASES = (each_line_is_eve, another_form, its_program_dies, no_process_for_it, its_program_is_shut_in, rsyslogd_without_descriptors, its_program_hangs, the_unit_has_it)
NEED_THEM = (each_line_is_eve, another_form, its_program_dies, no_process_for_it)
