# SPDX-License-Identifier: Apache-2.0
"""A software TPM 2.0 (swtpm), for a machine in qemu or, with a terminal line as its device, for
programs without a machine."""
import os
import pty
import socket
import subprocess
import sys
import tty

from carrier import CARRIER, ask
from net import wait_for

# PCR_Extend of PCR 7 by one SHA-256
EXTEND = "8002 00000041 00000182 00000007 00000009 40000009 0000 00 0000 00000001 000b"


def ordinary(words, **more):
    """Starts a program at normal priority: a real chip is not slow when other tests run, and
    programs wait only one second for its first answer."""
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **more)
    os.sched_setscheduler(process.pid, os.SCHED_OTHER, os.sched_param(0))
    return process


class Tpm:
    """`folder` keeps its contents over starts, as a chip does; another folder is another chip."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        os.makedirs(folder, exist_ok=True)

    def start(self, name="ctrl", *server):
        """The socket by which a machine reaches it."""
        self.stop()
        at = os.path.join(self.folder, name)
        self.process = ordinary(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.folder, "--ctrl", "type=unixio,path=" + at, *server])
        wait_for(lambda: os.path.exists(at), 20, "the TPM")
        return at

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            for f in ("ctrl", "line", "line.ctrl"):
                if os.path.exists(os.path.join(self.folder, f)):
                    os.unlink(os.path.join(self.folder, f))


class Line:
    """The TPM without a machine: the measurements of a firmware in PCR 7, and a file to write
    commands to and read answers from."""

    def __init__(self, tpm, measured=b"Secure Boot"):
        at = os.path.join(tpm.folder, "line")
        tpm.start("line.ctrl", "--server", "type=unixio,path=" + at, "--flags", "startup-clear,not-need-init")
        with socket.socket(socket.AF_UNIX) as s:
            wait_for(lambda: s.connect_ex(at) == 0, 20, "the TPM's line")
            if ask(s, bytes.fromhex(EXTEND) + measured.ljust(32, b"\0"))[6:10] != bytes(4):
                raise OSError("the TPM measures nothing")
            master, self.slave = pty.openpty()
            tty.setraw(self.slave)
            self.path = os.ttyname(self.slave)
            self.carrier = ordinary([sys.executable, CARRIER, str(s.fileno()), str(master)], pass_fds=(s.fileno(), master))
            os.close(master)

    def close(self):
        self.carrier.kill()
        self.carrier.wait()
        os.close(self.slave)
