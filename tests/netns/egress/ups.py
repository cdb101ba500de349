# SPDX-License-Identifier: Apache-2.0
"""A UPS that another machine watches: there, Debian's upsd with its driver of a simulated UPS; in
the admin namespace, the unit's program with Debian's upsmon, confined as by the unit. The order to
turn the machine off is a file here, which no systemd follows."""
import json
import os
import signal
import socket

import documented
from cases import expect
from net import inside, sh, wait_for
from programs import LIBRARIES, PEERS_FOLDER, read, written

SERVER, OTHER, PORT = "10.79.0.9", "10.79.0.20", 3493
NUT = os.path.join(PEERS_FOLDER, "lib", "nut")
DRIVER, UPSD, UPSMON, UPSC = (os.path.join(NUT, "dummy-ups"), os.path.join(NUT, "upsd"), os.path.join(NUT, "upsmon"), os.path.join(PEERS_FOLDER, "bin", "upsc"))
PROGRAMS = (DRIVER, UPSD, UPSMON, UPSC)
OURS = os.path.abspath(os.path.join(PEERS_FOLDER, "..", "..", "images", "ups"))
USER = 61994  # images/systemd/sysusers.conf
ALL_LIBRARIES = ":".join((os.path.join(PEERS_FOLDER, "lib", os.uname().machine + "-linux-gnu"), LIBRARIES))
WORDS = ("ups_battery", "ups_mains", "ups_low", "ups_forced", "ups_away", "ups_answers", "ups_power_off", "ups_stays")


def declared(more="", server=SERVER):
    return 'ups = { address = "%s"; name = "hall"; user = "sekisho"; %s};\n' % (server, more)


class Power:
    """The server, its UPS and the box's program of one case; all are ended after it."""

    def __init__(self, box, password="secret of the hall".replace(" ", "-")):
        self.box, self.mine = box, []
        self.folder, self.state, self.off = box.run_folder + "/nut", box.run_folder + "/run-ups", box.run_folder + "/run/power-off"
        sh("rm", "-rf", self.folder, self.state, self.off)
        for folder in (self.folder, self.folder + "/secret", self.state):
            os.makedirs(folder, mode=0o755)
        written(self.folder + "/secret/password", password + "\n")
        os.chown(self.folder + "/secret/password", USER, USER)
        os.chmod(self.folder + "/secret/password", 0o400)
        os.chown(self.state, USER, USER)
        os.chmod(self.state, 0o700)
        written(self.folder + "/ups.conf", "maxstartdelay = 5\n[hall]\n driver = dummy-ups\n port = %s/hall.dev\n mode = dummy-once\n pollinterval = 1\n" % self.folder)
        written(self.folder + "/upsd.conf", "LISTEN %s %d\nSTATEPATH %s\n" % (SERVER, PORT, self.folder))
        written(self.folder + "/upsd.users", "[sekisho]\n password = secret-of-the-hall\n upsmon secondary\n"
                                             "[server]\n password = own\n actions = SET FSD\n upsmon primary\n")
        self.env = dict(os.environ, LD_LIBRARY_PATH=ALL_LIBRARIES, NUT_CONFPATH=self.folder, NUT_STATEPATH=self.folder, NUT_ALTPIDPATH=self.folder)
        self.before = len(self.events())
        self.says("OL", 100)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.mine:
            self.box.net.stop(p)
        sh("rm", "-f", self.off)

    def says(self, status, charge):
        """Sets the state that the UPS shows."""
        written(self.folder + "/hall.new", "ups.status: %s\nbattery.charge: %d\nbattery.runtime: %d\n" % (status, charge, charge * 12))
        os.rename(self.folder + "/hall.new", self.folder + "/hall.dev")

    def spawn(self, args, ns, name, **more):
        p = self.box.net.spawn(args, ns, log="%s/%s.log" % (self.folder, name), **more)
        self.mine.append(p)
        return p

    def driver(self):
        p = self.spawn([DRIVER, "-a", "hall", "-D", "-u", "root"], self.box.admin, "driver", env=self.env)
        wait_for(lambda: os.path.exists(self.folder + "/dummy-ups-hall"), 10, "the driver")
        return p

    def server(self):
        p = self.spawn([UPSD, "-F", "-u", "root"], self.box.admin, "upsd", env=self.env)
        wait_for(lambda: self.asked("VER").startswith("Network UPS Tools"), 15, "the server")
        return p

    def program(self):
        """The program as in the unit: a user of its own without capabilities, and a session of its
        own, so that everything of it can be ended."""
        jail = ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "--bounding-set", "-all", "--no-new-privs", "env",
                "LD_LIBRARY_PATH=" + ALL_LIBRARIES, "RUNTIME_DIRECTORY=" + self.state, "CREDENTIALS_DIRECTORY=" + self.folder + "/secret",
                OURS, self.box.run_folder + "/run/ups.conf", UPSMON, UPSC]
        return self.spawn(["unshare", "--pid", "--fork", "--kill-child=TERM", "--mount-proc", *jail], self.box.admin_ns, "program", env=dict(os.environ))

    def asked(self, *lines):
        """Sends these lines to the server, as its primary would. Returns the last answer."""
        try:
            with inside(self.box.admin):
                s = socket.create_connection((SERVER, PORT), timeout=5)
        except OSError:
            return ""
        with s, s.makefile("rw", encoding="ascii") as f:
            for line in lines:
                f.write(line + "\n")
                f.flush()
                answer = f.readline().strip()
        return answer

    def told(self):
        said = json.loads(self.box.sekisho("status", "--json", check=False).stdout)
        missing, _ = documented.undocumented(json.dumps(said))
        expect(not missing, "docs/json.md does not know %s", missing)
        return said["ups"]

    def is_told(self, **wanted):
        told = self.told()
        return all(told[k] == v for k, v in wanted.items())

    def wait_told(self, what, seconds=30, **wanted):
        try:
            wait_for(lambda: self.is_told(**wanted), seconds, what)
        except TimeoutError as e:
            logs = {n: read("%s/%s.log" % (self.folder, n))[-600:] for n in ("program", "upsd") if os.path.exists("%s/%s.log" % (self.folder, n))}
            raise TimeoutError("%s: %s; %s" % (e, self.told(), logs)) from None

    def lines(self, lang="en"):
        return " ".join(self.box.sekisho("status", "--all", "--lang", lang, check=False).stdout.split())

    def events(self):
        """The recorded events of the UPS in order, each with its object."""
        out = self.box.sekisho("events", "--json", "--limit", "5000", check=False).stdout
        found = [json.loads(x) for x in out.splitlines()]
        return [(e["code"], e.get("object", "")) for e in found if e.get("kind") == "machine" and e.get("code") in WORDS]

    def since_begin(self):
        return [w for w, _ in self.events()[self.before:]]

    def wait_events(self, *words, seconds=40):
        try:
            wait_for(lambda: self.since_begin() == list(words), seconds, "records %s" % (words,))
        except TimeoutError as e:
            raise TimeoutError("%s: %s; status %s" % (e, self.since_begin(), self.told())) from None


