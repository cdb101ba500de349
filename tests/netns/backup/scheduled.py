# SPDX-License-Identifier: Apache-2.0
"""Backups by root's schedule: onto a stick, a file system on a loop device, and to a real WebDAV
server over TLS behind the admin interface."""
import contextlib
import fcntl
import hashlib
import os
import re
import signal
import time

from cases import expect
from net import sh, wait_for

ETC, LINK = "/etc/sekisho", "/dev/disk/by-label/SEKISHO-BAK"
NGINX = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "build", "peers", "usr/sbin/nginx"))
UNIT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "images/systemd/sekisho-backup.service"))
SERVER, NAME, PREFIX = "10.79.0.2", "nas.example", "sekisho-test-"


def written(path, data, mode=0o644):
    with open(path, "wb") as f:
        f.write(data if isinstance(data, bytes) else data.encode())
    os.chmod(path, mode)
    return path


def read(path):
    with open(path, "rb") as f:
        return f.read()


class Said(str):
    """Text that a program printed. `in` ignores blanks and line breaks."""

    def __contains__(self, words):
        return "".join(words.split()) in "".join(self.split())


class Schedule:
    """The files that root has put beside box.cfg, and the program, as the timer or a person starts
    it."""

    def __init__(self, box, sekisho):
        self.box, self.sekisho = box, sekisho

    def says(self, *lines, mode=0o644):
        written(ETC + "/backup-schedule", "# a comment\n" + "".join(line + "\n" for line in lines), mode)

    def run(self, *words, status=0, lang="en"):
        return Said(self.sekisho(self.box, "backup", "--scheduled", "--state", self.box.run_folder + "/state", *words, status=status, lang=lang))

    def by_the_timer(self):
        """Runs the program with exactly the capabilities of its unit."""
        with open(UNIT, encoding="utf-8") as f:
            kept = re.search(r"^CapabilityBoundingSet=(.*)$", f.read(), re.M).group(1).lower().replace("cap_", "+").replace(" ", ",")
        done = sh("setpriv", "--no-new-privs", "--bounding-set", "-all," + kept, self.box.build + "/sekisho", "backup", "--scheduled", "--due", "--state",
                  self.box.run_folder + "/state", "--lang", "en", "--socket", self.box.run_folder + "/run/control.sock", check=False)
        expect(done.returncode == 0, "%d: %s%s", done.returncode, done.stdout, done.stderr)

    def row(self, target):
        found = [o for o in self.box.status()["backup"]["carried"] if o["to"] == target]
        return found[0] if found else None

    def events(self, after, code):
        return [e["object"] for e in self.box.events(after) if e.get("code") == code]

    def recorded(self, after, code, n=1):
        return wait_for(lambda: len(self.events(after, code)) >= n and self.events(after, code), 5, code)


class Stick:
    """A FAT file system on a loop device, with the label, looked at with mtools."""

    def __init__(self, folder, kib=1024):
        self.file = folder + "/stick.img"
        with open(self.file, "wb") as f:
            f.truncate(kib << 10)
        sh("mkfs.vfat", "-n", "SEKISHO-BAK", self.file)
        self.device = sh("losetup", "--find", "--show", self.file).stdout.strip()

    def plug(self, there=True):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(LINK)
        if there:
            os.symlink(self.device, LINK)

    def names(self):
        return sorted(line[3:] for line in sh("mdir", "-b", "-i", self.device, "::/").stdout.splitlines())

    def read(self, name):
        sh("mcopy", "-n", "-o", "-i", self.device, "::/" + name, self.file + ".read")
        return read(self.file + ".read")

    def put(self, name, data=b"x"):
        sh("mcopy", "-i", self.device, written(self.file + ".put", data), "::/" + name)

    def close(self):
        self.plug(False)
        sh("losetup", "-d", self.device, check=False)


