# SPDX-License-Identifier: Apache-2.0
"""Orders to a daemon that was linked with seam.c: its clock, and which step of an apply fails."""
import mmap
import os
import struct

# The values of enum point in seam.c.
STORE, TABLE, DIGEST, FORETELL, BATCH, READ_BACK, FACTS, CONFIRM, TRIED, HISTORY, POINTED, SILENT, POINTS = range(13)
MEMORY = 8 + 8 * POINTS
SYNC, BATTERY, BOOT = MEMORY + 8, MEMORY + 16, MEMORY + 24
LATER = BOOT + 40
SLOW = LATER + 8
STILL = SLOW + 16
EATERS = STILL + 8 * POINTS
EVEN = EATERS + 8
SIZE = EVEN + 8
NAMING, COMMANDS = range(2)
NO_BATTERY = -1 << 63


class Seam:
    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        fd = os.open(folder + "/seam", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(fd, SIZE)
        self.page = mmap.mmap(fd, SIZE)
        os.close(fd)
        # A number is written in one step. struct.pack_into clears it first, and a daemon that reads
        # in between would have a wrong time.
        self.longs, self.ints = memoryview(self.page).cast("q"), memoryview(self.page).cast("i")

    def long(self, at, value):
        self.longs[at // 8] = value

    def int(self, at, value):
        self.ints[at // 4] = value

    def clock(self, ahead):
        """The daemon's wall clock is this many seconds ahead of the machine's, or behind."""
        self.long(0, int(ahead * 1e9))

    def fail(self, point, times=1, skip=0):
        self.int(8 + 8 * point, skip)
        self.int(8 + 8 * point + 4, times)

    def memory(self, no_more):
        """No allocation of this many bytes or more succeeds; 0: all do."""
        self.long(MEMORY, no_more)

    def synchronised(self, yes):
        """The kernel's answer about the daemon's clock; None: none."""
        self.long(SYNC, 1 if yes is None else 3 if yes else 2)

    def battery(self, ahead):
        """The real-time clock is this many seconds ahead of the machine's; None: there is none."""
        self.long(BATTERY, NO_BATTERY if ahead is None else int(ahead) or 1)

    def boot(self, name):
        """The boot id of the machine."""
        struct.pack_into("=40s", self.page, BOOT, name.encode())

    def later(self, seconds):
        """For waits until the state of a source is settled, this much time has passed."""
        self.long(LATER, int(seconds * 1e9))

    def slow(self, kind, seconds):
        """Workers of this kind handle one packet at a time and take this long for each; 0: no
        delay."""
        self.long(SLOW + 8 * kind, int(seconds * 1e9))

    def hold(self, point, stands=True):
        """A process that comes to this point is stopped there until it may go on."""
        self.int(STILL + 8 * point + 4, 0)
        self.int(STILL + 8 * point, stands)

    def came(self, point):
        """How many processes are stopped at this point."""
        return struct.unpack_from("=ii", self.page, STILL + 8 * point)[1]

    def eat(self, workers):
        """This many workers allocate memory without end."""
        self.int(EATERS, workers)

    def pass_by(self, seconds):
        """Lets this much time pass evenly: for the journal by both clocks, for others by the wall
        clock."""
        self.long(EVEN, int(seconds * 1e9))

    def left(self, point):
        """How many of the ordered failures have not happened."""
        return struct.unpack_from("=ii", self.page, 8 + 8 * point)[1]

    def nothing(self):
        self.page[:] = bytes(SIZE)
