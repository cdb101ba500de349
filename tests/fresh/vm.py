# SPDX-License-Identifier: Apache-2.0
"""Debian's stock kernel, under qemu without KVM. There the kernel has the native `queue`
expression.

The machine's time is the number of instructions that it has executed (-icount). By its own clock it
works at the pace of an ordinary machine, however slow or busy the host is. When the machine only
waits, its clock jumps to the next timer (sleep=off). So waiting takes no time, and the machine does
not notice when the host stops. Limits in milliseconds are therefore valid, and a slow host makes a
run longer, but does not make it fail. A device that answers from outside would break this: a
machine with a network card waits by the host's clock. So there is no such device. All files that
suites read are loaded into memory before they start, because the clock runs on while a program
waits for a disk (five minutes for all files together). A second of full work in the machine takes
about eight seconds of the host. The machine has one processor. With several, QEMU 7.2 gives every
instruction to the first busy one; and processors that are threads of the host run by the host's
time, in which the box's own limits (20 ms for a dead worker) are exceeded.

The root with the kernel is kept (kept.py) and used by every run; a run's changes go to another
file. The programs under test are on a second disk."""
import glob
import inspect
import os
import re
import selectors
import shutil
import signal
import subprocess
import time

import kept
import slowness  # in tests/lib, which tests/fresh/run adds to the path

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORK = os.path.join(TOP, "build", "fresh", "vm")
LIBRARIES = ("libnftnl11 libmnl0 libnetfilter-queue1 libndpi4.2 libconfig9 libmicrohttpd12 libgnutls30 libjansson4 libseccomp2 libssl3 "
             "libcap-ng0 libnettle8 liboath0 libpcap0.8 libmodbus5 libcmocka0 python3-pymodbus libcurl3-gnutls "
             "libfido2-1 libqrencode4 libsnmp40 python3-aiosmtpd python3-jsonschema python3-cryptography kmod netbase linux-image-amd64").split()
# The kernel: "bookworm" is that of Debian 12, "bookworm-backports" that of Debian 13 (6.12).
KERNEL = next((x.partition("=")[2] for x in os.sys.argv if x.startswith("--kernel=")), "bookworm")
# for a host with other work: by how much a run may take longer
SLOWER = float(os.environ.get("SEKISHO_VM_PATIENCE", "1"))

FIRST = """#!/bin/bash
mountpoint -q /dev || mount -t devtmpfs dev /dev
mount /dev/vdb /srv && exec /bin/bash /srv/init
"""
INIT = """export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mountpoint -q /proc || mount -t proc proc /proc; mountpoint -q /sys || mount -t sysfs sysfs /sys
mkdir -p /dev/shm /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,rw /
mount -t cgroup2 cgroup2 /sys/fs/cgroup; for x in memory cpu; do echo +$x >/sys/fs/cgroup/cgroup.subtree_control; done
# Into memory: while a program waits for a disk, whose pace is the host's, the clock would run on.
modules=/lib/modules/$(uname -r)
find /srv -type f -print0 | xargs -0 cat >/dev/null
find /usr/bin /usr/sbin /usr/lib/python3* /usr/lib/x86_64-linux-gnu $modules/modules.* \
	$modules/kernel/net $modules/kernel/lib $modules/kernel/crypto $modules/kernel/drivers/net/*.ko $modules/kernel/drivers/net/bonding \
	-maxdepth 3 -type f -size -7M -print0 | xargs -0 cat >/dev/null
begun=$(cut -d. -f1 /proc/uptime)
ip link set lo up
ulimit -Hn 524288  # as Debian's init has it; 1,024 to begin with
modprobe -aq nfnetlink_queue nft_queue nf_conntrack nfnetlink_log nft_log
cd /srv
echo "LINUX $(uname -r)"
bash /srv/script
echo "ENDED after $(($(cut -d. -f1 /proc/uptime) - begun)) s of its own time"
sync
echo o >/proc/sysrq-trigger
exec tail -f /dev/null  # the first process must not end before the power is off
"""
# An initramfs with three modules instead of all saves seconds at every start.
BEFORE = ('mkdir -p "$1/etc/initramfs-tools/conf.d"; echo MODULES=list >"$1/etc/initramfs-tools/conf.d/few"; '
          'printf "virtio_pci\\nvirtio_blk\\next4\\n" >"$1/etc/initramfs-tools/modules"')
