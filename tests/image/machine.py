# SPDX-License-Identifier: Apache-2.0
"""The image in a machine of its own: qemu without KVM, the firmware with Microsoft's keys, and so
with Secure Boot; a network card's other end is a tap in a namespace of the test. What is typed and
read goes over the serial console. Time in the machine is the number of its instructions
(tests/fresh/vm.py says why): without that a busy host makes its kernel believe that the timer is
broken."""
import codecs
import contextlib
import fcntl
import glob
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

from net import SLOWNESS, inside

FIRMWARE = "/usr/share/OVMF/OVMF_%s_4M.ms.fd"
# How the disk is attached, and the cards: those of virtual machines, and those of real machines and
# other hypervisors. qemu has none of Intel's later cards (igb, ixgbe, i40e) here.
BOARDS = {"virtio": (["virtio-blk-pci,drive=disk,bootindex=1,serial=K-0815,addr=0x8"], "virtio-net-pci"),
          "ahci": (["ide-hd,bus=ide.0,drive=disk,bootindex=1,serial=K-0815"], "e1000e"),
          "nvme": (["nvme,drive=disk,bootindex=1,serial=K-0815,addr=0x8"], "e1000"),
          "scsi": (["virtio-scsi-pci,id=scsi,addr=0x8", "scsi-hd,bus=scsi.0,drive=disk,bootindex=1,serial=K-0815"], "vmxnet3")}
PATIENCE = float(os.environ.get("SEKISHO_VM_PATIENCE", "1"))  # for a host with other work


def tap(ns, name):
    """Makes an interface in a namespace. The returned descriptor is its other end."""
    with inside(ns):
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        # TUNSETIFF: a tap, plain frames
        fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", name.encode(), 0x1002))
    return fd


