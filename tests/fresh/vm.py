# SPDX-License-Identifier: Apache-2.0
"""The demo's table on Debian's stock kernel: a root with that kernel in a disk image, booted by qemu without KVM. There the
kernel has the native `queue` expression. Timings are not judged: everything runs under emulation."""
import glob
import os
import re
import shutil
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
WORK = os.path.join(TOP, "build", "fresh", "vm")
LIBRARIES = ("libnftnl11 libmnl0 libnetfilter-queue1 libndpi4.2 libconfig9 libmicrohttpd12 libgnutls30 libjansson4 libseccomp2 "
             "libcap-ng0 libnettle8 libpcap0.8 libmodbus5 kmod").split()
SLOWNESS = 10

INIT = """#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/shm /dev/pts; mount -t tmpfs tmpfs /dev/shm; mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -o remount,rw /
ip link set lo up
cd /srv/sekisho
uname -r
SEKISHO_DEMO_SLOWNESS=%d timeout 1500 /usr/bin/python3 tests/demo/demo.py up --untimed %s
echo "DEMO STATUS $?"
build/release/sekisho status --json --socket /run/sekisho-demo/box/control.sock | sed 's/.*"backend":"\\([a-z]*\\)".*/BACKEND \\1/'
tail -n 30 /run/sekisho-demo/sekishod.log
sync
echo o > /proc/sysrq-trigger
while :; do :; done
"""


def packages(purpose):
    with open(os.path.join(TOP, "images", "packages.txt"), encoding="ascii") as f:
        return [p for line in f if line.split()[:1] == [purpose] for p in line.split()[1:] if not p.endswith("-dev")]


def image():
    # What the machine runs is built here: its root is Debian 12 like this one, and an emulated compiler takes an hour.
    subprocess.run([os.path.join(TOP, "images", "deps"), "unpacked"], check=True)
    subprocess.run(["make", "-s", "-C", TOP, "-j2", "all", "peers"], check=True, stdout=subprocess.DEVNULL)
    root = os.path.join(WORK, "root")
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    wanted = ",".join(LIBRARIES + packages("demo") + ["linux-image-amd64"])
    subprocess.run(["mmdebstrap", "--variant=minbase", "--include=" + wanted, "bookworm", root], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    home = os.path.join(root, "srv", "sekisho")
    os.makedirs(home + "/build/release")
    for part in ("sekisho", "sekishod", "sekisho-compile", "peers"):
        subprocess.run(["cp", "-r", os.path.join(TOP, "build", "release", part), home + "/build/release/"], check=True)
    subprocess.run(["cp", "-r", os.path.join(TOP, "build", "peers"), home + "/build/"], check=True)
    subprocess.run(["cp", "-r", os.path.join(TOP, "tests"), home + "/"], check=True)
    init = os.path.join(root, "sbin", "demo-init")
    with open(init, "w", encoding="ascii") as f:
        f.write(INIT % (SLOWNESS, "" if "--whole" in sys.argv else "--quick"))
    os.chmod(init, 0o755)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copy(glob.glob(os.path.join(root, "boot", name + "-*"))[0], os.path.join(WORK, name))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, os.path.join(WORK, "disk"), "3G"], check=True)
    shutil.rmtree(root)


def vm(check):
    start = time.monotonic()
    image()
    print("disk image in %.0f s" % (time.monotonic() - start), flush=True)
    log = os.path.join(WORK, "console.log")
    start = time.monotonic()
    with open(log, "wb") as out:
        try:
            subprocess.run(["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "3072",
                            "-nographic", "-no-reboot", "-net", "none", "-kernel", WORK + "/vmlinuz", "-initrd",
                            WORK + "/initrd.img", "-drive", "file=%s/disk,format=raw,if=virtio,cache=unsafe" % WORK, "-append",
                            "root=/dev/vda rw console=ttyS0 quiet panic=-1 init=/sbin/demo-init"],
                           stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, timeout=1800)
        except subprocess.TimeoutExpired:
            pass
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    print("".join("    | " + line + "\n" for line in text.splitlines()[-90:]), flush=True)
    seconds = time.monotonic() - start
    status = re.search(r"DEMO STATUS (\d+)", text)
    check("the demo's table on Debian's stock kernel", bool(status) and status.group(1) == "0", "%.0f s" % seconds)
    check("the native queue expression is used there", "BACKEND native" in text)
    os.remove(os.path.join(WORK, "disk"))