# The source of the kernel, beside Debian 12's own sources.
SOURCES = 'cd "$1/etc/apt" && sed -n "s/ bookworm main/ %s main/p" sources.list >sources.list.d/kernel.list'
DEMO = """timeout 1500 /usr/bin/python3 tests/demo/demo.py up %s
echo "DEMO STATUS $?"
build/release/sekisho status --json --socket /run/sekisho-demo/box/control.sock | sed 's/.*"backend":"\\([a-z]*\\)".*/BACKEND \\1/'
tail -n 30 /run/sekisho-demo/sekishod.log
"""
# The suites that CI runs in the machine, because this kernel behaves differently from the host's,
# with their arguments, and what a failure means.
CHOSEN = (
    ("missing", "asked_for_by_nobody"),
    ("kernel", "apply_and_verify allowed_passes spoofed errors_of options narrowing_cuts relabelled until flush_is_answered tampering "
               "lanes_without foreign_tables effective"),
    ("box", "queues_by allowed_and_forbidden worker_killed decided_in_time midstream narrowing ends_by_time confirm_and_revert drift asked_without_end"),
    ("records", "sessions_that_pass"),
    ("once", "goes_by gives_back checksum_that_lies judged_once all_else_is_judged counted no_bpf narrowed_at_servers "
             "ended_at_servers"),
)


def packages(purpose):
    with open(os.path.join(TOP, "images", "packages.txt"), encoding="ascii") as f:
        words = [p for line in f if line.split()[:1] == [purpose] for p in line.split()[1:] if not p.endswith("-dev")]
    return [p.partition("@")[0] for p in words if p.partition("@")[2] in ("", "bookworm")]


def debian(root, include):
    """Makes a root of Debian 12 with these packages and the kernel KERNEL."""
    names = [p + "/" + KERNEL if p == "linux-image-amd64" and KERNEL != "bookworm" else p for p in include]
    done = subprocess.run(["mmdebstrap", "--variant=minbase", "--setup-hook=" + SOURCES % KERNEL, "--essential-hook=" + BEFORE, "--include=" + ",".join(names), "bookworm", root],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit("the root with Debian's stock kernel cannot be made:\n%s" % done.stderr[-2000:])


def furnish(folder):
    """The disk of the machine, its kernel and its initramfs."""
    start = time.monotonic()
    root = folder + "/root"
    debian(root, wanted())
    with open(root + "/sbin/vm-init", "w", encoding="ascii") as f:
        f.write(FIRST)
    os.chmod(root + "/sbin/vm-init", 0o755)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(glob.glob(root + "/boot/" + name + "-*")[0], os.path.join(folder, name))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, folder + "/root.disk", "2G"], check=True)
    shutil.rmtree(root)
    print("root with Debian's stock kernel in %.0f s" % (time.monotonic() - start), flush=True)


def wanted():
    return LIBRARIES + packages("demo")


def build():
    # The programs for the machine are built on this host, which is Debian 12 as well: an emulated
    # compiler takes hours.
    subprocess.run([os.path.join(TOP, "images", "deps"), "peers", "unpacked", "test"], check=True)
    subprocess.run(["make", "-s", "-C", TOP, "-j%d" % os.cpu_count(), "all", "peers", "netns-programs"], check=True, stdout=subprocess.DEVNULL)


