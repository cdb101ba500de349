# SPDX-License-Identifier: Apache-2.0
"""Live sessions and changes: a policy is narrowed before the server has received what was allowed,
workers restart, and queues are full for a while."""
import contextlib
import json
import os
import signal

from endpoint import Plc, Raw, answered, goes_on, is_cut, listener, request, write
from ground import PLAIN, READ, V4, V6, WRITE, Watch, conduit, expect, wait_for
from net import tcp
from packets import ACK, PSH, SIGNATURE, ip
from speech import ENIP, FINS, MODBUS, S7COMM, SLMP, SLMP_TEXT, s7

PICK_UP = conduit("reads", "ops", "ot", ["read"], criticality="cargo", when_midstream="pick_up")
OPEN = conduit("reads", "ops", "ot", ["read"], criticality="cargo", when_midstream="pick_up", when_down="open",
               when_overloaded="open")
ALL = bool(os.environ.get("SEKISHO_ALL"))


def not_taken(ground, raw, data):
    """Sends data that the box forwards. The server's stack drops them because of a TCP option, as
    it would drop a damaged frame."""
    watch = Watch(ground)
    raw.segment(data, options=SIGNATURE)
    wait_for(lambda: any(data in f for f in watch["ot"].incoming()), 5, "the segment behind the box")
    watch.close()


def narrowed_before_it_was_taken(ground):
    """A write is allowed and forwarded, but its server does not receive it. Then only reads are
    allowed, and the client repeats the write: completely, or the missing part."""
    ground.settle_neighbours()
    for six in (False, True):
        for taken in (0, 5, 11):
            ground.apply(READ, WRITE, PLAIN)
            plc = Plc(ground, (V6 if six else V4)["ot"])
            r = Raw(ground, "ops", plc.listener.getsockname()[0], 502, ground.port(), six).open()
            goes_on(r, plc)
            before = len(plc.live["bytes"])
            if taken:
                r.say(write()[:taken])
                wait_for(lambda: len(plc.live["bytes"]) == before + taken, 5, "the first part")
            not_taken(ground, r, write()[taken:])
            ground.apply(READ, PLAIN)
            r.segment(write()[taken:])
            is_cut(r, plc)
            expect(not plc.forbidden(), "delivered after %d bytes over IPv%d: %s", taken, 6 if six else 4, plc.forbidden())
            r.close()
            plc.close()


def foretold(ground, raw):
    """Makes a dry run with the rows of the session's protocol. Returns how many entries of the
    session list requests that would be refused, and how many list it as cut."""
    told = json.loads(ground.sekisho("apply", "--dry-run", "--json", ground.write(raw.speech.policy, PLAIN)).stdout)
    ours = {k: [x for x in told[k] if x["client"].endswith(":%d" % raw.sport)] for k in ("narrowed", "cut")}
    return len([x for x in ours["narrowed"] if x["commands"]]), len(ours["cut"])


def others_narrowed(ground):
    """The same with other protocols. First everything is allowed, and a request is answered; then
    rows refuse it. A dry run says so before. A repetition that the server's stack did not accept
    arrives neither whole nor in part. Two of three ways are drawn for each protocol."""
    for speech, whole in ((SLMP, "melsec_any"), (SLMP_TEXT, "melsec_any"), (ENIP, "logix_any"), (S7COMM, "s7_any"),
                          (FINS, "omron_any")):
        last, half = len(speech.write) - 1, max(len(speech.write) // 2, speech.fragile)
        ways = [(False, 0), (True, half), (False, last)]
        for six, taken in ways if ALL else ground.rng.sample(ways, 2):
            ground.apply(conduit(speech.name, "ops", "ot", [whole], criticality="cargo"), PLAIN)
            ground.settle_neighbours()
            plc = Plc(ground, (V6 if six else V4)["ot"], speech=speech)
            r = Raw(ground, "ops", plc.listener.getsockname()[0], speech.port, ground.port(), six, speech).open().greet()
            goes_on(r, plc)
            hears(r, r.W, speech.answers(r.W))
            told = foretold(ground, r)
            expect(told == (1, 0), "%s: what was done is foretold as refused: %s", speech.name, told)
            before, known = len(plc.live["bytes"]), len(plc.forbidden())
            if taken:
                r.say(r.W[:taken])
                wait_for(lambda: len(plc.live["bytes"]) == before + taken, 5, "the first part")
            not_taken(ground, r, r.W[taken:])
            told = foretold(ground, r)
            expect(told == (0, 1), "%s: what is to be judged again is foretold as a cut: %s", speech.name, told)
            ground.apply(speech.policy, PLAIN)
            r.segment(r.W[taken:])
            is_cut(r, plc)
            expect(len(plc.forbidden()) == known, "%s, IPv%d, after %d bytes: %s", speech.name, 6 if six else 4, taken, plc.forbidden()[known:])
            r.close()
            plc.close()


def allowed_before_and_after(ground):
    """The same with a read, which the old and the new policy allow: it is answered when it is
    repeated, and the session goes on."""
    ground.settle_neighbours()
    for six in (False, True):
        ground.apply(READ, WRITE, PLAIN)
        plc = Plc(ground, (V6 if six else V4)["ot"])
        r = Raw(ground, "ops", plc.listener.getsockname()[0], 502, ground.port(), six).open()
        goes_on(r, plc)
        not_taken(ground, r, request())
        ground.apply(READ, PLAIN)
        answered(r)
        goes_on(r, plc)
        expect(not r.resets, "resets %s", r.resets)
        r.close()
        plc.close()


def restart_workers(ground):
    old = ground.pids("dpi")
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: ground.running() and not set(ground.pids("dpi")) & set(old), 3, "workers again")


