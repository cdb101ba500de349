# SPDX-License-Identifier: Apache-2.0
"""A person who logs in at the machine's serial console: ttyS1, whose line ends at ttyS2 of the same
machine (../vm_units.py)."""
import os
import re
import select
import time
import tty

from tools import must, run

PASSWORD = "only-for-this-machine"
ENDED = re.compile(r"ENDED WITH (\d+)")


class Console:
    def __init__(self):
        run("chpasswd", data="root:%s\n" % PASSWORD)
        self.line = os.open("/dev/ttyS2", os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.line)
        self.text, self.seen = "", 0
        self.rest = b""
        must("systemctl", "restart", "serial-getty@ttyS1.service")
        self.until(r"login: $")
        self.type("root")
        self.until(r"Password: $")
        self.type(PASSWORD)
        self.until(r"[#$] $")

    def until(self, pattern, seconds=60):
        """Waits until the text since the last typed line ends with this pattern. Returns that
        text."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text[self.seen:]):
            if not select.select([self.line], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError("at the console: no %s: %s" % (pattern, self.text[-300:]))
            self.rest += os.read(self.line, 65536)
            good = self.rest.decode("utf-8", "ignore")  # the last character may be incomplete
            self.text += good
            self.rest = self.rest[len(good.encode()):]
        return " ".join(self.text[self.seen:].split())

    def type(self, line):
        self.seen = len(self.text)
        os.write(self.line, line.encode() + b"\r")

    def start(self, command):
        self.type(command + "; echo ENDED WITH $?")
        return self.say(None)

    def say(self, line):
        """Types a line. Returns the answer, up to the next question or the end."""
        if line is not None:
            self.type(line)
        return self.until(r"> $|ENDED WITH \d+")

    def close(self):
        """The exit status of the command that was started; None if it has not ended."""
        found = ENDED.search(self.text[self.seen:])
        must("systemctl", "stop", "serial-getty@ttyS1.service")
        os.close(self.line)
        return int(found.group(1)) if found else None
