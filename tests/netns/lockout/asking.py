# SPDX-License-Identifier: Apache-2.0
"""`sekisho setup` at a terminal of the test: what a person types, what is asked, and the result."""
import calendar
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

from cases import expect
from net import SLOWNESS, inside, sh

# name, label, phone number, and for the records: responsible person and purpose
SITE = ["kita", "", "4119", "IT", ""]
ANSWERS = SITE + ["1", "adm0", "", "10.79.0.1/24", "", "it0", "", "10.71.0.1/24", "office", "1", "", "IT", "ops0", "", "10.72.0.1/24 2001:db8:72::1/64",
                  "tos", "2", "TOS", "Terminal", ""]
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "golden", "setup-between")


class Terminal:
    """The program with a pty as its terminal, in the first namespace."""

    def __init__(self, box, build, socket, folder, lang="en", env=None, ns=None):
        self.master, slave = pty.openpty()
        command = ["ip", "netns", "exec", ns or box.home, build + "/sekisho", "setup", folder, "--lang", lang, "--socket", socket]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env=dict(env or os.environ, TERM="xterm"))
        os.close(slave)
        self.text, self.seen = "", 0

    def read(self, seconds=20):
        """Reads until the program asks or ends. Returns everything since the last answer."""
        end = time.monotonic() + seconds * SLOWNESS
        while True:
            new = self.text[self.seen:]
            if new.endswith("> "):
                return " ".join(new.split())
            left = end - time.monotonic()
            expect(left > 0, "it neither asks nor ends: %s", new[-500:])
            if not select.select([self.master], [], [], left)[0]:
                continue
            try:
                data = os.read(self.master, 65536)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                return " ".join(self.text[self.seen:].split())
            self.text += data.decode("utf-8", "replace")

    def say(self, line):
        """Answers, and reads what follows."""
        self.seen = len(self.text)
        os.write(self.master, line.encode() + b"\n")
        return self.read()

    def end(self):
        status = self.process.wait(timeout=30 * SLOWNESS)
        os.close(self.master)
        return status


def all_of(terminal, answers):
    said = terminal.read()
    return all_of_rest(terminal, answers) if answers else said


def all_of_rest(terminal, answers):
    for a in answers:
        said = terminal.say(a)
    return said


def start(box, tools, folder, lang="en", env=None, ns=None):
    sh_folder = tools["run"] + "/" + folder
    return Terminal(box, tools["build"], tools["run"] + "/run/control.sock", sh_folder, lang, env, ns), sh_folder