def closed_and_picked_up(ground):
    """Workers die under a conduit that picks sessions up but passes nothing unjudged: a write in
    pieces does not reach the server, and a session that polls goes on. With one worker, IPv4
    sessions go on by the verdict cache (tests/netns/once), so only IPv6 is tested then."""
    ground.apply(PICK_UP, PLAIN)
    ground.settle_neighbours()
    for six in (False, True) if ground.workers > 1 else (True,):
        plc = Plc(ground, (V6 if six else V4)["ot"])
        r = Raw(ground, "ops", plc.listener.getsockname()[0], 502, ground.port(), six).open()
        goes_on(r, plc)
        for _ in range(3):
            restart_workers(ground)
            goes_on(r, plc)
        before = len(plc.live["bytes"])
        restart_workers(ground)
        for _ in range(20):
            r.segment(write()[:5])
            r.segment(write()[5:], seq=r.seq + 5)
        r.segment(flags=ACK)
        goes_on(r, plc)
        expect(len(plc.sessions[-1]["bytes"]) == before + 12 and not plc.forbidden(), "delivered: %s", plc.sessions[-1])
        expect(not r.resets, "resets %s", r.resets)
        r.close()
        plc.close()


def met_half_way_with_the_same_port(ground):
    """Both ends use the permit's port, so ports do not show which end is the server. The workers
    die before it has answered, and its answer is the next packet. The answer arrives, the client
    still counts as the client, and a write is refused as always."""
    ground.apply(PICK_UP, PLAIN)
    ground.settle_neighbours()
    for six in (False, True):
        with contextlib.closing(listener(ground, (V6 if six else V4)["ot"], 502)) as server:
            r = Raw(ground, "ops", server.getsockname()[0], 502, 502, six).open()
            server.settimeout(5)
            peer = server.accept()[0]
            with peer:
                peer.settimeout(5)
                for _ in range(3):
                    r.say(r.R)
                    expect(peer.recv(100) == r.R, "another request arrived")
                    restart_workers(ground)
                    more = len(r.got) + len(r.speech.answers(r.R))
                    peer.sendall(r.speech.answers(r.R))
                    r.until(lambda: len(r.got) >= more, 5, "the answer that new workers met first")
                    r.segment(flags=ACK)
                r.say(r.R)
                expect(peer.recv(100) == r.R, "another request arrived")
                peer.sendall(r.speech.answers(r.R))
                r.until(lambda: len(r.got) > more, 5, "the answer to a request that they saw")
                r.segment(flags=ACK)
                expect(not r.resets, "resets %s", r.resets)
                r.say(write())
                wait_for(r.was_reset, 5, "a reset that the client believes")
                try:
                    arrived = peer.recv(100)
                except ConnectionResetError:
                    arrived = b""
                expect(not arrived, "delivered: %s", arrived.hex())
            r.close()


def hears(raw, said, answer):
    """Checks that the request is answered."""
    more = len(raw.got) + len(answer)
    raw.say(said)
    raw.until(lambda: len(raw.got) >= more, 5, "the answer to %s" % said.hex())
    raw.segment(flags=ACK)


