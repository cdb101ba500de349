# SPDX-License-Identifier: Apache-2.0
"""From where the management can be reached: from the terminals of box.cfg at one port, and from
nowhere else in the admin network, through changes of the policy. Counted at the interface where an
answer would arrive."""
import json
import os
import socket
import struct

import documented
from cases import expect
from net import decode, inside, sh, wait_for

BOX4, BOX6 = "10.79.0.1", "2001:db8:79::1"
DESK4, DESK6, STRANGER4, STRANGER6 = "10.79.0.20", "2001:db8:79::20", "10.79.0.5", "2001:db8:79::5"
TERMINALS = 'terminals = ["%s", "%s"];\n' % (DESK4, DESK6)
ONE = 'terminals = ["%s"];\n' % DESK4
PORTS = [22, 53, 80, 123, 323, 443, 514, 6514, 8443]
ALL = {DESK4, DESK6, STRANGER4, STRANGER6}


def box_of(a):
    return BOX6 if ":" in a else BOX4


def connected(box, source, port=443, seconds=5.0):
    """The session, or None when it was refused."""
    with inside(box.admin):
        s = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
        s.settimeout(seconds)
        s.bind((source, 0))
        try:
            s.connect((box_of(source), port))
        except OSError:
            s.close()
            return None
    return s


def knock(box, source):
    """Opens a session to each port, sends each a datagram, and sends an echo request, without
    waiting. Returns the sockets."""
    with inside(box.admin):
        kept = []
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            for port in PORTS:
                s = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, kind | socket.SOCK_NONBLOCK)
                s.bind((source, 0))
                try:
                    s.connect((box_of(source), port))
                    if kind == socket.SOCK_DGRAM:
                        s.send(b"who is there;")
                except BlockingIOError:
                    pass
                kept.append(s)
        six = ":" in source
        s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if six else socket.IPPROTO_ICMP)
        s.bind((source, 0))
        head = struct.pack("!BBHHH", 128 if six else 8, 0, 0, 9, 9)
        total = sum(struct.unpack("!4H", head))
        s.sendto(head[:2] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + head[4:], (box_of(source), 0))
        kept.append(s)
    return kept


def answers(box, since, to):
    """{(protocol, the box's port)} of packets from the box to that address; for ICMP the type,
    without neighbour discovery."""
    out = set()
    for f in box.sink.incoming()[since:]:
        found = decode(f)
        if found is None or found[2] != to or found[1] != box_of(to):
            continue
        _, _, _, protocol, rest = found
        if protocol in (1, 58):
            out |= {(protocol, rest[0])} if protocol == 1 or rest[0] not in (135, 136) else set()
        else:
            out.add((protocol, struct.unpack("!H", rest[:2])[0]))
    return out


def held(box, named):
    """All hosts try all ports. The named ones get answers from port 443 and an echo reply, and the
    others nothing at all. Returns the number of unanswered packets."""
    since, kept, n = box.mark(), [], 0
    for source in sorted(ALL):
        kept += knock(box, source)
    # A last attempt by each named host: answers are sent in order, so earlier ones have arrived
    # too.
    for source in sorted(named):
        wait_for(lambda: {(6, 443), (58, 129) if ":" in source else (1, 0)} <= answers(box, since, source), 10, "answers to " + source)
    for source in sorted(ALL):
        found = answers(box, since, source)
        if source in named:
            expect(found == {(6, 443), (58, 129) if ":" in source else (1, 0)}, "answers to %s: %s", source, found)
            n += 2 * len(PORTS) - 1
        else:
            expect(not found, "answers to %s, who is no terminal: %s", source, found)
            n += 2 * len(PORTS) + 1
    for s in kept:
        s.close()
    return n