def disk_of(script, name):
    """The second disk: programs, tests, and the script that the machine runs."""
    folder, disk = os.path.join(WORK, name), os.path.join(WORK, name + ".disk")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder + "/build/release/tests")
    release = os.path.join(TOP, "build", "release")
    for part in ("sekisho", "sekishod", "sekisho-compile", "sekisho-webauthn", "sekisho-fetch", "sekisho-notify", "sekisho-inform", "sekisho-eve", "peers", "netns"):
        subprocess.run(["cp", "-r", os.path.join(release, part), folder + "/build/release/"], check=True)
    # the program of the verdict cache, if clang could make it: where the box looks for it, and
    # where the suite `once` does
    for part in ("release", "bpf"):
        if os.path.exists(os.path.join(TOP, "build", part, "sekisho-once.o")):
            os.makedirs(folder + "/build/" + part, exist_ok=True)
            shutil.copy(os.path.join(TOP, "build", part, "sekisho-once.o"), folder + "/build/" + part)
    for program in ("test_sandbox", "test_form"):
        shutil.copy(release + "/tests/" + program, folder + "/build/release/tests/")
    subprocess.run(["cp", "-r", os.path.join(TOP, "build", "peers"), folder + "/build/"], check=True)
    # suites read documents, units and texts where the product has them
    for part in ("tests", "docs", "appliance", "images", "mgmt"):
        subprocess.run(["cp", "-r", os.path.join(TOP, part), folder + "/"], check=True)
    for part, text in (("init", INIT), ("script", script)):
        with open(os.path.join(folder, part), "w", encoding="ascii") as f:
            f.write(text)
    if os.path.exists(disk):
        os.remove(disk)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder, disk, "1G"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)
    return disk


WORTH_READING = re.compile(r"(ok |FAILED|FAIL|SKIP|NOTE|seed |LINUX|ENDED|SUITE|OWN TIME|\d+ passed|    \w+ \w+ \w)|.*(Kernel panic|BUG:|Oops)")


def run(script, minutes, name="work", everything=False):
    """Runs the machine. Returns what it printed and how long it took; meanwhile prints the
    important lines."""
    build()
    os.makedirs(WORK, exist_ok=True)
    with kept.made("vm", (wanted(), KERNEL, FIRST, BEFORE, inspect.getsource(furnish)), furnish) as root:
        disk = disk_of(script, name)
        text, seconds = boot(["-net", "none", "-kernel", root + "/vmlinuz", "-initrd", root + "/initrd.img",
                              "-drive", "file=%s/root.disk,format=raw,if=virtio,snapshot=on,cache=unsafe" % root,
                              "-drive", "file=%s,format=raw,if=virtio,cache=unsafe" % disk,
                              "-append", "root=/dev/vda rw console=ttyS0 quiet panic=-1 init=/sbin/vm-init mitigations=off"],
                             minutes, os.path.join(WORK, name + ".log"), everything, sleep="off")
    os.remove(disk)
    return text, seconds


def boot(arguments, minutes, log_path, everything=False, heard=lambda line: None, sleep="on"):
    """Runs a machine until it ends. Returns what it printed and how long it took. A machine that
    talks to a program outside runs with the host's clock while it waits."""
    start, end = time.monotonic(), time.monotonic() + minutes * 60 * SLOWER
    qemu = subprocess.Popen(
        ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=" + sleep, "-rtc", "clock=vm", "-cpu", "Nehalem", "-smp", "1", "-m", "3072",
         "-nographic", "-no-reboot"] + arguments,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    text, rest = [], b""
    watch = selectors.DefaultSelector()
    watch.register(qemu.stdout, selectors.EVENT_READ)
    with open(log_path, "wb") as log:
        while time.monotonic() < end:
            if not watch.select(end - time.monotonic()):
                continue
            part = os.read(qemu.stdout.fileno(), 65536)
            if not part:
                break
            log.write(part)
            log.flush()
            *lines, rest = (rest + part).split(b"\n")
            for line in (x.decode("utf-8", "replace").rstrip("\r") for x in lines):
                text.append(line)
                heard(line)
                if everything or WORTH_READING.match(line):
                    print("    | " + line, flush=True)
        else:
            print("the machine was stopped after %.0f minutes" % (minutes * SLOWER), flush=True)
            qemu.send_signal(signal.SIGTERM)
    qemu.wait()
    return "\n".join(text), time.monotonic() - start