def enforced_after_observing(ground):
    """A site observes, with rows that refuse the first requests of its sessions. Then rows that
    allow them are enforced. No session is cut because of refusals that were only recorded, and none
    is listed as cut."""
    other_slot, form = (s7.connect(3), s7.setup()), SLMP.form
    links = form.request(0x0403, 0, form.num(1, 2) + form.num(1, 0) + form.device(False, "w", 0) + form.device(False, "w", 1))
    for speech, rows, first, said, better in ((MODBUS, "read", (), write(), "write"), (SLMP, "melsec", (), links, "melsec_all"),
                                              (S7COMM, "s7_read", other_slot, S7COMM.read, "s7_look")):
        keys = {"criticality": "cargo"}
        ground.apply(conduit("watched", "ops", "ot", [rows], mode="observe", **keys))
        ground.settle_neighbours()
        for six in (False, True):
            plc = Plc(ground, (V6 if six else V4)["ot"], speech=speech)
            r = Raw(ground, "ops", plc.listener.getsockname()[0], speech.port, ground.port(), six, speech).open()
            seq = ground.last_seq()
            for part in first + (said,):
                hears(r, part, speech.answers(part))
            wait_for(lambda: any(e.get("verdict", "").startswith("observe") for e in ground.events(seq)), 5, "a record of what is refused on paper")
            text = ground.write(conduit("watched", "ops", "ot", [better], **keys))
            for told in (ground.sekisho("apply", "--dry-run", "--json", text), ground.sekisho("apply", "--json", text)):
                # the list may also have sessions of earlier cases that a worker met half-way
                told = json.loads(told.stdout)
                ours = [x for k in ("cut", "narrowed") for x in told[k] if x["client"].endswith(":%d" % r.sport)]
                expect(not ours and told["go_on"] > 0, "%s: cut or narrowed %s, %s go on", speech.name, ours, told["go_on"])
            for _ in range(3):
                hears(r, said, speech.answers(said))
            expect(not r.resets, "%s: resets %s", speech.name, r.resets)
            ground.apply(conduit("watched", "ops", "ot", [rows], mode="observe", **keys))
            r.close()
            plc.close()


def full_queue(ground):
    """A queue that is full again and again lets packets of a live session pass, as its conduit
    says: the session goes on, and afterwards it is judged as before."""
    ground.apply(OPEN, PLAIN)
    ground.settle_neighbours()
    plc = Plc(ground, V4["ot"])
    r = Raw(ground, "ops", V4["ot"], 502, ground.port()).open()
    goes_on(r, plc)
    passed = ground.drops().get("unanswered.open", 0)
    outstanding = ground.outstanding()
    lived = rounds = 0
    # a process that is stopped for too long is replaced, which is another case
    while lived < 2 and rounds < 40:
        rounds += 1
        full = r.head + ip(r.me, r.to, 6, tcp(r.me, r.to, r.sport, r.port, r.seq, r.ack, ACK | PSH))
        workers, gates = ground.pids("dpi"), ground.pids("gate")
        # In this order no process that still runs watches a stopped one, which it would take for
        # hung.
        for pid in [ground.daemon.pid] + gates + workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            # the session's own acknowledgements, which are allowed, fill the queue of its worker
            for _ in range(4200):
                r.put(full)
            for _ in range(2):
                answered(r)
        finally:
            for pid in workers + gates + [ground.daemon.pid]:
                with contextlib.suppress(ProcessLookupError):  # taken for dead, and replaced
                    os.kill(pid, signal.SIGCONT)
        wait_for(lambda: ground.running() and outstanding() == 0, 5, "the workers to follow")
        goes_on(r, plc)
        lived += ground.pids("dpi") == workers
    expect(lived == 2, "no worker lived through it")
    passed = ground.drops().get("unanswered.open", 0) - passed
    expect(passed > 0, "no packet went by")
    expect(not r.resets, "resets %s", r.resets)
    goes_on(r, plc)
    r.say(write())
    is_cut(r, plc)
    expect(not plc.forbidden(), "delivered: %s", plc.forbidden())
    r.close()
    plc.close()
    return "%d packets went by, in %d of %d rounds with the same workers" % (passed, lived, rounds)


CASES = [narrowed_before_it_was_taken, others_narrowed, allowed_before_and_after, closed_and_picked_up, met_half_way_with_the_same_port,
         enforced_after_observing, full_queue]
