# SPDX-License-Identifier: Apache-2.0
"""AppArmor, checked after everything else: every process was confined the whole time, nothing that
it needed was refused, and somebody who takes over a program of the daemon can do nothing of what is
tried here."""
import glob
import os
import pwd
import subprocess
import sys

from tools import check, confined, denied, mode, moment, run, wait_for

# Runs as root with every capability, first without the profile and then with it, which shows what
# the profile refuses. What the daemon needs still works.
TRY = r"""
import ctypes, errno, os, socket, sys
libc, others = ctypes.CDLL(None, use_errno=True), sys.argv[1:]
def mount():
    if libc.mount(b"tmpfs", b"/mnt", b"tmpfs", 0, None): raise OSError(ctypes.get_errno(), "mount")
    libc.umount2(b"/mnt", 2)
def trace():
    if libc.ptrace(0x4206, int(others.pop()), None, None): raise OSError(ctypes.get_errno(), "ptrace")
def module():
    if libc.syscall(176, b"none_such", 0) and ctypes.get_errno() != errno.ENOENT: raise OSError(ctypes.get_errno(), "delete_module")
def beside():
    open("/usr/sbin/sekishod-new", "w").close()
    os.unlink("/usr/sbin/sekishod-new")
def shell():
    p = os.fork()
    if p == 0:
        try: os.execv("/bin/sh", ["sh", "-c", "exit 0"])
        except OSError as e: os._exit(e.errno)
    code = os.waitstatus_to_exitcode(os.waitpid(p, 0)[1])
    if code: raise OSError(code, "exec")
DEEDS = {
    "read /etc/shadow": lambda: open("/etc/shadow").read(),
    "read root's files": lambda: os.listdir("/root"),
    "read the memory of others": lambda: open("/proc/1/mem", "rb"),
    "write its settings": lambda: open("/etc/sekisho/site.cfg", "a").close(),
    "write beside its program": beside,
    "write other settings of the kernel": lambda: open("/proc/sys/kernel/core_pattern", "a").close(),
    "change the kernel's modules": module,
    "start a shell": shell,
    "mount": mount,
    "trace another": trace,
    "end another": lambda: os.kill(int(others.pop()), 15),
}
NEEDED = {"its state": lambda: os.listdir("/var/lib/sekisho"), "forwarding": lambda: open("/proc/sys/net/ipv4/ip_forward", "r+").close(),
          "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12).close(),
          "announce who is where": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()}
def trial(deeds):
    found = {}
    for name, deed in deeds.items():
        try:
            deed()
            found[name] = 0
        except OSError as e:
            found[name] = e.errno
    return found
free = trial(DEEDS)
open("/proc/self/attr/current", "w").write("changeprofile sekishod")
held, needed = trial(DEEDS), trial(NEEDED)
for name in DEEDS:
    print("DEED %s: %d %d" % (name, free[name], held[name]))
for name in NEEDED:
    print("NEED %s: %d" % (name, needed[name]))
"""


def inside(process, name):
    try:
        with open("%s/%s" % (process, name), encoding="ascii") as f:
            return f.read().strip("\0\n")
    except OSError:  # it has ended
        return ""


def held():
    found = confined()
    check("AppArmor confines the daemon and its roles to the end", set(found.values()) == {"sekishod (enforce)"} and len(found) >= 6 and mode() == "enforce", found)
    # the kernel keeps only the first 15 characters of a name
    keys = [p for p in glob.glob("/proc/[0-9]*") if inside(p, "comm") == "sekisho-webauth"]
    check("... and who looks at security keys, as a user of its own", len(keys) == 1 and inside(keys[0], "attr/current") == "sekishod (enforce)" and
          os.stat(keys[0]).st_uid == pwd.getpwnam("sekisho-webauthn").pw_uid, [(inside(p, "attr/current"), os.stat(p).st_uid) for p in keys])
    loaded, started = moment("apparmor", "ActiveEnterTimestampMonotonic"), moment("sekisho-base", "ExecMainStartTimestampMonotonic")
    check("at boot the profile was there before the first program that it confines", 0 < loaded < started, "%.2f s, %.2f s" % (loaded, started))
    refused = denied()
    check("nothing was refused to them in all of this", not refused, "%d: %s" % (len(refused), " ".join(sorted(set(refused)))[:1500]))


def refused():
    before = len(denied())
    # processes that are to be traced and ended
    others = [subprocess.Popen(["sleep", "1000"]) for _ in range(4)]
    code, text = run(sys.executable, "-c", TRY, *[x.pid for x in others])
    for other in others:
        other.kill()
        other.wait()
    deeds = [x[5:].rsplit(": ", 1) for x in text.splitlines() if x.startswith("DEED")]
    needs = [x for x in text.splitlines() if x.startswith("NEED")]
    passed = [name for name, codes in deeds if codes.split()[0] != "0" or codes.split()[1] not in ("1", "13")]
    check("under the profile even root with every capability cannot: %s" % ", ".join(x for x, _ in deeds), code == 0 and len(deeds) == 11 and not passed,
          "not refused, or not possible without it: %s %s" % ([x for x in deeds if x[0] in passed], text[-300:] if code else "") if passed or code else "")
    check("... and what the daemon needs it can", len(needs) == 4 and all(x.endswith(": 0") for x in needs), needs)
    check("... and the log says so", wait_for(lambda: len(denied()) > before, 10) is not None, "%d lines" % (len(denied()) - before))


STEPS = (held, refused)
