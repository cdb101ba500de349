# SPDX-License-Identifier: Apache-2.0
"""A person at a terminal who sees a program's progress."""
import contextlib
import os
import pty
import signal
import subprocess
import threading


class Terminal:
    """A program whose standard error is a terminal, with its output there and on standard
    output."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
        os.close(slave)
        self.seen = b""
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        with contextlib.suppress(OSError):  # the last writer is gone
            while part := os.read(self.master, 4096):
                self.seen += part

    def text(self):
        return self.seen.decode(errors="replace")

    def end(self):
        """Its status, its output, each line that was on the terminal, and what is there at the
        end."""
        out = self.process.communicate(timeout=60)[0]
        self.reader.join()
        os.close(self.master)
        lines, last = [], ""
        for part in self.text().replace("\r\n", "\n").split("\r"):
            lines.append(part.rpartition("\n")[2].rstrip(" "))
            last = part.rstrip(" ") if part.strip(" ") else ""
        return self.process.returncode, out, lines, last