def set_up(box, tools):
    """From a machine with cards to a box that denies everything: wrong answers are asked again, and
    a person can go back. A card without a cable is shown as such. The policy in force is the one
    that was shown."""
    tools["fresh"](box)
    box.start()
    t, folder = start(box, tools, "first")
    expect("Name of the site" in t.read(), "%s", t.text)
    for wrong in ("", "北", "-x", "a b", "x" * 64, "a\"b", "y" * 400):
        expect("Name of the site" in t.say(wrong), "%r was taken", wrong)
    expect("name as people write it" in t.say("kita"), "%s", t.text)
    for back in ("b", "ｂ"):  # in the form of an input method as well
        expect("Name of the site" in t.say(back) and "[kita]" in t.text[t.seen:], "back by %s: %s", back, t.text[t.seen:])
        t.say("")
    t.say("b")
    t.say("")
    expect("Whom to call" in t.say("北ターミナル"), "%s", t.text)
    expect("Who is responsible" in t.say("当直室 内線 4119"), "%s", t.text)
    expect("How is the box connected" in t.say(""), "nobody is responsible: nothing is recorded, and what for is not asked: %s", t.text)
    expect("Who is responsible" in t.say("b"), "back over what was not asked: %s", t.text)
    expect("kept for" in t.say("情報システム課"), "%s", t.text)
    expect("How is the box connected" in t.say(""), "%s", t.text)
    expect("1 to 2" in t.say("3"), "a third way to stand")
    listed = t.say("1")
    for word in ("adm0", "ops0", "02:00:00:00:aa:01", "port of br0"):
        expect(word in listed, "%s is not in the list: %s", word, listed)
    expect("no card" in t.say("99") and "no card" in t.say("nothere"), "a card that is not there")
    expect("cannot let it blink" in t.say("blink ops0"), "%s", t.text[t.seen:])
    expect("Number of the admin VLAN" in t.say("adm0"), "%s", t.text[t.seen:])
    for wrong in ("0", "4095", "x", "-1"):
        expect("from 1 to 4094" in t.say(wrong), "VLAN %s was taken", wrong)
    expect("Address of the box for administration" in t.say("99"), "%s", t.text[t.seen:])
    expect("Number of the admin VLAN" in t.say("b"), "back")
    expect("Address of the box for administration" in t.say(""), "%s", t.text[t.seen:])
    for wrong in ("", "10.79.0.1", "10.79.0.1/33", "10.79.0.1/24 x", "10.79.0.300/24", "10.79.0.0/24", "10.79.0.255/24", "127.0.0.1/8", "2001:db8::/64"):
        expect("Address of the box for administration" in t.say(wrong), "%r was taken", wrong)
    expect("terminals" in t.say("10.79.0.1/24"), "%s", t.text[t.seen:])
    expect("not of the form" in t.say("192.168.7.0/24 by 10.79.0.254"), "%s", t.text[t.seen:])
    for wrong, why in (("192.168.7.5/24 via 10.79.0.254", "not of the form"), ("192.168.7.0/24 via 10.78.0.254", "no router in"), ("192.168.7.0/24 via 10.79.0.1", "no router in"),
                       # reported at once, not after all questions
                       ("10.79.0.128/25 via 10.79.0.254", "overlaps")):
        expect(why in t.say(wrong), "%r: %s", wrong, t.text[t.seen:])
    expect("first zone" in t.say("１９２.168.7.0/24 via 10.79.0.254"), "full-width digits: %s", t.text[t.seen:])
    expect("was chosen already" in t.say("adm0"), "%s", t.text[t.seen:])
    expect(re.search(r"adm0 .{0,60}= the administration", t.say("list")), "what adm0 was chosen for: %s", t.text[t.seen:])
    t.say("it0")
    expect("such as 10.10.0.1/24" in t.say(""), "%s", t.text[t.seen:])
    t.say("10.71.0.1/24")
    expect("Name of the zone" in t.say("self"), "self was taken")
    t.say("office")
    expect("1 to 6" in t.say("7"), "a seventh class")
    expect("such as Offices" in t.say("1"), "%s", t.text[t.seen:])
    expect("answers for this zone" in t.say("事務所"), "%s", t.text[t.seen:])
    expect("answers for this zone" in t.say(""), "nobody answers for it: %s", t.text[t.seen:])
    expect("next zone" in t.say("IT") and re.search(r"it0 .{0,60}= office", t.text[t.seen:]), "%s", t.text[t.seen:])
    t.say("ops0")
    t.say("")
    # reported at this question, not at the last one
    for wrong, whose in (("10.71.0.9/24", "office"), ("10.79.0.9/25", "the administration")):
        expect("overlaps the network of " + whose in t.say(wrong) and "such as 10.10.0.1/24" in t.text[t.seen:], "%s", t.text[t.seen:])
    t.say("10.72.0.1/24 2001:db8:72::1/64")
    expect("Another zone" in t.say("office"), "%s", t.text[t.seen:])
    for answer in ("tos", "2", "", "Terminal"):
        t.say(answer)
    shown = t.say("")
    expect("warning" not in shown, "what it writes is warned of: %s", shown)
    expect('device = "ops0"' in shown and "conduits = ();" in shown and "1 = write both" in shown, "%s", shown)
    expect(not os.path.exists(folder), "written before it was said")
    said = t.say("1")
    expect("on trial" in said and "https://10.79.0.1/" in said, "%s", said)
    expect("Nothing was changed" not in said, "it says that nothing was changed, and then what is: %s", said)
    wide = [line for line in t.text.replace("\r", "").split("\n---- ")[0].split("\n") if len(line) > 80 and line[:2] not in ("> ", "  ")]
    expect(not wide, "lines that the terminal breaks within words: %s", wide)
    trial = json.loads(box.sekisho("status", "--json", check=False).stdout)
    expect(trial["generation"]["state"] == "waiting", "no trial")
    until = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(calendar.timegm(time.strptime(trial["generation"]["confirm_by"][:19], "%Y-%m-%dT%H:%M:%S"))))
    expect("on trial until " + until in said, "%s is not said: %s", until, said)
    web = [f["list"][0]["sha256"] for f in trial["certificates"] if f["use"] == "web" and f["list"]]
    expect(all(x in said for x in web), "the certificate is not said: %s", said)
    said = t.say("ｋｅｅｐ")
    expect(t.end() == 0, "%s", said)
    for name in ("box.cfg", "site.cfg"):
        text = open(folder + "/" + name, encoding="utf-8").read()
        expect(" ".join(text.split()) in shown, "%s is not as it was shown", name)
        expect(os.stat(folder + "/" + name).st_mode & 0o777 == 0o644, "%s: whoever is not root cannot check it", name)
    expect('label = "北ターミナル"' in open(folder + "/site.cfg", encoding="utf-8").read(), "the label")
    expect(tools["in_box"](box) == {"adm0", "it0", "ops0"}, "%s", tools["in_box"](box))
    expect(json.loads(box.sekisho("status", "--json", check=False).stdout)["generation"]["state"] == "confirmed", "not kept")
    return "%d lines of talk" % len(re.findall("\n> ", t.text.replace("\r", "")))