def demo(check):
    words = ([] if "--whole" in os.sys.argv else ["--quick"]) + (["--trunk"] if "--trunk" in os.sys.argv else [])
    text, seconds = run(DEMO % " ".join(words), 80, "demo", everything=True)
    status = re.search(r"DEMO STATUS (\d+)", text)
    check("the demo's table on Debian's stock kernel" + (", over a trunk" if "--trunk" in words else ""), bool(status) and status.group(1) == "0", "%.0f s" % seconds)
    check("the native queue expression is used there", "BACKEND native" in text)


def count(text):
    """(passed, failed) of a suite; None if it did not end properly."""
    counts = re.findall(r"^(\d+) passed, (\d+) failed", text, re.M)
    return tuple(map(int, counts[-1])) if counts else None


def parts_of(text):
    """The output of each suite."""
    return {part.split()[0]: part for part in re.split(r"^SUITE ", text, flags=re.M)[1:]}


def judge(check, text, wanted):
    """Counts every case of every suite. A suite that did not end properly is a failure."""
    parts = parts_of(text)
    for suite in wanted:
        part = parts.get(suite, "")
        passed, failed = count(part) or (0, 0)
        if (passed, failed) == (0, 0) and re.search(r"^0 passed, 0 failed, \d+ skipped", part, re.M):
            print("SKIP    tests/netns/%s: nothing that it needs is in the machine" % suite, flush=True)
            continue
        good = failed == 0 and passed > 0
        check("tests/netns/%s on Debian's stock kernel" % suite, good, "%d of %d cases" % (passed, passed + failed) if passed + failed else "no count")
        if not good:
            print("".join("    | " + x + "\n" for x in (part or text).splitlines()[-80:]), flush=True)


def line(suite, words):
    names = " ".join("%s=%s" % (n, os.environ[n]) for n in ("SEED", "SEKISHO_SEED") if n in os.environ)
    names += " SEKISHO_SLOWNESS=%s" % slowness.GIVEN if slowness.GIVEN else ""
    return ("echo SUITE %s; since=$(cut -d. -f1 /proc/uptime); %s timeout 3000 tests/netns/%s/run build/release %s; "
            "echo OWN TIME: $(($(cut -d. -f1 /proc/uptime) - since)) s" % (suite, names, suite, words))


def suites(check, words):
    """Runs suites of tests/netns; without names all of them, and the demo. Each word gets its own
    machine: SUITE, SUITE=arguments, or SUITE,SUITE... one after the other. The log is named after
    the suite and its first argument, so that two can run at once."""
    names = sorted(os.path.basename(os.path.dirname(x)) for x in glob.glob(TOP + "/tests/netns/*/run"))
    table = []
    for word in words or names + ["demo"]:
        wanted, _, more = word.partition("=")
        wanted = wanted.split(",")
        if wanted == ["demo"]:
            demo(check)
            continue
        text, seconds = run("\n".join(line(suite, more) for suite in wanted), 120, "-".join(wanted[:1] + more.split()[:1]))
        parts = parts_of(text)
        for suite in wanted:
            own = re.search(r"^OWN TIME: (\d+) s", parts.get(suite, ""), re.M)
            table.append("%-9s %4s passed %4s failed, %5s s of its own time" % (
                (suite,) + (count(parts.get(suite, "")) or ("?", "?")) + (own.group(1) if own else "?",)))
            print(table[-1], flush=True)
        table[-1] += ", %5.0f s here" % seconds
        judge(check, text, wanted)
    print("\n".join(["", "on Debian's stock kernel:"] + table), flush=True)


def chosen(check):
    # CI runs this with what `make test` leaves of the cores, so it may wait for all of that first
    text, seconds = run("\n".join(line(*c) for c in CHOSEN), 90)
    print("%.0f s" % seconds)
    judge(check, text, [suite for suite, _ in CHOSEN])