def terminals_alone(box):
    """Of four hosts at one switch two are terminals: they reach port 443 and get an echo reply. The
    others get nothing from any port."""
    box.fresh()
    box.go(TERMINALS)
    n = held(box, {DESK4, DESK6})
    box.verified()
    box.go(ONE)
    n += held(box, {DESK4})
    box.verified()
    # a host that the box asks for the time is no terminal
    box.go('time = ["%s"];\n' % STRANGER4 + TERMINALS)
    n += held(box, {DESK4, DESK6})
    with inside(box.admin):
        clock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        clock.bind((STRANGER4, 123))
        clock.settimeout(5)
    with inside(box.admin_ns):
        asks = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        asks.settimeout(5)
    with clock, asks:
        asks.sendto(b"what time;", (STRANGER4, 123))
        data, back = clock.recvfrom(100)
        clock.sendto(b"now;", back)
        expect(data == b"what time;" and asks.recv(100) == b"now;", "the answer of a source of time")
    return "%d packets, none answered" % n


def terminals_change(box):
    """First all hosts, then only the terminals: as a dry run, on trial, given up, confirmed, with a
    daemon and without one. A session of a host that is no longer named stops, and goes on when the
    change is undone."""
    box.fresh()
    box.go("")
    strangers = connected(box, STRANGER4)
    expect(strangers is not None, "where no terminal is named everybody reaches the management")
    box.go(TERMINALS, "--dry-run")
    s = connected(box, STRANGER6)
    expect(s is not None, "a dry run shuts somebody out")
    s.close()
    box.go(TERMINALS, "--confirm", "60")
    n = held(box, {DESK4, DESK6})
    since = box.mark()
    strangers.sendall(b"\x16")
    n += held(box, {DESK4, DESK6})
    expect(not answers(box, since, STRANGER4), "a session of before goes on: %s", answers(box, since, STRANGER4))
    box.sekisho("rollback")
    s = connected(box, STRANGER4)
    expect(s is not None, "not as before after going back")
    s.close()
    strangers.close()
    box.go(TERMINALS)
    n += held(box, {DESK4, DESK6})
    box.kill()
    since, kept = box.mark(), knock(box, STRANGER4) + knock(box, STRANGER6) + knock(box, DESK4)
    wait_for(lambda: (1, 0) in answers(box, since, DESK4), 10, "an echo without a daemon")
    expect(not answers(box, since, STRANGER4) and not answers(box, since, STRANGER6), "answered without a daemon")
    for s in kept:
        s.close()
    since = box.mark()
    box.start()
    kept = knock(box, STRANGER4) + knock(box, STRANGER6)
    wait_for(box.running, 20, "the roles")
    wait_for(lambda: connected(box, DESK4) is not None, 10, "the API from a terminal")
    n += held(box, {DESK4, DESK6})
    expect(not answers(box, since, STRANGER4) and not answers(box, since, STRANGER6), "answered while a daemon started")
    for s in kept:
        s.close()
    box.verified()
    return "%d packets, none answered" % n


def losers_are_named(box):
    """A dry run, an apply and a rollback name the hosts that no longer reach the management. Their
    sessions are in no list."""
    box.fresh()
    expect("shut_out" not in json.loads(box.go(TERMINALS, "--json").stdout), "before the first policy nobody reached it")
    s = connected(box, DESK6)
    expect(s is not None, "a terminal's session")
    gone = {"terminals": [DESK6], "others": False, "addresses": [], "nobody": False}
    for lang, words in (("en", "would no longer reach the management"), ("ja", "管理機能に接続できなくなる管理端末")):
        text = box.sekisho("apply", "--lang", lang, "--dry-run", box.text(ONE)).stdout
        expect(words in text and "  " + DESK6 in text.splitlines() and DESK4 not in text, "dry: %s", text)
    answer = json.loads(box.go(ONE, "--json").stdout)
    expect(answer["shut_out"] == gone and answer["cut"] == [], "applied: %s", answer)
    missing, _ = documented.undocumented(json.dumps(answer))
    expect(not missing, "docs/json.md does not know %s", missing)
    since = box.mark()
    s.sendall(b"\x16")
    box.barrier(since, DESK4)
    expect(not answers(box, since, DESK6), "it was told to be shut out, and was not")
    expect("shut_out" not in json.loads(box.sekisho("rollback", "--json").stdout), "who comes back is not shut out")
    expect("shut_out" not in json.loads(box.go("", "--json").stdout), "where everybody enters nobody is shut out")
    answer = json.loads(box.sekisho("rollback", "--dry-run", "--json").stdout)
    expect(answer["shut_out"] == {"terminals": [], "others": True, "addresses": [], "nobody": False}, "back, dry: %s", answer)
    text = box.sekisho("rollback", "--lang", "en").stdout
    expect("Only terminals of box.cfg still reach the management" in text, "back: %s", text)
    s.close()
    box.verified()