def set_up_and_not_kept(box, tools):
    """In Japanese. Without a confirmation the machine is restored, and the old files in the folder
    stay."""
    was = tools["fresh"](box)
    box.start()
    os.makedirs(tools["run"] + "/second", exist_ok=True)
    open(tools["run"] + "/second/site.cfg", "w", encoding="utf-8").write("old")
    t, folder = start(box, tools, "second", lang="ja")
    said = all_of(t, ANSWERS + ["1"])
    expect("試行中です（" in said, "%s", said)
    expect(tools["in_box"](box) == {"adm0", "it0", "ops0"}, "%s", tools["in_box"](box))
    said = t.say("はい")
    expect("元の状態に戻します" in said and t.end() == 1, "%s", said)
    tools["same"](box.home, was)
    expect(open(folder + "/site.cfg", encoding="utf-8").read() == "old", "what was not kept lies where the next apply takes it")
    expect('"kita"' in open(folder + "/site.cfg.tried", encoding="utf-8").read() and sorted(os.listdir(folder)) ==
           ["box.cfg.tried", "site.cfg", "site.cfg.tried"], "%s", os.listdir(folder))


def set_up_over_a_session(box, tools):
    """The card of the person's own session is marked, and is only taken after he types a word."""
    tools["fresh"](box)
    tools["far_ends"](box)
    rider = tools["rider"](box, "ops", "192.0.2.10")
    box.start()
    env = dict(os.environ, SSH_CONNECTION="192.0.2.7 %d 192.0.2.10 2222" % rider.port)
    t, _ = start(box, tools, "third", env=env)
    said = all_of(t, SITE + ["1"])
    expect(re.search(r"ops0 .{0,80}your session comes over this one", said), "%s", said)
    for a in ANSWERS[len(SITE) + 1:]:
        said = t.say(a)
    said = t.say("1")
    expect("the one in which you are typing" in said and "'take'" in said, "%s", said)
    expect(not tools["in_box"](box), "%s", tools["in_box"](box))
    said = t.say("take")
    expect("on trial" in said, "%s", said)
    os.close(t.master)  # the session has ended, so nobody confirms
    t.process.wait(timeout=20 * SLOWNESS)
    rider.close()
    box.sekisho("rollback", check=False)


