# SPDX-License-Identifier: Apache-2.0
"""A UPS that a server in the admin network watches: Debian's upsd with its driver for a simulated
UPS. The box knows only what these say."""
import os

from net import Net, wait_for

PEERS = os.path.join(os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")), "build", "peers")
NUT = os.path.join(PEERS, "lib", "nut")
DRIVER, UPSD = os.path.join(NUT, "dummy-ups"), os.path.join(NUT, "upsd")
PASSWORD, PORT = "secret-of-the-hall", 3493


class Ups:
    """`ns`: the namespace that has `address`. Both programs end together with this object."""

    def __init__(self, work, ns, address):
        self.folder, self.net, self.ns = work + "/nut", Net("skup-"), ns
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        self.put("ups.conf", "maxstartdelay = 60\n[hall]\n driver = dummy-ups\n port = %s/hall.dev\n mode = dummy-once\n pollinterval = 1\n" % self.folder)
        self.put("upsd.conf", "LISTEN %s %d\nSTATEPATH %s\n" % (address, PORT, self.folder))
        self.put("upsd.users", "[sekisho]\n password = %s\n upsmon secondary\n" % PASSWORD)
        self.says("OL", 100)
        kind = os.uname().machine + "-linux-gnu"
        env = dict(os.environ, NUT_CONFPATH=self.folder, NUT_STATEPATH=self.folder, NUT_ALTPIDPATH=self.folder,
                   LD_LIBRARY_PATH="%s/lib/%s:%s/usr/lib/%s" % (PEERS, kind, PEERS, kind))
        self.net.spawn([DRIVER, "-a", "hall", "-D", "-u", "root"], ns, log=self.folder + "/driver.log", env=env)
        wait_for(lambda: os.path.exists(self.folder + "/dummy-ups-hall"), 60, "the driver")
        self.net.spawn([UPSD, "-F", "-u", "root"], ns, log=self.folder + "/upsd.log", env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.net.close()

    def put(self, name, text):
        with open(self.folder + "/new", "w", encoding="ascii") as f:
            f.write(text)
        os.rename(self.folder + "/new", os.path.join(self.folder, name))

    def says(self, status, charge):
        self.put("hall.dev", "ups.status: %s\nbattery.charge: %d\nbattery.runtime: %d\n" % (status, charge, charge * 12))
