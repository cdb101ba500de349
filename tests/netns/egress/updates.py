# SPDX-License-Identifier: Apache-2.0
"""The real program fetches a file of the update server through the rules of the admin namespace:
from a real HTTPS server, and from servers that lie, cut off, are slow or never end.
tests/image/update tests what is done with the file."""
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

import serving
from cases import expect
from net import NETNS, inside, sh, wait_for
from programs import PEERS_FOLDER, read, written

NGINX = os.path.join(PEERS_FOLDER, "usr/sbin/nginx")
SERVER, OTHER, NAME = "10.79.0.6", "10.79.0.20", "updates.example"
# appliance/fetch/fetch.h
(DONE, BROKEN, USAGE, NOBODY, UNREACHED, AUTHORITY, WRONG_NAME, DATES, TLS, ABSENT, ELSEWHERE, ANSWER, LARGE, CUT, SLOW, WRITE) = range(16)
USER = 61980  # images/systemd/sysusers.conf
FILE = os.urandom(3 << 20)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


class Updates:
    """The keys, servers and fetched files of one case."""

    def __init__(self, box):
        self.box, self.folder, self.mine, self.listeners = box, box.run_folder + "/updates", [], []
        sh("rm", "-rf", self.folder)
        os.makedirs(self.folder + "/html", mode=0o755)
        self.settings = box.run_folder + "/run/update.conf"
        ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
        w = self.folder
        for ca in ("ca", "foreign"):
            sh("openssl", "req", "-x509", *ec, "-keyout", w + "/%s.key" % ca, "-out", w + "/%s.pem" % ca, "-subj", "/CN=updates")
        sh("openssl", "req", *ec[:-2], "-keyout", w + "/key.pem", "-out", w + "/asked.pem", "-subj", "/CN=" + NAME)
        extensions = written(w + "/extensions", "subjectAltName=DNS:%s\n" % NAME)
        for name, days in (("cert", "30"), ("over", "-1")):
            sh("openssl", "x509", "-req", "-in", w + "/asked.pem", "-CA", w + "/ca.pem", "-CAkey", w + "/ca.key", "-CAcreateserial", "-days", days,
               "-extfile", extensions, "-out", w + "/%s.pem" % name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.mine:
            if p.poll() is None:
                p.kill()
            p.wait()
        for s in self.listeners:
            s.shutdown(socket.SHUT_RDWR)  # a thread waits in accept
            s.close()
        sh("umount", self.folder + "/small", check=False)

    def declare(self, port=443, name=NAME, ca="ca", address=SERVER):
        self.box.go('update_server = { address = "%s"; port = %d; name = "%s"; ca = "%s/%s.pem"; };\n' % (address, port, name, self.folder, ca))

    def nginx(self, cert="cert"):
        w = self.folder
        conf = written(w + "/nginx.conf", """daemon off; user root; worker_processes 1; pid %(d)s/pid; error_log %(d)s/error.log;
events { worker_connections 64; }
http { access_log %(d)s/access.log; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p; fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
 server { listen %(a)s:443 ssl; ssl_certificate %(d)s/%(c)s.pem; ssl_certificate_key %(d)s/key.pem; root %(d)s/html;
  location /moved { return 302 https://%(o)s/file; } location /inside { return 301 /file; } } }
""" % {"d": w, "a": SERVER, "o": OTHER, "c": cert})
        p = self.box.net.spawn([NGINX, "-p", w, "-c", conf, "-e", w + "/error.log"], self.box.admin, log=w + "/nginx.log")
        wait_for(lambda: SERVER + ":443" in sh("ss", "-Hltn", ns=self.box.admin).stdout, 20, "nginx to listen")
        return p

    def stop(self, p):
        os.kill(p.pid, signal.SIGTERM)
        p.wait()

    def serve(self, port, session, tls=True):
        """Runs `session(connection)` for each client, over TLS, after its request was read. Returns
        the number of connections so far."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder + "/cert.pem", self.folder + "/key.pem")
        with inside(self.box.admin):
            listener = socket.create_server((SERVER, port))
        self.listeners.append(listener)
        came = []

        def each(s):
            came.append(s)
            with contextlib.suppress(OSError), (context.wrap_socket(s, server_side=True) if tls else s) as c:
                asked = b""
                while tls and b"\r\n\r\n" not in asked:
                    asked += c.recv(4096)
                session(c)
        serving.each(listener, each)
        return came

    def begin(self, path, most=1 << 24, seconds=60, out="out", settings=None):
        """Starts the program as the console's `update` does: as root, from the first namespace."""
        with open(os.path.join(self.folder, out), "wb") as f:
            p = subprocess.Popen(["nsenter", "--net=" + os.path.join(NETNS, self.box.net.ns("box")), self.box.build + "/sekisho-fetch", path, str(most), str(seconds),
                                  settings or self.settings], stdin=subprocess.DEVNULL, stdout=f, stderr=open(os.path.join(self.folder, out + ".err"), "wb"))
        self.mine.append(p)
        return p

    def fetch(self, path, **more):
        """Returns the program's status and the received file."""
        status = self.begin(path, **more).wait(timeout=200)
        return status, self.came(more.get("out", "out"))

    def came(self, out="out"):
        if not os.path.exists(os.path.join(self.folder, out)):
            return b""
        with open(os.path.join(self.folder, out), "rb") as f:
            return f.read()

    def ends(self, path, want, what, **more):
        status, came = self.fetch(path, **more)
        expect(status == want, "%s: ended with %d, not %d: %s", what, status, want, read(self.folder + "/out.err"))
        return came


def fetched_by_its_rules(box):
    """A file comes from a real server, byte for byte. The server is declared, counted and proved
    like every other peer."""
    box.fresh()
    with Updates(box) as u:
        expect(u.fetch("/file")[0] == NOBODY and not os.path.exists(u.settings), "no policy, and somebody is asked")
        box.go("")
        expect(u.fetch("/file")[0] == NOBODY, "a policy without a server, and somebody is asked")
        with open(u.folder + "/html/file", "wb") as f:
            f.write(FILE)
        written(u.folder + "/html/none", "")
        u.declare()
        expect(u.ends("/file", UNREACHED, "nobody listens") == b"", "of nothing something came")
        server = u.nginx()
        expect(u.ends("/file", DONE, "a file") == FILE, "another file came")
        expect(u.ends("/none", DONE, "an empty file") == b"", "of an empty file something came")
        expect(u.ends("/file", DONE, "as long as it may be", most=len(FILE)) == FILE, "another file came")
        expect(u.ends("/file", LARGE, "a byte too long", most=len(FILE) - 1) == b"", "of what is too long something came")
        expect(u.ends("/gone", ABSENT, "a file that is not there") == b"", "something came")
        for path in ("/moved", "/inside"):
            expect(u.ends(path, ELSEWHERE, "a redirect") == b"", "something came")
        expect("GET /file HTTP/1.1" in read(u.folder + "/access.log"), "not asked for")
        reach = box.reach()
        expect([(p["use"], p["address"], p["protocol"], p["port"]) for p in reach["peers"]] == [("update", SERVER, "tcp", 443)], "%s", reach)
        expect(reach["peers"][0]["packets"] > 10 and reach["others"] == [], "%s", reach)
        for lang, word in (("en", "update server"), ("ja", "更新サーバー")):
            expect(word in box.sekisho("effective", "--lang", lang).stdout, "effective does not name it")
        box.verified()
        for path in ("file", "/a/../b", "/a b", "/a\r\nX: 1", "/é", "/" + 200 * "a"):
            expect(u.fetch(path)[0] == USAGE, "asked for %r", path)
        for most, seconds in (("0", "1"), ("x", "1"), ("1", "0"), ("1", "-1"), ("1", "100000"), ("5000000000", "1")):
            expect(u.fetch("/file", most=most, seconds=seconds)[0] == USAGE, "%s bytes in %s s", most, seconds)
        # The server is removed from box.cfg: it is not asked any more.
        box.go("")
        expect(u.fetch("/file")[0] == NOBODY and not os.path.exists(u.settings), "still asked")
        box.sekisho("rollback")
        expect(u.ends("/file", DONE, "after a rollback") == FILE, "another file came")
        box.kill()
        expect(u.ends("/file", DONE, "without a daemon") == FILE, "another file came")
        box.start()
        u.stop(server)


def strangers(box):
    """Another authority, another name, an expired certificate, no TLS at all, an old version of
    TLS: nothing is accepted."""
    box.fresh()
    with Updates(box) as u:
        with open(u.folder + "/html/file", "wb") as f:
            f.write(FILE)
        server = u.nginx()
        for more, end in (({"ca": "foreign"}, AUTHORITY), ({"name": "other.example"}, WRONG_NAME), ({"ca": "foreign", "name": "other.example"}, AUTHORITY)):
            u.declare(**more)
            expect(u.ends("/file", end, str(more)) == b"", "something came")
        u.stop(server)
        server = u.nginx("over")
        u.declare()
        expect(u.ends("/file", DATES, "its time is over") == b"", "something came")
        u.stop(server)
        asked = []

        def plain(c):
            asked.append(c.recv(5))
            c.sendall(OK % 5 + b"hello")
        u.serve(8080, plain, tls=False)
        u.declare(port=8080)
        expect(u.ends("/file", TLS, "no TLS") == b"", "something came")
        expect(asked and asked[0][:2] == b"\x16\x03", "something was said in the clear: %r", asked)


def nobody_else(box):
    """A person who changes the program's settings, or the program, cannot bypass the rules: another
    server is not reached, and this is counted."""
    box.fresh()
    with Updates(box) as u:
        u.declare()
        since, before = box.mark(), box.reach()["refused"]
        for line, lie in (("address " + SERVER, "address " + OTHER), ("port 443", "port 444")):
            lies = written(u.folder + "/lies.conf", read(u.settings).replace(line, lie))
            expect(u.fetch("/file", seconds=2, settings=lies)[0] == UNREACHED, "reached by %s", lie)
        expect(box.reach()["refused"] >= before + 2, "not counted: %s", box.reach())
        expect(not [x for x in box.barrier(since) if x[1] == 6], "it left: %s", box.sent(since))
        for cut in ("netns", "address", "port", "name", "ca"):
            lies = written(u.folder + "/lies.conf", re.sub("(?m)^%s .*\n" % cut, "", read(u.settings)))
            expect(u.fetch("/file", settings=lies)[0] == BROKEN, "without its %s", cut)


def shut_in(box):
    """The program while it reads: a user without capabilities, only its system calls, in the admin
    namespace, with one connection and one file. It ends together with its parent."""
    box.fresh()
    with Updates(box) as u:
        hold = threading.Event()

        def session(c):
            c.sendall(OK % 100 + b"x" * 50)
            hold.wait(60)
            c.sendall(b"x" * 50)
        u.serve(8443, session)
        u.declare(port=8443)
        # a job in the background inherits that this signal is ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        p = u.begin("/file")
        try:
            wait_for(lambda: len(u.came()) == 50, 20, "half of the file")
            status = dict(x.split(":", 1) for x in read("/proc/%d/status" % p.pid).splitlines())
            expect(status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(USER)] * 4 and not status["Groups"].split(), "%s", status)
            expect(all(int(status["Cap" + x], 16) == 0 for x in ("Inh", "Prm", "Eff", "Bnd", "Amb")), "%s", status)
            expect((status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2"), "%s", status)
            expect(os.path.samefile("/proc/%d/ns/net" % p.pid, os.path.join(NETNS, box.admin_ns)), "in another namespace")
            has = sorted(os.readlink("/proc/%d/fd/%s" % (p.pid, n)) for n in os.listdir("/proc/%d/fd" % p.pid))
            expect([x for x in has if not x.startswith("socket:")] == sorted(["/dev/null", u.folder + "/out", u.folder + "/out.err"]) and len(has) == 4, "%s", has)
            # The program also ends by a person's interrupt.
            p.send_signal(signal.SIGINT)
            expect(p.wait(timeout=10) == -signal.SIGINT, "not interrupted")
            shell = subprocess.Popen(["sh", "-c", "%s/sekisho-fetch /file 1000 60 %s >%s/parted & echo $!; wait" % (box.build, u.settings, u.folder)], stdout=subprocess.PIPE, text=True)
            child = int(shell.stdout.readline())
            wait_for(lambda: len(u.came("parted")) == 50, 20, "half of the file")
            shell.kill()
            shell.wait()
            def ended():
                try:
                    return " Z " in read("/proc/%d/stat" % child)
                except FileNotFoundError:
                    return True
            wait_for(ended, 10, "its end")
            # When nobody can read the file any more, the download is ended.
            p = u.begin("/file", out="removed")
            wait_for(lambda: len(u.came("removed")) == 50, 20, "half of the file")
            os.unlink(u.folder + "/removed")
            hold.set()
            expect(p.wait(timeout=30) == WRITE, "ended with %d", p.returncode)
        finally:
            hold.set()


def cut_off(box):
    """Cut off at each twentieth of the file, by a normal end and by a reset, and inside the head;
    and bytes after the end."""
    box.fresh()
    with Updates(box) as u:
        at, hard = [0], [False]

        def session(c):
            c.sendall((OK % len(FILE) + FILE)[:at[0]])
            if hard[0]:
                c.unwrap()
        u.serve(8443, session)
        u.declare(port=8443)
        head = len(OK % len(FILE))
        for hard[0] in (False, True):
            for at[0] in [head + len(FILE) * n // 20 for n in range(20)] + [0, 5, head - 1, head + len(FILE) - 1]:
                came = u.ends("/file", CUT, "%d bytes" % at[0])
                expect(FILE.startswith(came) and len(came) <= max(at[0] - head, 0), "%d of %d bytes", len(came), at[0])
        at[0] = head + len(FILE)
        expect(u.ends("/file", DONE, "the whole") == FILE, "another file")


def endless(box):
    """A file that is too large, without a length, with two lengths, in chunks, with a head that
    never ends, or with bytes after its end: no byte beyond the announced length is taken, and
    nothing of a refused file."""
    box.fresh()
    with Updates(box) as u:
        said, sent = [b""], [0]

        def session(c):
            c.sendall(said[0])
            sent[0] = 0
            while sent[0] < 64 << 20:
                c.sendall(b"e" * 65536)
                sent[0] += 65536
        u.serve(8443, session)
        u.declare(port=8443)
        ok = b"HTTP/1.1 200 OK\r\n"
        for what, head, end in (("too large", OK % ((1 << 24) + 1), LARGE), ("a petabyte", OK % 10**15, ANSWER), ("no length", ok + b"\r\n", ANSWER),
                                ("two lengths", ok + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", ANSWER), ("in pieces", ok + b"Transfer-Encoding: chunked\r\n\r\n", ANSWER),
                                ("packed", ok + b"Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\n", ANSWER), ("a part", OK.replace(b"200", b"206") % 5, ANSWER),
                                ("an endless head", ok + b"X: ", ANSWER), ("no head", b"", ANSWER)):
            said[0] = head
            expect(u.ends("/file", end, what) == b"", "%s: something came", what)
        for length in (0, 1000, 1 << 20):
            said[0] = OK % length
            expect(u.ends("/file", DONE, "more than was said") == b"e" * length, "not what was said: %d", length)
        said[0] = OK % (1 << 24)
        expect(len(u.ends("/file", DONE, "as much as it may be")) == 1 << 24, "cut")


def slow(box):
    """A server that sends nothing or too little, or that box.cfg no longer allows: given up in
    time, and what arrived is what was sent."""
    box.fresh()
    with Updates(box) as u:
        over = threading.Event()

        def silent(_):
            over.wait(200)

        def drips(c):
            c.sendall(OK % 1000000)
            while not over.is_set():
                c.sendall(b"d")
                over.wait(0.1)

        def dead(c):
            c.sendall(OK % 1000000 + b"d" * 1000)
            over.wait(200)
        u.serve(8443, silent, tls=False)
        u.declare(port=8443)
        wait_for(lambda: os.path.exists(u.settings), 10, "settings")
        ways = []

        def one(name, port, session, seconds, least, most, tls=True):
            if session:
                u.serve(port, session, tls)
            u.declare(port=port)
            ways.append((name, time.monotonic(), u.begin("/file", out=name, seconds=seconds), least, most))
            return ways[-1][2]
        try:
            # Each server has its own port, and each apply removes the previous one. So all are
            # allowed together, as servers of one address.
            one("deadline", 8444, drips, 4, 3, 15)
            wait_for(lambda: ways[-1][2].poll() is not None, 20, "the deadline")
            expect(ways[-1][2].returncode == SLOW and 5 < len(u.came("deadline")) < 200, "%d, %d bytes", ways[-1][2].returncode, len(u.came("deadline")))
            one("withdrawn", 8445, dead, 8, 6, 30)
            wait_for(lambda: len(u.came("withdrawn")) == 1000, 20, "the begin of the file")
            box.go("")
            wait_for(lambda: ways[-1][2].poll() is not None, 30, "its end without a peer")
            expect(ways[-1][2].returncode == SLOW and len(u.came("withdrawn")) == 1000, "%d", ways[-1][2].returncode)
            u.declare(port=8444)
            began = time.monotonic()
            dripping = u.begin("/file", out="window", seconds=3600)
            expect(dripping.wait(timeout=200) == SLOW, "%d", dripping.returncode)
            took = time.monotonic() - began
            expect(55 < took < 100 and len(u.came("window")) > 100, "after %.1f s, %d bytes", took, len(u.came("window")))
            u.declare(port=8443)
            began = time.monotonic()
            expect(u.ends("/file", SLOW, "not a word of TLS", seconds=3600) == b"", "something came")
            mute = time.monotonic() - began
            expect(25 < mute < 60, "after %.1f s", mute)
        finally:
            over.set()
        return "a server that drips: %.0f s; one that is silent: %.0f s" % (took, mute)


def no_room(box):
    """A full disk: reported, and the box is not affected."""
    box.fresh()
    with Updates(box) as u:
        os.mkdir(u.folder + "/small")
        sh("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", u.folder + "/small")
        with open(u.folder + "/html/file", "wb") as f:
            f.write(FILE)
        u.declare()
        server = u.nginx()
        status, came = u.fetch("/file", out="small/out")
        expect(status == WRITE and FILE.startswith(came) and len(came) <= 1 << 20, "%d, %d bytes", status, len(came))
        u.stop(server)
        expect(box.running(), "a role is gone")


CASES = NEED_NGINX = (fetched_by_its_rules, strangers, nobody_else, shut_in, cut_off, endless, slow, no_room)
