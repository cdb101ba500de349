# SPDX-License-Identifier: Apache-2.0
"""A TPM 2.0 that is a program (swtpm), for a machine in qemu or, behind a terminal line as its device, for programs without one."""
import os
import pty
import socket
import subprocess
import threading
import tty

from net import wait_for

EXTEND = "8002 00000041 00000182 00000007 00000009 40000009 0000 00 0000 00000001 000b"  # PCR_Extend of PCR 7 by one SHA-256
STARTUP = bytes.fromhex("00000144")  # what each program says first
LEFT = [kind + n for kind in (0x02000000, 0x03000000, 0x80000000) for n in range(3)]  # of the program before: the kernel takes it away when a device is closed


class Tpm:
    """`folder` keeps what it knows over its starts, as a chip does; another folder is another chip."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        os.makedirs(folder, exist_ok=True)

    def start(self, name="ctrl", *server):
        """The socket by which a machine reaches it."""
        self.stop()
        at = os.path.join(self.folder, name)
        self.process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.folder, "--ctrl", "type=unixio,path=" + at, *server],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    """The TPM without a machine: what the firmware measured into PCR 7, and a file that commands are written to and answers read from."""

    def __init__(self, tpm, measured=b"Secure Boot"):
        at = os.path.join(tpm.folder, "line")
        tpm.start("line.ctrl", "--server", "type=unixio,path=" + at, "--flags", "startup-clear,not-need-init")
        self.s = socket.socket(socket.AF_UNIX)
        wait_for(lambda: self.s.connect_ex(at) == 0, 20, "the TPM's line")
        if self.ask(bytes.fromhex(EXTEND) + measured.ljust(32, b"\0"))[6:10] != bytes(4):
            raise OSError("the TPM measures nothing")
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        threading.Thread(target=self._carry, daemon=True).start()

    def _whole(self, read):
        data = b""
        while len(data) < 10 or len(data) < int.from_bytes(data[2:6], "big"):
            part = read(4096)
            if not part:
                raise OSError("hung up")
            data += part
        return data

    def ask(self, command):
        self.s.sendall(command)
        return self._whole(self.s.recv)

    def _carry(self):
        try:
            while True:
                command = self._whole(lambda n: os.read(self.master, n))
                for handle in LEFT if command[6:10] == STARTUP else ():
                    self.ask(bytes.fromhex("8001 0000000e 00000165") + handle.to_bytes(4, "big"))  # FlushContext
                os.write(self.master, self.ask(command))
        except OSError:
            pass

    def close(self):
        self.s.close()
        os.close(self.slave)
        os.close(self.master)
