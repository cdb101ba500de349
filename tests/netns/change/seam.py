# SPDX-License-Identifier: Apache-2.0
"""What the matrix orders of a daemon that was linked with seam.c: its clock, and which step of an apply fails."""
import mmap
import os
import struct

# As enum point of seam.c has them.
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

    def clock(self, ahead):
        """The daemon's wall clock goes that many seconds ahead of the machine's, or behind."""
        struct.pack_into("=q", self.page, 0, int(ahead * 1e9))

    def fail(self, point, times=1, skip=0):
        struct.pack_into("=ii", self.page, 8 + 8 * point, skip, times)

    def memory(self, no_more):
        """No allocation of so many bytes or more succeeds; 0: all do."""
        struct.pack_into("=Q", self.page, MEMORY, no_more)

    def synchronised(self, yes):
        """What the kernel says of the daemon's clock; None: nothing."""
        struct.pack_into("=q", self.page, SYNC, 1 if yes is None else 3 if yes else 2)

    def battery(self, ahead):
        """The clock with the battery is that many seconds ahead of the machine's; None: there is none."""
        struct.pack_into("=q", self.page, BATTERY, NO_BATTERY if ahead is None else int(ahead) or 1)

    def boot(self, name):
        """The machine's start by another name."""
        struct.pack_into("=40s", self.page, BOOT, name.encode())

    def later(self, seconds):
        """For whatever waits until the word about a source has settled, so much time has passed."""
        struct.pack_into("=q", self.page, LATER, int(seconds * 1e9))

    def slow(self, kind, seconds):
        """Workers of that kind take one packet at a time and so long for each; 0: as fast as they are."""
        struct.pack_into("=q", self.page, SLOW + 8 * kind, int(seconds * 1e9))

    def hold(self, point, stands=True):
        """Whoever comes to a point stands still there until he may go on."""
        struct.pack_into("=ii", self.page, STILL + 8 * point, stands, 0)

    def came(self, point):
        """How many stand at a point that holds them."""
        return struct.unpack_from("=ii", self.page, STILL + 8 * point)[1]

    def eat(self, workers):
        """So many workers take memory without end."""
        struct.pack_into("=i", self.page, EATERS, workers)

    def pass_by(self, seconds):
        """So much time has gone by, evenly: for the journal by both clocks, for everybody else by the wall's."""
        struct.pack_into("=q", self.page, EVEN, int(seconds * 1e9))

    def left(self, point):
        """How many of the ordered failures did not come."""
        return struct.unpack_from("=ii", self.page, 8 + 8 * point)[1]

    def nothing(self):
        self.page[:] = bytes(SIZE)
