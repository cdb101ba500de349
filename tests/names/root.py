# SPDX-License-Identifier: Apache-2.0
"""Debian's servers, in the root that `images/deps servers` made, on the loopback interface of their
own network namespace; and a recorder of their traffic."""
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

import streams

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOWER = os.path.join(TOP, "build", "servers")
ROOT = "/run/root"
HOST = "10.30.0.1"  # the address of the servers


def enter():
    """Starts this program again in new network, mount and process namespaces, so that everything in
    them ends together with this program."""
    if os.environ.get("SEKISHO_NAMES") == "inside":
        return
    os.environ["SEKISHO_NAMES"] = "inside"
    os.execv(os.path.join(TOP, "tests", "netns", "alone"),
             ["alone", "unshare", "--pid", "--fork", "--kill-child", "--uts", sys.executable,
              os.path.abspath(sys.argv[0])] + sys.argv[1:])


def furnish():
    """Puts a layer in memory over the root, so that the root stays unchanged."""
    for folder in ("/run/upper", ROOT):
        os.makedirs(folder)
    sh = lambda *words: subprocess.run(words, check=True)
    sh("mount", "-t", "tmpfs", "tmpfs", "/run/upper")
    for folder in ("/run/upper/up", "/run/upper/work"):
        os.mkdir(folder)
    sh("mount", "-t", "overlay", "overlay", "-o",
        "lowerdir=%s,upperdir=/run/upper/up,workdir=/run/upper/work" % LOWER, ROOT)
    sh("mount", "-t", "proc", "proc", ROOT + "/proc")
    sh("mount", "--rbind", "/dev", ROOT + "/dev")
    sh("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", ROOT + "/dev/pts")
    sh("mount", "--bind", ROOT + "/dev/pts/ptmx", ROOT + "/dev/ptmx")
    for at in ("/run", "/tmp"):
        sh("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", ROOT + at)
    sh("ip", "link", "set", "lo", "mtu", "1500")
    sh("ip", "addr", "add", "10.30.0.1/32", "dev", "lo")
    sh("ip", "addr", "add", "10.30.0.2/32", "dev", "lo")
    sh("hostname", "names")
    file("/etc/hosts", "127.0.0.1 localhost\n10.30.0.1 server.example.test server\n10.30.0.2 "
                       "second.example.test second\n127.0.0.1 names\n")
    file("/etc/resolv.conf", "nameserver 10.30.0.9\noptions timeout:1 attempts:1\n")
    run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=server.example.test -keyout "
        "/etc/names.key -out /etc/names.crt 2>/dev/null; chmod 644 /etc/names.*")


def file(path, text, mode=0o644):
    at = ROOT + path
    os.makedirs(os.path.dirname(at), exist_ok=True)
    with open(at, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(at, mode)


def _inside():
    os.setsid()
    os.chroot(ROOT)
    os.chdir("/")


ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "TERM": "dumb"}


# Waits in a command until another command succeeds, at most ten seconds.
AWAIT = "await() { for ((i = 0; i < 500; i++)); do \"$@\" >/dev/null 2>&1 && return; sleep .02; done; }\n"