def set_up_ended(box, tools):
    """q, or the end of the input, at every question: nothing is written. Without a terminal:
    nothing is asked. Without a daemon: files are written only."""
    tools["fresh"](box)
    box.start()
    for n in range(len(ANSWERS) + 1):
        for end in ("q", "\x04"):
            t, folder = start(box, tools, "fourth")
            all_of(t, ANSWERS[:n])
            if end == "q":
                said = t.say(("q", "終了", "ｑ")[n % 3])
            else:
                t.seen = len(t.text)
                os.write(t.master, end.encode())
                said = t.read()
            expect("nothing was written" in said and t.end() == 1, "at question %d: %s", n, said)
            expect(not os.path.exists(folder), "something was written")
    done = subprocess.run([tools["build"] + "/sekisho", "setup", "--lang", "en"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=10, check=False)
    expect(done.returncode == 2 and "terminal" in done.stderr, "%d %s", done.returncode, done.stderr)
    tools["stop"](box)
    t, folder = start(box, tools, "fifth")
    said = all_of(t, ANSWERS + ["1"])
    expect("sekishod is not running" in said and t.end() == 3 and os.path.exists(folder + "/site.cfg"), "%s", said)
    return "%d questions" % (len(ANSWERS) + 1)


def set_up_left_alone(box, tools):
    """The session ends at the question about the trial, by the same signal as a real session:
    nothing stays on the machine or in the folder. A late 'keep' confirms nothing and changes
    nothing that was in force before."""
    was = tools["fresh"](box)
    box.start()
    for n, end in enumerate((signal.SIGHUP, signal.SIGINT)):
        t, folder = start(box, tools, "alone%d" % n)
        all_of(t, ANSWERS + ["1"])
        t.seen = len(t.text)
        os.kill(t.process.pid, end)
        said = t.read()
        expect("goes back" in said and t.end() == 1, "%s", said)
        tools["same"](box.home, was)
        expect(sorted(os.listdir(folder)) == ["box.cfg.tried", "site.cfg.tried"], "%s", os.listdir(folder))
    for name in ("one", "two"):  # puts a policy in force before, twice
        earlier = tools["run"] + "/" + name
        os.makedirs(earlier, exist_ok=True)
        open(earlier + "/box.cfg", "w", encoding="utf-8").write("language_version = 1;\ninterfaces = { };\n")
        open(earlier + "/site.cfg", "w", encoding="utf-8").write("language_version = 1;\nsite = { name = \"%s\"; };\nzones = { };\nconduits = ();\n" % name)
        box.sekisho("apply", earlier + "/site.cfg")
    before = json.loads(box.sekisho("status", "--json", check=False).stdout)["generation"]["number"]
    t, folder = start(box, tools, "late")
    said = all_of(t, ANSWERS + ["1"])
    expect("on trial" in said, "%s", said)
    box.sekisho("rollback")  # from another session, like the end of the trial
    said = t.say("keep")
    expect("goes back" in said and t.end() not in (0, None), "%s", said)
    now = json.loads(box.sekisho("status", "--json", check=False).stdout)["generation"]
    expect((now["number"], now["state"]) == (before, "confirmed"), "in force is %s, not %d", now, before)
    expect(sorted(os.listdir(folder)) == ["box.cfg.tried", "site.cfg.tried"], "%s", os.listdir(folder))


def set_up_with_cables(box, tools):
    """While it asks, cards that were down are set up to receive, and send nothing. A cable that is
    plugged or unplugged is reported at once with the card's name. Afterwards the cards are as
    before, however it ended."""
    tools["fresh"](box)
    far = box.net.add("far")
    sh("ip", "link", "add", "spare0", "type", "veth", "peer", "name", "far0", "netns", far, ns=box.home)
    for name, value in (("ipv6/conf/far0/disable_ipv6", "1"), ("ipv4/conf/far0/arp_notify", "0")):
        tools["setting"](far, name, value)
    sh("ip", "addr", "add", "10.99.9.2/24", "dev", "far0", ns=far)
    with inside(far):
        heard = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        heard.bind(("far0", 0))
        heard.settimeout(0)
    sh("ip", "link", "set", "far0", "up", ns=far)
    try:
        for lang, words in (("en", ("only receive: spare0", "went into spare0 (number ", "The cable of spare0 (number ")),
                            ("ja", ("受信専用で有効にします: spare0", "spare0（番号 ", "spare0（番号 "))):
            t, _ = start(box, tools, "cables", lang=lang)
            expect(words[0] in t.read(), "%s", t.text)
            all_of_rest(t, SITE + ["1"])
            for state, word in (("down", words[2]), ("up", words[1])):
                t.seen = len(t.text)
                sh("ip", "link", "set", "far0", state, ns=far)
                said = t.read()
                expect(word in said, "%s: %s", state, said)
            with inside(far):  # asks for an address of the machine; nobody answers on this card
                asked = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
                asked.bind(("far0", 0))
                mac = asked.getsockname()[4]
                asked.send(b"\xff" * 6 + mac + bytes.fromhex("08060001080006040001") + mac + b"\0" * 4 + b"\0" * 6 + socket.inet_aton("192.0.2.10"))
                asked.close()
            expect("up" in tools["flags"](box.home, "spare0"), "%s", tools["flags"](box.home, "spare0"))
            t.say("q")
            expect(t.end() == 1, "%s", t.text)
            # a link that comes up late does not count as a new cable
            sh("ip", "link", "set", "far0", "down", ns=far)
            begun = time.monotonic()
            t, _ = start(box, tools, "cables", lang=lang)
            all_of(t, SITE)
            t.seen = len(t.text)
            os.write(t.master, b"1\n")
            sh("ip", "link", "set", "far0", "up", ns=far)
            said = t.read()
            expect(re.search("spare0 +(up|接続)", said) or time.monotonic() - begun > 3, "%s", said)
            t.say("q")
            expect(t.end() == 1, "%s", t.text)
            expect(tools["flags"](box.home, "spare0") == [] and tools["setting"](box.home, "ipv6/conf/spare0/disable_ipv6") == "0", "not as it was")
        others = []
        while True:
            try:
                frame, where = heard.recvfrom(2048)
            except BlockingIOError:
                break
            except OSError:  # one error for each time that the link was down
                continue
            if where[2] != socket.PACKET_OUTGOING:
                others.append(frame.hex())
        expect(not others, "sent: %s", others[:4])
    finally:
        heard.close()
        sh("ip", "link", "del", "spare0", ns=box.home, check=False)


def set_up_and_the_file_changed(box, tools):
    """The files in the box's folder are those in force, and `status` says nothing about them. If
    they differ in a way that an apply would change, both forms of `status` say so in both
    languages."""
    tools["fresh"](box)
    box.start()
    os.makedirs(tools["run"] + "/etc", exist_ok=True)
    t, folder = start(box, tools, "etc/sekisho")
    all_of(t, ANSWERS + ["1", "keep"])
    expect(t.end() == 0, "%s", t.text)

    def status(*words):  # only for this program, this folder replaces /etc
        done = sh("unshare", "-m", "--propagation", "private", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', os.path.dirname(folder), tools["build"] + "/sekisho", "status", *words,
                  "--socket", tools["run"] + "/run/control.sock", check=False)
        return " ".join((done.stdout + done.stderr).split())
    said = {"en": "is NOT the policy in force", "ja": "適用中の内容と異なります"}
    for lang, words in said.items():
        for form in ((), ("--all",)):
            told = status("--lang", lang, *form)
            expect(words not in told and "kita" in told, "%s", told)
    with open(folder + "/box.cfg", "a", encoding="utf-8") as f:
        f.write("workers = 1;\n")
    for lang, words in said.items():
        for form in ((), ("--all",)):
            expect(words in status("--lang", lang, *form), "%s, %s", lang, form)


def set_up_without_cards(box, tools):
    """If the box has all cards, or the kernel has none, nothing is asked: the program says what to
    do, in both languages."""
    tools["fresh"](box)
    empty = box.net.add("empty")
    for lang, words in (("en", "release --all"), ("ja", "選べるネットワークカードがありません")):
        t, folder = start(box, tools, "eleventh", lang=lang, ns=empty)
        said = t.read()
        expect(words in said and "> " not in t.text and t.end() == 3 and not os.path.exists(folder), "%s", said)


def set_up_with_vlans(box, tools):
    """One card for everything: a VLAN that was chosen already is asked for again. The result is a
    box.cfg that `check` accepts."""
    tools["fresh"](box)
    t, folder = start(box, tools, "sixth")
    all_of(t, SITE + ["1", "ops0", "99", "10.79.0.1/24", "", "ops0"])
    expect("carries VLANs already" in t.say(""), "%s", t.text[t.seen:])
    expect("was chosen already" in t.say("99"), "%s", t.text[t.seen:])
    all_of_rest(t, ["10", "10.71.0.1/24", "office", "1", "", "IT", "it0", "", "10.72.0.1/24", "tos", "2", "", "Terminal"])
    expect("was chosen already" in t.say("it0"), "%s", t.text[t.seen:])
    shown = t.say("")
    expect('adm0 = { device = "ops0"; vlan = 99; role = "admin";' in shown and 'lan0 = { device = "ops0"; vlan = 10;' in shown and
           'lan1 = { device = "it0"; addresses' in shown, "%s", shown)
    said = t.say("2")
    expect("Written" in said and t.end() == 0, "%s", said)
    done = subprocess.run([tools["build"] + "/sekisho", "check", folder + "/site.cfg"], capture_output=True, text=True, timeout=10, check=False)
    expect(done.returncode == 0, "%s", done.stdout + done.stderr)


# The first questions, up to how the box is connected; after that, a box between two switches is
# asked other ones.
BETWEEN_FIRST = SITE + ["2", "adm0", "", "10.79.0.1/24", ""]
BETWEEN = ["10.30.0.2/24 2001:db8:30::2/64", "it0", "", "yard", "2", "", "Yard", "", "ops0", "", "crane", "3", "", "Cranes", "10.30.0.10-10.30.0.19 2001:db8:30::10", "10.30.0.1", "1",
           "2001:db8:30::1", "1"]


def set_up_between(box, tools):
    """Between two switches: every wrong answer is reported at once, and going back skips the
    questions that were left out. The result is in force: the kernel has the intended routes and
    answers."""
    tools["fresh"](box)
    box.start()
    t, folder = start(box, tools, "seventh")
    expect("free address for the box" in all_of(t, BETWEEN_FIRST), "%s", t.text[t.seen:])
    for wrong, word in (("", "is not an address with a prefix"), ("10.30.0.2", "is not an address with a prefix"), ("10.30.0.0/24", "No host can have"),
                        ("10.30.0.255/24", "No host can have"), ("10.30.0.1/30", "no room for the box"), ("10.30.0.2/24 10.31.0.2/24", "one too many"),
                        ("10.79.0.2/25", "they have to be two networks"), ("10.30.0.2/24 x", "is not an address with a prefix")):
        said = t.say(wrong)
        expect(word in said and "free address for the box" in said, "%r: %s", wrong, said)
    expect("first switch" in t.say("１０.30.0.2/24 2001:db8:30::2/64"), "%s", t.text[t.seen:])
    for wrong, word in (("", "There is no card"), ("adm0", "was chosen already"), ("99", "no card")):
        expect(word in t.say(wrong) and "first switch" in t.text[t.seen:], "%r: %s", wrong, t.text[t.seen:])
    t.say("it0"), t.say("")
    expect("What is in this zone" in t.say("yard"), "%s", t.text[t.seen:])
    t.say("2"), t.say("")
    expect("Which hosts of the network" in t.say("Yard"), "%s", t.text[t.seen:])
    for wrong, word in (("rtg1", "is not of the form"), ("10.30.1.9", "is not in 10.30.0.0/24, 2001:db8:30::/64"), ("10.30.0.2", "box's own address"),
                        ("10.30.0.9 10.30.0.255", "one that no host can have"), (" ".join("10.30.0.%d" % n for n in range(200, 220)), "second switch")):
        expect(word in t.say(wrong), "%r: %s", wrong, t.text[t.seen:])
    expect("Which hosts of the network" in t.say("b"), "back")
    expect("second switch" in t.say(""), "%s", t.text[t.seen:])
    for wrong, word in (("", "There is no card"), ("it0", "was chosen already")):
        expect(word in t.say(wrong) and "second switch" in t.text[t.seen:], "%r: %s", wrong, t.text[t.seen:])
    t.say("ops0"), t.say("")
    expect("Another zone" in t.say("yard"), "%s", t.text[t.seen:])
    t.say("crane"), t.say("3"), t.say(""), t.say("Cranes")
    expect("have to be named" in t.say(""), "%s", t.text[t.seen:])
    said = t.say("10.30.0.10-10.30.0.19")  # each of its hosts has an IPv6 address too, as is common
    expect("none of these hosts is in 2001:db8:30::/64" in said and "router leads from" in said, "%s", said)
    expect("Which hosts of the network" in t.say("b"), "back")
    said = t.say("10.30.0.10-10.30.0.19 2001:db8:30::10")
    expect("none of them" not in said and "router leads from 10.30.0.0/24" in said, "%s", said)
    for wrong in ("10.31.0.1", "10.30.0.2", "10.30.0.0", "2001:db8:30::1", "x"):
        expect("is not the address of a router" in t.say(wrong), "%r: %s", wrong, t.text[t.seen:])
    # There is no router, so its side is not asked for, also not on the way back.
    expect("router leads from 2001:db8:30::/64" in t.say(""), "%s", t.text[t.seen:])
    expect("router leads from 10.30.0.0/24" in t.say("b"), "%s", t.text[t.seen:])
    expect("On which side is 10.30.0.1: 1 = yard (it0), 2 = crane (ops0) [1]" in t.say("10.30.0.1"), "%s", t.text[t.seen:])
    expect("1 to 2" in t.say("3"), "%s", t.text[t.seen:])
    expect("10.30.0.1 is on the side of yard" in t.say("2"), "%s", t.text[t.seen:])
    expect("router leads from 2001:db8:30::/64" in t.say(""), "%s", t.text[t.seen:])
    expect("1 = write both" in t.say(""), "%s", t.text[t.seen:])
    expect("router leads from 2001:db8:30::/64" in t.say("b"), "%s", t.text[t.seen:])
    expect("On which side is 2001:db8:30::1" in t.say("2001:db8:30::1"), "%s", t.text[t.seen:])
    shown = t.say("1")
    golden = {name: open(GOLDEN + "/" + name, encoding="utf-8").read() for name in ("box.cfg", "site.cfg")}
    for text in golden.values():
        expect(" ".join(text.split()) in shown, "%s is not in: %s", text, shown)
    # Too many unnamed IPv6 hosts: the compiler reports this before anything is written.
    expect("policy.between_wide" in shown, "%s", shown)
    expect(not os.path.exists(folder), "written before it was said")
    expect("on trial" in t.say("1"), "%s", t.text[t.seen:])
    t.say("keep")
    expect(t.end() == 0, "%s", t.text[t.seen:])
    expect("Nobody has an account yet" in t.text and "sekisho user first" in t.text, "%s", t.text)
    for name, text in golden.items():
        expect(open(folder + "/" + name, encoding="utf-8").read() == text, "%s is not what tests/golden compiles", name)
    expect(tools["in_box"](box) == {"adm0", "it0", "ops0"}, "%s", tools["in_box"](box))
    answers = json.loads(sh("ip", "-j", "neigh", "show", "proxy", ns=box.data).stdout)
    of = {d: {x["dst"] for x in answers if x["dev"] == d} for d in ("it0", "ops0")}
    expect(of["it0"] == {"10.30.0.%d" % n for n in range(10, 20)} | {"2001:db8:30::10"}, "%s", of)
    expect(of["ops0"] == {"10.30.0.%d" % n for n in list(range(3, 10)) + list(range(20, 255)) + [1]} | {"2001:db8:30::1"}, "%s", of)
    routes = {(r["dev"], r["gateway"]) for family in ("-4", "-6") for r in json.loads(sh("ip", "-j", family, "route", ns=box.data).stdout) if r["dst"] == "default"}
    expect(routes == {("it0", "10.30.0.1"), ("it0", "2001:db8:30::1")}, "%s", routes)
    done = box.sekisho("verify", "--lang", "en", check=False)
    expect(done.returncode == 0, "verify: %s", done.stdout)
    return "%d lines of talk, %d answers" % (len(re.findall("\n> ", t.text.replace("\r", ""))), len(answers))


def set_up_between_otherwise(box, tools):
    """With both sides named, in Japanese: for a router that is on neither side there is no
    suggestion. VLANs of one card can be the sides. Then back to the first different question, and a
    box that routes."""
    tools["fresh"](box)
    t, folder = start(box, tools, "eighth", lang="ja")
    said = all_of(t, BETWEEN_FIRST + ["10.30.0.2/24", "ops0", "10", "yard", "2", "", "Yard", "10.30.0.5", "ops0"])
    expect("VLAN の番号" in said, "%s", said)
    expect("すでに VLAN に使われている" in t.say(""), "%s", t.text[t.seen:])
    said = all_of_rest(t, ["20", "crane", "3", "", "Cranes"])
    expect("もう一方のカードに指定済み" in t.say("10.30.0.5"), "%s", t.text[t.seen:])
    expect("もう一方のカードに指定済み" in t.say("10.30.0.0/28"), "%s", t.text[t.seen:])
    t.say("10.30.0.10")
    said = t.say("10.30.0.1")
    expect("どちらの側にありますか" in said and "[" not in said.rpartition("どちらの側")[2], "%s", said)
    expect("1～2" in t.say(""), "%s", t.text[t.seen:])
    shown = t.say("2")
    for word in ('lan0 = { device = "ops0"; vlan = 10; };', 'lan1 = { device = "ops0"; vlan = 20; };', 'via = "10.30.0.1"; interface = "lan1"; } );',
                 'networks = ["10.30.0.5"];', 'networks = ["10.30.0.10"];'):
        expect(word in shown, "%s is not in: %s", word, shown)
    said = t.say("2")
    expect("保存しました" in said and t.end() == 0, "%s", said)
    done = subprocess.run([tools["build"] + "/sekisho", "check", folder + "/site.cfg"], capture_output=True, text=True, timeout=10, check=False)
    expect(done.returncode == 0, "%s", done.stdout + done.stderr)
    t, folder = start(box, tools, "ninth")
    all_of(t, BETWEEN_FIRST + BETWEEN)
    for _ in BETWEEN + BETWEEN_FIRST[len(SITE):]:
        said = t.say("b")
    expect("How is the box connected" in said and "[2]" in said, "%s", said)
    shown = all_of_rest(t, ANSWERS[len(SITE):])
    expect("between" not in shown and '"10.71.0.1/24"' in shown and "routes" not in shown, "%s", shown)
    expect("nothing was written" in t.say("q") and t.end() == 1 and not os.path.exists(folder), "%s", t.text[t.seen:])


def set_up_between_ended(box, tools):
    """q at every question of a box between two switches: nothing is written."""
    tools["fresh"](box)
    for n in range(len(BETWEEN) + 1):
        t, folder = start(box, tools, "tenth")
        said = all_of(t, BETWEEN_FIRST + BETWEEN[:n])
        expect("1 = write both" in said or n < len(BETWEEN), "%s", said)
        expect("nothing was written" in t.say("q") and t.end() == 1 and not os.path.exists(folder), "at question %d: %s", n, t.text[t.seen:])
    return "%d questions" % (len(BETWEEN) + 1)


CASES = [set_up, set_up_and_not_kept, set_up_left_alone, set_up_with_cables, set_up_and_the_file_changed, set_up_over_a_session, set_up_ended, set_up_without_cards, set_up_with_vlans, set_up_between, set_up_between_otherwise, set_up_between_ended]