class Machine:
    """`cards`: (descriptor of a tap, MAC address). One disk stays over any number of starts;
    without an image it is empty. `usb`: the file of a stick, which the firmware tries first if
    `from_usb` is set. `tpm`: a TPM for this board, or None."""

    def __init__(self, folder, image, cards, stick, tpm=None, board="virtio"):
        self.folder, self.cards, self.stick, self.tpm = folder, cards, stick, tpm
        self.controller, self.card = BOARDS[board]
        self.disk = folder + "/disk"
        self.usb, self.from_usb = None, False
        self.words, self.fds = [], []  # further words for qemu, and descriptors that they name
        subprocess.run(["cp", "--sparse=always", image or "/dev/null", self.disk], check=True)
        os.truncate(self.disk, 3 << 30)  # the disk is larger than the image
        shutil.copy(FIRMWARE % "VARS", folder + "/vars")
        self.process, self.log = None, open(folder + "/console.log", "ab")
        self.text, self.seen, self.more = "", 0, threading.Condition()

    def start(self):
        here, there = socket.socketpair()
        args = ["qemu-system-x86_64", "-accel", "tcg", "-icount", "shift=0,sleep=on", "-rtc", "clock=vm", "-machine", "q35,smm=on",
                "-cpu", "max", "-smp", "1", "-m", "1024",
                "-display", "none", "-monitor", "none", "-qmp", "unix:%s/qmp,server=on,wait=off" % self.folder, "-nodefaults", "-global", "driver=cfi.pflash01,property=secure,value=on",
                "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + FIRMWARE % "CODE",
                "-drive", "if=pflash,unit=1,format=raw,file=%s/vars" % self.folder,
                "-drive", "if=none,id=disk,format=raw,cache=unsafe,file=" + self.disk,
                "-drive", "if=none,id=stick,format=raw,cache=unsafe,file=" + self.stick, "-device", "virtio-blk-pci,drive=stick,addr=0x9",
                "-chardev", "socket,id=console,fd=%d" % there.fileno(), "-serial", "chardev:console"]
        for device in self.controller:
            args += ["-device", device]
        if self.usb:
            args += ["-device", "qemu-xhci,id=usb,addr=0xa", "-drive", "if=none,id=usbstick,format=raw,cache=unsafe,file=" + self.usb,
                     "-device", "usb-storage,bus=usb.0,drive=usbstick,removable=on,bootindex=%d" % (0 if self.from_usb else 2)]
        if self.tpm:
            args += ["-chardev", "socket,id=tpm,path=" + self.tpm.start(), "-tpmdev", "emulator,id=tpm,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm"]
        for n, (fd, mac) in enumerate(self.cards):
            args += ["-netdev", "tap,id=n%d,fd=%d" % (n, fd), "-device", "%s,netdev=n%d,mac=%s,romfile=,addr=0x%x" % (self.card, n, mac, n + 3)]
        self.process = subprocess.Popen(args + self.words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        pass_fds=[there.fileno()] + [fd for fd, _ in self.cards] + self.fds)
        there.close()
        self.console = here
        # the machine's own clock begins now as well, and counts its instructions
        self.began, self.since = time.monotonic(), time.time()
        threading.Thread(target=self._read, args=(here,), daemon=True).start()

    def _read(self, console):
        # a character may come in two parts
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while True:
            try:
                part = console.recv(65536)
            except OSError:
                part = b""
            if not part:
                return
            self.log.write(part)
            self.log.flush()
            with self.more:
                self.text += decoder.decode(part)
                self.more.notify_all()

    def starved(self):
        """For how many seconds the machine could have run and had no processor of the host:
        schedstat (proc(5)) of the thread that waited most."""
        most = 0
        for path in glob.glob("/proc/%d/task/*/schedstat" % self.process.pid):
            with contextlib.suppress(OSError), open(path, encoding="ascii") as f:
                most = max(most, int(f.read().split()[1]))
        return most / 1e9

    def left(self, seconds):
        """Returns a function that gives the remaining time. Time without a processor does not
        count."""
        begin = time.monotonic() - self.starved()
        return lambda: begin + self.starved() + seconds * max(SLOWNESS, 1) * PATIENCE - time.monotonic()

    def wait(self, pattern, seconds):
        """Waits for the pattern in the console's output after the last match. Returns the match."""
        of = self.left(seconds)
        with self.more:
            while True:
                found = re.compile(pattern, re.S).search(self.text, self.seen)
                if found:
                    self.seen = found.end()
                    return found
                left = of()
                if left <= 0 or self.process.poll() is not None:
                    raise TimeoutError("the console did not say %r within %.0f s but: %s" % (pattern, seconds, self.text[self.seen:][-1500:]))
                self.more.wait(min(left, 1))

    def say(self, line):
        self.console.sendall(line.encode() + b"\r")

    def ask(self, line, seconds=60):
        """Types a line at the console's prompt. Returns the whole answer."""
        self.say(line)
        text, prompt = self.wait(r"\n(.*?)(sekisho> |:\x1b\[K|\(END\))", seconds).groups()
        while prompt != "sekisho> ":  # the answer is longer than the screen, so pages through it
            self.console.sendall(b"q" if prompt == "(END)" else b" ")
            more, prompt = self.wait(r"(.*?)(sekisho> |:\x1b\[K|\(END\))", seconds).groups()
            text += "\n" + more
        # the pager folds a line by a space that it takes back
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]| \x08", "", text)

    def link(self, card, up):
        """Plugs or unplugs the cable of a card."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.folder + "/qmp")
            lines = s.makefile("rw", encoding="utf-8")
            lines.readline()
            for said in ('{"execute":"qmp_capabilities"}', '{"execute":"set_link","arguments":{"name":"n%d","up":%s}}' % (card, str(up).lower())):
                lines.write(said + "\n")
                lines.flush()
                while "return" not in (told := lines.readline()):
                    if "error" in told or not told:
                        raise OSError("qemu: " + told)

    def ended(self, seconds):
        """Waits until the machine turns itself off."""
        left = self.left(seconds)
        while self.process.poll() is None:
            if left() <= 0:
                raise TimeoutError("the machine is still on after %.0f s; its console: %s" % (seconds, self.text[self.seen:][-1500:]))
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)

    def cut(self):
        """Cuts the power."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
            self.console.close()
        self.process = None
        if self.tpm:
            self.tpm.stop()

    def flip(self, at):
        with open(self.disk, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1]))