def its_own_addresses_go(box):
    """Changed addresses of the management are named before and after the change; if none is left,
    the answer says that nobody can reach it."""
    def site(peers, before, after):
        path = box.text(peers)
        with open(os.path.join(os.path.dirname(path), "box.cfg"), encoding="utf-8") as f:
            text = f.read()
        expect(before in text, "%s", text)
        with open(os.path.join(os.path.dirname(path), "box.cfg"), "w", encoding="utf-8") as f:
            f.write(text.replace(before, after))
        return path

    box.fresh()
    box.go(TERMINALS)
    without4 = site(TERMINALS, '"%s/24"' % BOX4, '"10.79.0.77/24"')
    answers = [json.loads(box.sekisho("apply", "--json", *options, without4).stdout) for options in (["--dry-run"], [])]
    expect([a["shut_out"] for a in answers] == [{"terminals": [], "others": False, "addresses": [BOX4], "nobody": False}] * 2, "%s", answers)
    expect(connected(box, DESK6) is not None, "the address that stays")
    box.go(TERMINALS)
    nowhere = site("", "  adm0 =", "  # adm0 =")
    for lang, address, all_of_it in (("en", "Addresses of the management that would be removed", "Nobody would reach the management any more"),
                                     ("ja", "適用するとなくなる管理機能のアドレス", "どのホストからも管理機能に接続できなくなります")):
        text = box.sekisho("apply", "--lang", lang, "--dry-run", nowhere).stdout
        expect(address in text and all_of_it in text and {"  " + x for x in (BOX4, BOX6, DESK4, DESK6)} <= set(text.splitlines()), "dry: %s", text)
    text = box.sekisho("apply", "--lang", "en", nowhere).stdout
    expect("Nobody reaches the management any more" in text, "applied: %s", text)
    expect("Nobody may reach the management" in box.sekisho("effective", "--lang", "en").stdout, "effective says otherwise")
    expect("shut_out" not in json.loads(box.go(TERMINALS, "--json").stdout), "whom nobody could reach, nobody loses")
    held(box, {DESK4, DESK6})
    box.verified()


def nothing_more_is_said(box):
    """In a session of a host that is no longer named, the box sends nothing more, until the change
    is undone."""
    box.fresh()
    box.go("")
    with inside(box.admin_ns):
        listener = socket.create_server((BOX4, 8443))
    with listener:
        pairs = {}
        for source in (STRANGER4, DESK4):
            ours = connected(box, source, 8443)
            pairs[source] = ours, listener.accept()[0]
        box.go(TERMINALS, "--confirm", "60")
        for _, theirs in pairs.values():
            theirs.sendall(b"what was asked for;")
        pairs[DESK4][0].settimeout(10)
        expect(pairs[DESK4][0].recv(100) == b"what was asked for;", "the answer to a terminal")
        box.barrier(box.mark(), DESK4)
        left = {decode(f)[2] for f in box.sink.incoming() if b"what was asked for;" in f}
        expect(left == {DESK4}, "said to %s", left)
        expect(box.reach()["refused"] > 0, "nobody counted it")
        box.sekisho("rollback")
        pairs[STRANGER4][0].settimeout(60)
        expect(pairs[STRANGER4][0].recv(100) == b"what was asked for;", "what waited")
        for ours, theirs in pairs.values():
            ours.close()
            theirs.close()
    box.verified()