@contextlib.contextmanager
def place(box, certificate):
    """A /dev/disk of the suite's own, and the site's certificate."""
    os.makedirs("/dev/disk", exist_ok=True)
    sh("mount", "-t", "tmpfs", "tmpfs", "/dev/disk")
    os.makedirs("/dev/disk/by-label")
    written(ETC + "/backup.pem", read(certificate))
    try:
        yield
    finally:
        for name in ("backup.pem", "backup-schedule", "backup-password"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(ETC + "/" + name)
        sh("umount", "/dev/disk")


def next_second():
    now = int(time.time())
    wait_for(lambda: int(time.time()) > now, 5, "the next second")


def on_a_stick(box, s, certificate, key):
    with contextlib.ExitStack() as ends:
        ends.enter_context(place(box, certificate))
        stick = Stick(box.run_folder)
        ends.callback(stick.close)
        os.unlink(ETC + "/backup.pem")
        before = box.last_seq()
        # No schedule; a schedule that others may write; and one that nobody can read.
        expect("No backups are scheduled" in s.run() and s.row("stick") is None, "a schedule of nobody")
        s.says("every 1", "to stick", mode=0o666)
        expect("root's own" in s.run(status=3), "a loose schedule")
        for wrong in ("every 0", "every 32", "keep 0", "to tape", "to"):
            s.says("to stick", wrong)
            expect("is not a schedule" in s.run(status=2), "%s", wrong)
        s.says("every 1")
        s.run(status=2)
        expect(s.row("stick") is None, "counted all the same")
        # A missing stick is reported and recorded once, without an alarm. Without a certificate
        # nothing is written.
        s.says("every 1", "keep 2", "to stick")
        for lang, words in (("en", "no stick with the label"), ("ja", "USB メモリーがありません")):
            expect(words in s.run("--due", status=1, lang=lang), "%s", words)
        expect(s.recorded(before, "backup_scheduled") == ["stick: every 1 d"], "%s", s.events(before, "backup_scheduled"))
        expect(s.recorded(before, "backup_not_carried") == ["stick: absent"], "%s", s.events(before, "backup_not_carried"))
        row = s.row("stick")
        expect(row["why"] == "absent" and row["last"] is None and row["due"] and not row["overdue"], "%s", row)
        said = Said(box.sekisho("status", "--all", "--lang", "en", check=False).stdout)
        expect("NEVER stored at the stick" in said and "no stick with the label" in said and "no scheduled backup" not in said, "%s", said)
        stick.plug()
        expect("no certificate" in s.run(status=1) and not stick.names(), "%s", stick.names())
        # after a failure the next backup is due in six hours
        expect("due" in s.run("--due") and not s.row("stick")["due"], "an hour later again")
        written(ETC + "/backup.pem", read(certificate))
        # A backup is stored as a whole, and recorded.
        s.run()
        (name,) = stick.names()
        data = stick.read(name)
        expect(name.startswith(PREFIX) and name.endswith("Z.backup") and data.startswith(b"sekisho-backup 2 "), "%s", name)
        expect(s.recorded(before, "backup_carried") == ["stick: %s, %d bytes, SHA-256 %s" % (name, len(data), hashlib.sha256(data).hexdigest())], "%s",
               s.events(before, "backup_carried"))
        row = s.row("stick")
        expect(row["last"] and row["why"] is None and not row["due"], "%s", row)
        s.sekisho(box, "backup", "--verify", written(box.run_folder + "/off.backup", data), "--key", key)
        expect("no backup is due" in s.run("--due") and stick.names() == [name], "twice a day")
        # A person wants one now: the timer's order makes it, once, and tells all that fails.
        since = box.last_seq()
        for there, code in ((True, "backup_carried"), (False, "backup_not_carried"), (False, "backup_not_carried")):
            stick.plug(there)
            next_second()
            written(box.run_folder + "/run/backup-now", "")
            s.run("--due", status=0 if there else 1)
            expect(not os.path.exists(box.run_folder + "/run/backup-now"), "it stays wanted")
        expect(len(s.recorded(since, "backup_carried")) == 1 and len(s.recorded(since, "backup_not_carried", 2)) == 2, "%s", box.events(since))
        told = next(e for e in box.events(since) if e.get("code") == "backup_not_carried")
        expect("no stick with the label" in Said(s.sekisho(box, "explain", str(told["seq"]), lang="en")), "the reason in words")
        stick.plug()
        for other in stick.names():
            if other != name:
                sh("mdel", "-i", stick.device, "::/" + other)
        # Another run has locked the schedule; then another program uses the stick.
        with open(ETC + "/backup-schedule", "rb") as f:
            fcntl.flock(f, fcntl.LOCK_EX)
            expect("another backup" in s.run(status=3), "two at once")
        taken = os.open(stick.device, os.O_RDWR | os.O_EXCL)
        expect("it is in use" in s.run(status=1), "two at once")
        os.close(taken)
        # Files of others stay. A backup that a power cut left incomplete is begun anew. The newest
        # two stay.
        old, folder = PREFIX + "20200101T000000Z.backup", PREFIX + "20200102T000000Z.backup"
        others = [old[:-1], "sekisho-other-20200101T000000Z.backup"]
        for other in (*others, old, PREFIX + "new"):
            stick.put(other)
        sh("mmd", "-i", stick.device, "::/" + folder)
        for _ in range(2):
            next_second()
            s.run()
        names = stick.names()
        mine = [n for n in names if n not in others and n != folder + "/"]
        expect(len(mine) == 2 and len(names) == 5 and old not in names and name not in names, "%s", names)
        sh("mmd", "-i", stick.device, "::/" + PREFIX + "new")
        next_second()
        expect("a folder or an earlier file" in s.run(status=1) and s.row("stick")["why"] == "odd", "%s", s.row("stick"))
        sh("mrd", "-i", stick.device, "::/" + PREFIX + "new")
        # On a full stick no half file is left, and no earlier file is lost.
        free = int(re.search(r"([0-9 ]+) bytes free", sh("mdir", "-i", stick.device, "::/").stdout).group(1).replace(" ", ""))
        stick.put("filler", bytes(free - 4096))
        was = stick.names()
        expect("it is full" in s.run(status=1) and stick.names() == was, "%s", stick.names())
        expect(s.recorded(before, "backup_not_carried", 5)[-3:] == ["stick: in_use", "stick: odd", "stick: full"], "%s", s.events(before, "backup_not_carried"))
        # The stick has no file system that mtools knows.
        with open(stick.device, "wb") as f:
            f.write(bytes(4096))
        expect("it has no FAT" in s.run(status=1), "zeros")
        # The count survives a restart of the daemon. Without a schedule nothing is counted.
        last = s.row("stick")["last"]
        box.kill()
        box.start()
        wait_for(lambda: box.status().get("backup"), 10, "the new daemon")
        expect(s.row("stick")["last"] == last and s.row("stick")["every"] == 1, "%s", s.row("stick"))
        s.says("every 7", "to stick")
        s.run("--due")
        expect(s.row("stick")["every"] == 7 and s.row("stick")["last"] == last, "%s", s.row("stick"))
        os.unlink(ETC + "/backup-schedule")
        s.run("--due")
        expect(s.row("stick") is None and s.recorded(before, "backup_scheduled", 3)[-1] == "stick: off", "%s", s.events(before, "backup_scheduled"))
        return "%d bytes" % len(data)


class Nas:
    """nginx with WebDAV behind the admin interface, with a certificate of its own authority."""

    def __init__(self, box):
        self.box, self.folder, self.process = box, box.run_folder + "/nas", None
        w = self.folder
        sh("rm", "-rf", w)
        os.makedirs(w + "/html/backups/kita")
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        for ca in ("ca", "foreign"):
            sh("openssl", "req", "-x509", *ec, "-days", "30", "-keyout", w + "/%s.key" % ca, "-out", w + "/%s.pem" % ca, "-subj", "/CN=nas")
        sh("openssl", "req", *ec, "-keyout", w + "/key.pem", "-out", w + "/asked.pem", "-subj", "/CN=" + NAME)
        sh("openssl", "x509", "-req", "-in", w + "/asked.pem", "-CA", w + "/ca.pem", "-CAkey", w + "/ca.key", "-CAcreateserial", "-days", "30", "-extfile",
           written(w + "/extensions", "subjectAltName=DNS:%s\n" % NAME), "-out", w + "/cert.pem")
        written(w + "/users", "box:{PLAIN}two boats, drift\n")
        written(w + "/nginx.conf", """daemon off; user root; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error.log;
events { worker_connections 64; }
http { access_log %(d)s/access.log; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
 server { listen %(a)s:443 ssl; ssl_certificate %(d)s/cert.pem; ssl_certificate_key %(d)s/key.pem; root %(d)s/html; client_max_body_size 8m;
  location /backups { dav_methods PUT; auth_basic nas; auth_basic_user_file %(d)s/users; }
  location /small { dav_methods PUT; client_max_body_size 1k; }
  location /moved { return 302 https://%(a)s/backups/x; } } }
""" % {"d": w, "a": SERVER})

    def start(self):
        w = self.folder
        self.process = self.box.net.spawn([NGINX, "-p", w, "-c", w + "/nginx.conf", "-e", w + "/error.log"], self.box.admin, log=w + "/nginx.log")
        wait_for(lambda: SERVER + ":443" in sh("ss", "-Hltn", ns=self.box.admin).stdout, 20, "nginx to listen")

    def stop(self):
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGTERM)
            self.process.wait()
            self.process = None

    def files(self):
        at = self.folder + "/html/backups/kita"
        return {n: read(at + "/" + n) for n in sorted(os.listdir(at))}

    def declared(self, *conduits, name=NAME, ca="ca", folder="/backups/kita", user='user = "box"; '):
        text = self.box.write(*conduits)
        with open(os.path.dirname(text) + "/box.cfg", "a", encoding="utf-8") as f:
            f.write('backup_server = { address = "%s"; name = "%s"; ca = "%s/%s.pem"; folder = "%s"; %s};\n' % (SERVER, name, self.folder, ca, folder, user))
        self.box.sekisho("apply", "--lang", "en", text)