def run(command, stdin="", limit=20, **env):
    """Runs a command in the root. Returns its output. After `limit` seconds it is ended."""
    p = subprocess.Popen(["bash", "-c", AWAIT + command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, preexec_fn=_inside, env={**ENV, **env})
    try:
        out = p.communicate(stdin.encode(), timeout=limit)[0]
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out = p.communicate()[0]
    return out.decode("utf-8", "replace")


TALKER = """
import os, pty, select, sys, time
command, steps = eval(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execvp("bash", ["bash", "-c", command])
def hear(word):
    heard, end = "", time.time() + 5
    while word is None or word not in heard:
        if not select.select([fd], [], [], max(0, end - time.time()))[0]:
            break
        try:
            more = os.read(fd, 4096).decode("latin1")
        except OSError:
            more = ""
        if more == "":
            sys.exit(0)
        sys.stdout.write(more)
        sys.stdout.flush()
        heard += more
for word, line in steps:
    hear(word)
    if line is None:
        sys.exit(0)
    os.write(fd, (line + "\\n").encode())
hear(None)
"""


def typed(command, *steps):
    """Runs a command at a terminal. Of each step (word, line), the line is typed when the command
    has printed the word. After a line of None the terminal is closed; otherwise its output is read
    to the end. Each wait takes at most five seconds."""
    return run("python3 -c %s %s" % (shlex.quote(TALKER), shlex.quote(repr((command, steps)))), limit=30)


class Gone(Exception):
    """A server does not start."""


def listening(port):
    """Whether there is a listener on a port; over UDP, whether the port is bound. Read from the
    kernel, so that no session is opened."""
    want = ":%04X" % port
    for name in ("tcp", "tcp6", "udp", "udp6"):
        with open("/proc/net/" + name, encoding="ascii") as f:
            for line in f:
                words = line.split()
                if words[1].endswith(want) and (name.startswith("udp") or words[3] == "0A"):
                    return True
    return False


def until(condition, limit=10):
    """Waits for a condition. Returns whether it became true in time."""
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        select.select([], [], [], 0.02)  # between two checks
    return True


def exists(path):
    return os.path.lexists(ROOT + path)


def said():
    """What the most recently started server has written so far."""
    with open("/run/upper/log-%d" % (len([n for n in os.listdir("/run/upper") if n.startswith("log-")]) - 1),
              encoding="utf-8", errors="replace") as f:
        return f.read()


def talk(port, steps, limit=2):
    """A client made here. Each step is a pair: what the server has to send (None: nothing is
    awaited), and what the client sends then. It waits at most `limit` seconds for the server.
    Returns everything that the server sent."""
    heard, at = b"", 0
    with socket.create_connection((HOST, port), timeout=limit) as s:
        for expected, words in steps:
            while expected is not None and expected not in heard[at:]:
                try:
                    more = s.recv(1 << 16)
                except TimeoutError:
                    break
                except ConnectionResetError:
                    return heard
                if not more:
                    return heard
                heard += more
            at = len(heard)
            s.sendall(words)
    return heard


def sessions_of():
    """The ports of both ends of each open session, from the kernel."""
    for name in ("tcp", "tcp6"):
        with open("/proc/net/" + name, encoding="ascii") as f:
            for line in f.readlines()[1:]:
                words = line.split()
                if words[3] not in ("06", "07", "0A"):  # it has ended, or is a listener
                    yield int(words[1].rsplit(":", 1)[1], 16)


def serve(command, *ports, limit=30):
    """Starts a server in the foreground, which ends with this program. Returns when it listens on
    its ports."""
    log = open("/run/upper/log-%d" % len([n for n in os.listdir("/run/upper") if n.startswith("log-")]),
        "w+b")
    p = subprocess.Popen(["bash", "-c", "exec " + command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                         preexec_fn=_inside, env=ENV)

    def there():
        return all(listening(port) for port in ports)
    until(lambda: there() or p.poll() not in (None, 0), limit)
    if not there():
        log.seek(0)
        raise Gone("%s: %s" % (command.split()[0], log.read().decode("utf-8", "replace")[-600:]))
    return p


def none_left():
    """Reaps ended children. Returns whether none is left."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return True
    return False


def end():
    """Ends all processes of this namespace except the first one, which is this program."""
    if os.getpid() != 1:
        return
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(-1, sig)
        except ProcessLookupError:
            return
        if until(none_left, 3):
            return


class Recorder(threading.Thread):
    """Records everything on the loopback interface, with the times."""

    def __init__(self):
        super().__init__(daemon=True)
        self.packets = []
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.s.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        self.s.bind(("lo", 0))
        self.start()

    def run(self):
        while True:
            frame, where = self.s.recvfrom(1 << 17)
            if where[2] == socket.PACKET_OUTGOING:  # each packet passes twice
                self.packets.append((time.time_ns(), frame[14:]))

    def over(self, ports, limit=3):
        """Waits until no session is open on these ports and everything was recorded. A session that
        its ends keep open is recorded up to now."""
        until(lambda: not any(of in ports for of in sessions_of()), limit)
        mark = os.urandom(16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(mark, ("127.0.0.1", 9))
        until(lambda: any(ip.endswith(mark) for _, ip in self.packets[-99:]), limit)

    def between(self, begin, end):
        return streams.sessions((t, ip) for t, ip in list(self.packets) if begin <= t <= end)