def trials_that_end(box):
    """More terminals on trial, and nobody confirms: the trial ends in time, and by a start of the
    daemon."""
    box.fresh()
    box.go(ONE)
    was = box.status()["generation"]["digest"]
    box.go(TERMINALS, "--confirm", "1")
    wait_for(lambda: box.status()["generation"]["digest"] == was, 10, "the end of the trial")
    n = held(box, {DESK4})
    box.go(TERMINALS, "--confirm", "600")
    n += held(box, {DESK4, DESK6})
    box.kill()
    box.start()
    wait_for(box.running, 20, "the roles")
    wait_for(lambda: len(box.reach()["terminals"]) == 1, 10, "the end of the trial by a start")
    n += held(box, {DESK4})
    box.verified()
    return "%d packets, none answered" % n


def terminals_meddled_with(box):
    """Other programs add and remove terminals in the kernel: this is undone and recorded."""
    box.fresh()
    box.go(TERMINALS)
    for command in ("insert rule inet sekisho input accept", "flush chain inet sekisho input", "delete table inet sekisho"):
        after = box.last_seq()
        sh("nft", *command.split(), ns=box.admin_ns)
        wait_for(lambda: box.reach()["others"] == [] and len(box.reach()["terminals"]) == 2 and not box.reach()["anybody_enters"], 10, "rules after: " + command)
        wait_for(lambda: [e for e in box.events(after) if "admin namespace" in json.dumps(e)], 5, "a record of: " + command)
        held(box, {DESK4, DESK6})
    box.verified()


def terminals_told(box):
    """`effective` and `status` say who reaches the management, and exactly how many packets of
    others were refused, in both languages."""
    box.fresh()
    box.go("")
    for lang, words in (("en", "Any host of the admin networks"), ("ja", "どのホストからでも")):
        expect(words in box.sekisho("effective", "--lang", lang).stdout, "nobody is told that everybody enters")
    box.go(TERMINALS)
    with inside(box.admin):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((STRANGER4, 0))
    with s:
        for _ in range(7):
            s.sendto(b"who is there;", (BOX4, 443))
    wait_for(lambda: box.reach()["refused_in"] == 7, 5, "7 refused: %s" % box.reach())
    expect([(t["address"], t["protocol"], t["port"]) for t in box.reach()["terminals"]] == [(DESK4, "tcp", 443), (DESK6, "tcp", 443)], "%s", box.reach())
    for lang, listed, line in (("en", "From anybody else, packets refused: 7", "reach the management: 2; packets of others refused: 7"),
                               ("ja", "7 パケットを拒否しました", "管理端末は 2 台です")):
        text = box.sekisho("effective", "--lang", lang).stdout
        expect(all(w in text for w in (DESK4, DESK6, listed)), "%s", text)
        text = box.sekisho("status", "--all", "--lang", lang, check=False).stdout
        expect(line in " ".join(text.split()), "%s", text)
    for lang, wrong, words in (("en", 'terminals = ["10.74.0.9"];\n', "leads to"), ("ja", 'terminals = ["%s", "%s"];\n' % (DESK4, DESK4), "重複しています"),
                               ("en", "terminals = [];\n", "is empty"), ("en", 'terminals = ["10.79.0.0/24"];\n', "not the address of a host")):
        done = box.sekisho("apply", "--lang", lang, box.text(wrong), check=False)
        expect(done.returncode == 2 and words in done.stdout + done.stderr, "%s: %d %s", wrong, done.returncode, done.stdout + done.stderr)
    held(box, {DESK4, DESK6})


CASES = (terminals_alone, terminals_change, losers_are_named, its_own_addresses_go, nothing_more_is_said, trials_that_end, terminals_meddled_with, terminals_told)