def to_a_server(box, s, certificate, conduits):
    nas = Nas(box)
    with contextlib.ExitStack() as ends:
        ends.enter_context(place(box, certificate))
        ends.callback(nas.stop)
        before = box.last_seq()
        s.says("every 2", "to server")

        def fails(word, said, n):
            expect(said in s.run(status=1) and s.row("server")["why"] == word, "%s: %s", word, s.row("server"))
            s.recorded(before, "backup_not_carried", n)

        fails("undeclared", "names no backup_server", 1)
        nas.declared(*conduits)
        reached = box.sekisho("effective", "--lang", "en").stdout
        expect(re.search("backup server +%s +tcp/443" % re.escape(SERVER), reached), "%s", reached)
        fails("no_password", "there is no password", 2)
        written(ETC + "/backup-password", "wrong\n", 0o600)
        fails("unreached", "no connection", 3)
        nas.start()
        fails("denied", "refuses user and password", 4)
        expect(not nas.files(), "%s", list(nas.files()))
        written(ETC + "/backup-password", "two boats, drift\n", 0o600)
        os.unlink(ETC + "/backup-schedule")
        s.run("--due")  # its failures are forgotten, so one is due at once
        s.says("every 2", "to server")
        s.by_the_timer()
        (name, data), = nas.files().items()
        expect(s.recorded(before, "backup_carried") == ["server: %s, %d bytes, SHA-256 %s" % (name, len(data), hashlib.sha256(data).hexdigest())], "%s",
               s.events(before, "backup_carried"))
        expect(name.startswith(PREFIX) and data.startswith(b"sekisho-backup 2 ") and s.row("server")["every"] == 2, "%s", name)
        expect("no backup is due" in s.run("--due"), "twice")
        # A server that is not the declared one gets nothing. If a server refuses, the reason is
        # reported.
        n = 5
        for how, word, said in (({"ca": "foreign"}, "authority", "not signed by the authority"), ({"name": "other.example"}, "name", "another name"),
                                ({"folder": "/small", "user": ""}, "full", "it is full"), ({"folder": "/moved"}, "elsewhere", "another address"),
                                ({"folder": "/absent"}, "answer", "did not confirm")):
            nas.declared(*conduits, **how)
            fails(word, said, n)
            n += 1
        expect(list(nas.files()) == [name], "%s", list(nas.files()))
        # A server that box.cfg no longer names is not asked, although the schedule still names it.
        box.apply(*conduits)
        asked = read(nas.folder + "/access.log")
        fails("undeclared", "names no backup_server", n)
        expect(read(nas.folder + "/access.log") == asked and b"two boats" not in asked, "asked all the same")
        os.unlink(ETC + "/backup-schedule")
        s.run("--due")
        return "%d bytes" % len(data)