def put_off(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("ups\n")


def battery_ends(box):
    """Mains, battery, low battery: each is recorded once, shown in both languages with a daemon and
    without, and the machine is ordered off when the battery has been low for some time. Not for a
    UPS that is low on mains, or that only measures its battery. The server knows the box, and the
    program reaches only the server in box.cfg."""
    box.fresh()
    box.go("")
    with Power(box) as p:
        expect(p.told() is None and "UPS" not in p.lines(), "nobody is named: %s", p.told())
        began = box.mark()
        expect(not any(box.say(to, PORT, b"x;") for to in (SERVER, OTHER)), "an undeclared server was spoken to")
        box.say(SERVER, PORT, kind=socket.SOCK_STREAM)
        expect(not box.barrier(began), "arrived before it was named: %s", box.sent(began))
        p.driver()
        p.server()
        box.go(declared())
        expect("secret" not in read(box.run_folder + "/run/ups.conf"), "a password in what everybody may read")
        p.program()
        p.wait_told("the UPS on mains, and the box counted", state="mains", charge=100, runtime=1200, counted=True, on_low="power_off", name="hall",
                    server="%s:%d" % (SERVER, PORT))
        expect("UPS hall at %s:%d: on mains UPS: battery at 100 %%, about 20 minutes left" % (SERVER, PORT) in p.lines(), "%s", p.lines())
        expect("UPS hall（%s:%d）: 商用電源で運転中" % (SERVER, PORT) in p.lines("ja"), "%s", p.lines("ja"))
        peers = [x for x in box.reach()["peers"] if x["use"] == "ups"]
        expect([(x["address"], x["protocol"], x["port"]) for x in peers] == [(SERVER, "tcp", PORT)] and peers[0]["packets"] > 0, "%s", peers)
        expect("UPS server" in box.sekisho("effective", "--lang", "en").stdout and "UPS サーバー" in box.sekisho("effective", "--lang", "ja").stdout, "effective")
        began = box.mark()
        box.say(SERVER, PORT + 1, kind=socket.SOCK_STREAM)
        box.say(OTHER, PORT, kind=socket.SOCK_STREAM)
        expect(not box.say(SERVER, PORT), "UDP to the server")
        came = {x[:3] for x in box.barrier(began)}
        expect(came <= {(SERVER, 6, PORT)}, "arrived beside it: %s", came)
        box.verified()
        p.says("OL CHRG LB", 40)
        p.wait_told("an empty battery that is filled", state="mains", charge=40)
        p.says("CAL OB LB", 41)
        p.wait_told("a battery that is measured", state="battery", charge=41)
        p.wait_events("ups_battery")
        p.says("OL", 90)
        p.wait_told("mains again", state="mains", charge=90)
        p.wait_events("ups_battery", "ups_mains")
        p.says("OB DISCHRG", 80)
        p.wait_told("the battery", state="battery", charge=80)
        since = p.told()["since"]
        p.wait_events("ups_battery", "ups_mains", "ups_battery")
        expect("ON BATTERY since" in p.lines() and "バッテリー運転中" in p.lines("ja"), "%s", p.lines())
        box.kill()
        alone = box.standing()["ups"]
        expect(alone["state"] == "battery" and alone["charge"] == 80 and abs(int(alone["since"][17:19]) - int(since[17:19])) % 60 in (0, 1, 59), "without a daemon: %s, %s", alone, since)
        box.start()
        wait_for(box.running, 20, "the roles")
        p.says("OB DISCHRG LB", 10)
        p.wait_told("low", state="low", charge=10)
        expect("LOW" in p.lines() and "残量低下" in p.lines("ja"), "%s", p.lines())
        # A daemon that has started meanwhile records the outage as its own event.
        p.wait_events("ups_battery", "ups_mains", "ups_battery", "ups_battery", "ups_low", "ups_power_off", seconds=60)
        wait_for(lambda: os.path.exists(p.off), 5, "the word to go off")
        expect((read(p.off), os.stat(p.off).st_uid, os.stat(p.off).st_mode & 0o777) == ("ups\n", 0, 0o600), "%s", os.stat(p.off))
        said = box.sekisho("events", "--lang", "ja", "--limit", "5000", check=False).stdout
        expect("停電。UPS がバッテリーで運転中" in said and "電源を切る" in said, "%s", said[-2000:])
        expect("hall@%s:%d, 10 %%" % (SERVER, PORT) in [o for _, o in p.events()], "%s", p.events())
        # Nothing followed the order here: when the mains are back it is deleted. The state that a
        # new daemon finds is no event.
        p.says("OL", 15)
        p.wait_told("the power again", state="mains")
        wait_for(lambda: not os.path.exists(p.off), 20, "the word to be taken back with the mains")
        put_off(p.off)
        box.kill()
        box.start()
        wait_for(lambda: not os.path.exists(p.off), 20, "an old word to be taken away at a start")


def server_forces(box):
    """The server shuts down all its clients: the machine is ordered off at once. If box.cfg says
    that a low battery is only recorded, this is only recorded."""
    box.fresh()
    box.go("")
    with Power(box) as p:
        p.driver()
        p.server()
        box.go(declared('on_low = "record"; '))
        p.program()
        p.wait_told("the UPS on mains", state="mains", counted=True, on_low="record")
        expect("a low battery is only recorded" in p.lines() and "記録だけ" in p.lines("ja"), "%s", p.lines())
        p.says("OB", 50)
        p.wait_told("the battery", state="battery")
        box.go(declared(), "--dry-run")
        forced = p.asked("USERNAME server", "PASSWORD own", "PRIMARY hall", "FSD hall")
        expect(forced.startswith("OK"), "%s", forced)
        p.wait_told("the forced shutdown", state="forced")
        p.wait_events("ups_battery", "ups_forced", "ups_stays")
        expect(not os.path.exists(p.off), "the machine would have gone off")
        # A state that stands already is no event, so the same server under another rule changes
        # nothing at once either.
        box.go(declared())
        p.wait_told("the rule", on_low="power_off")
        expect(not os.path.exists(p.off), "the machine would have gone off by an apply")
        for x in list(p.mine):
            box.net.stop(x)
        p.says("OB", 50)
        p.driver()
        p.server()
        p.program()
        p.wait_told("the battery", state="battery")
        expect(p.asked("USERNAME server", "PASSWORD own", "PRIMARY hall", "FSD hall").startswith("OK"), "not forced")
        p.wait_told("the forced shutdown", state="forced")
        wait_for(lambda: os.path.exists(p.off), 10, "the word to go off")
        wait_for(lambda: p.since_begin()[-2:] == ["ups_forced", "ups_power_off"], 10, "its records")


def server_away(box):
    """A server that becomes silent, on mains and on battery: recorded once, and the machine is not
    turned off. Later states count again."""
    box.fresh()
    box.go("")
    with Power(box) as p:
        driver, server = p.driver(), p.server()
        box.go(declared())
        p.program()
        p.wait_told("the UPS on mains", state="mains")
        os.kill(server.pid, signal.SIGTERM)
        server.wait()
        p.wait_told("silence", state="away")
        p.wait_events("ups_away")
        expect("DOES NOT ANSWER" in p.lines() and "応答しないか" in p.lines("ja") and p.told()["away_since"], "%s %s", p.lines(), p.told())
        server = p.server()
        p.wait_told("the UPS again", state="mains", away_since=None)
        p.wait_events("ups_away", "ups_answers")
        p.says("OB", 60)
        p.wait_told("the battery", state="battery")
        # The driver has ended; the server itself still answers.
        os.kill(driver.pid, signal.SIGTERM)
        driver.wait()
        p.wait_told("silence", state="away", charge=None)
        p.wait_events("ups_away", "ups_answers", "ups_battery", "ups_away")
        expect(not os.path.exists(p.off), "the machine would have gone off")
        p.says("OL", 55)
        p.driver()
        p.wait_told("mains", state="mains")
        p.wait_events("ups_away", "ups_answers", "ups_battery", "ups_away", "ups_answers", "ups_mains")
        box.go("")
        expect(p.told() is None and not os.path.exists(box.run_folder + "/run/ups.conf"), "nobody is named any more")


def wrong_password(box):
    """The server does not accept the box's login: shown in both languages, and the UPS is shown all
    the same. A password that is not a single word is not written to any file."""
    box.fresh()
    for password in ("other", "-", 'secret-of-the-hall" primary\nSHUTDOWNCMD "touch'):
        box.go("")
        with Power(box, password) as p:
            p.driver()
            p.server()
            box.go(declared())
            p.program()
            p.wait_told("the UPS on mains, and the box not counted", state="mains", counted=False)
            expect("WILL NOT WAIT FOR THIS BOX" in p.lines() and "ログインできない" in p.lines("ja"), "%s", p.lines())
            conf = read(p.state + "/upsmon.conf")
            expect(os.stat(p.state + "/upsmon.conf").st_mode & 0o777 == 0o600, "upsmon.conf: %o", os.stat(p.state + "/upsmon.conf").st_mode)
            expect(("MONITOR" in conf) == (password == "other") and "touch" not in conf, "%s", conf)


def another_writes(box):
    """Other files in place of the program's state: a pipe, a link, a text about another UPS. They
    are ignored, and block nobody."""
    box.fresh()
    box.go("")
    with Power(box) as p:
        box.go(declared())
        state = p.state + "/state"
        up = int(float(read("/proc/uptime").split()[0]))
        text = "at %d\nof %s\nstatus FSD OB LB\nsince 1\ncharge 1\nruntime 1\ncounted yes\n"
        os.mkfifo(state)
        expect(p.told()["state"] == "away", "%s", p.told())
        os.unlink(state)
        os.symlink(written(p.folder + "/elsewhere", text % (up, "hall@%s:%d" % (SERVER, PORT))), state)
        expect(p.told()["state"] == "away", "%s", p.told())
        os.unlink(state)
        for of in ("hall@%s:%d" % (OTHER, PORT), "hall2@%s:%d" % (SERVER, PORT)):
            written(state, text % (up, of))
            expect(p.told()["state"] == "away", "%s", p.told())
        written(state, text % (up, "hall@%s:%d" % (SERVER, PORT)))
        expect(p.told()["state"] == "forced", "%s", p.told())
        # The first state that is read turns nothing off at once.
        p.wait_events("ups_battery", "ups_forced")
        expect(not os.path.exists(p.off), "the machine would have gone off")


CASES = (battery_ends, server_forces, server_away, wrong_password, another_writes)
