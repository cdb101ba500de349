# SPDX-License-Identifier: Apache-2.0
"""The image's machine with a root shell, which the image itself does not have: at a second serial
line, and with `nft` on another disk. Somebody who changes GRUB's file on the disk of a box without
a TPM gets such a shell. What is tried with it any other program with all capabilities could do."""
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from broken import offset
from machine import PATIENCE, Machine

# Typed at the shell that is the first process of a start. Its last line goes on with the usual
# first process.
FIRST = r"""unit=/run/systemd/system; mkdir -p $unit/sysinit.target.wants
printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' 'ExecStart=/bin/bash --norc --noprofile --noediting' StandardInput=tty StandardOutput=tty StandardError=tty TTYPath=/dev/ttyS1 >$unit/root.service
ln -s ../root.service $unit/sysinit.target.wants/; exec /sbin/init"""
NFT = r"""#!/bin/bash
exec /mnt/lib/ld.so --library-path /mnt/lib /mnt/nft.bin "$@"
"""


def tools(folder):
    """A disk with this machine's `nft` and its libraries."""
    top = folder + "/tools"
    os.makedirs(top + "/lib")
    program = shutil.which("nft") or "/usr/sbin/nft"
    shutil.copy(program, top + "/nft.bin")
    for path in re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program], check=True, stdout=subprocess.PIPE, text=True).stdout):
        name = os.path.basename(path)
        shutil.copy(path, "%s/lib/%s" % (top, "ld.so" if name.startswith("ld-linux") else name))
    with open(top + "/nft", "w", encoding="ascii") as f:
        f.write(NFT)
    os.chmod(top + "/nft", 0o755)
    subprocess.run(["mksquashfs", top, top + ".img", "-quiet", "-no-progress", "-all-root"], check=True, stdout=subprocess.DEVNULL)
    return top + ".img"


class Rooted(Machine):
    def __init__(self, folder, image, cards, stick):
        super().__init__(folder, image, cards, stick)
        where, path = "%s@@%d" % (self.disk, offset(self, "start")), folder + "/grub.cfg"
        subprocess.run(["mcopy", "-n", "-i", where, "::EFI/debian/grub.cfg", path], check=True)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace(" init_on_free=1 ", " init_on_free=1 init=/bin/bash ", 1))
        subprocess.run(["mcopy", "-o", "-i", where, path, "::EFI/debian/grub.cfg"], check=True)
        self.shell, self.there = socket.socketpair()
        self.words = ["-chardev", "socket,id=shell,fd=%d" % self.there.fileno(), "-serial", "chardev:shell",
                      "-drive", "if=none,id=tools,format=raw,readonly=on,file=" + tools(folder), "-device", "virtio-blk-pci,drive=tools,serial=tools,addr=0xb"]
        self.fds = [self.there.fileno()]
        self.told = b""
        self.heard = threading.Condition()
        threading.Thread(target=self._hear, daemon=True).start()

    def _hear(self):
        while True:
            part = self.shell.recv(65536)
            if not part:
                return
            with self.heard:
                self.told += part
                self.heard.notify_all()

    def start(self):
        seen = self.seen
        super().start()
        self.wait(r"root@\S*# ", 600)
        for line in FIRST.splitlines():
            self.say(line)
        self.seen = seen  # the caller waits for what was said before

    def root(self, command, seconds=60):
        """The status and the output of a command that root runs. In the shell's echo of the line,
        `ended=` is not followed by a number; at the end of the output it is."""
        with self.heard:
            self.told = b""
            self.shell.sendall(("{ %s; } 2>&1; echo ended=$?=\r" % command).encode())
            left = self.left(seconds)
            while True:
                said = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", self.told.decode("utf-8", "replace")).replace("\r", "")
                found = re.search(r"(.*)ended=\$\?=\n(.*?)ended=(\d+)=", said, re.S)
                if found:
                    return int(found.group(3)), found.group(2)
                if left() <= 0 or self.process.poll() is not None:
                    raise TimeoutError("root's shell did not answer %r within %.0f s but: %s" % (command, seconds, said[-1500:]))
                self.heard.wait(min(left(), 1))
