# SPDX-License-Identifier: Apache-2.0
"""A group of processes (cgroup, version 2) that the daemon may divide, as a service manager
delegates it."""
import os
import sys

from net import wait_for

# A sanitizer needs much more memory (shadow memory, freed memory that it keeps), so the product's
# limits are too low for it.
SANITIZED = os.path.basename(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "")) == "san"
PLACES = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")


class Delegated:
    def __init__(self, name):
        top = self.top()
        self.folder = "%s/sekisho-test-%s-%d" % (top, name, os.getpid())
        os.mkdir(self.folder)
        os.setxattr(self.folder, "user.delegate", b"1")

    @staticmethod
    def top():
        """Where cgroup version 2 is mounted; None: nowhere."""
        return next((x for x in PLACES if os.path.exists(x + "/cgroup.controllers")), None)

    @classmethod
    def holds_memory(cls):
        """Whether a group there can limit memory: not where version 1 controls it."""
        if cls.top() is None:
            return False
        with open(cls.top() + "/cgroup.subtree_control", encoding="ascii") as f:
            return "memory" in f.read().split()

    def entered(self):
        """A command that enters the group and executes its arguments; first it removes an earlier
        daemon's groups."""
        return ("sh", "-c", "rmdir \"$0\"/parsers/* \"$0\"/parsers \"$0\"/guard 2>/dev/null; for x in memory cpu; do "
                "echo -$x >\"$0\"/cgroup.subtree_control; done 2>/dev/null; echo $$ >\"$0\"/cgroup.procs && exec \"$@\"", self.folder)

    def read(self, name):
        with open("%s/%s" % (self.folder, name), encoding="ascii") as f:
            return f.read().strip()

    def members(self, name):
        return {int(x) for x in self.read(name + "/cgroup.procs").split()}

    def end(self):
        def gone():
            try:
                for folder, _, _ in os.walk(self.folder, topdown=False):
                    os.rmdir(folder)
                return True
            except OSError:
                return False
        wait_for(gone, 10, "the groups to be empty")
