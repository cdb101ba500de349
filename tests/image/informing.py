# SPDX-License-Identifier: Apache-2.0
"""Alarms of the image's machine by SNMP: Net-SNMP's snmptrapd in the admin network accepts what is
protected with the right keys, and nothing else."""
import os
import re

from battery import PEERS
from net import Net

TRAPD = os.path.join(PEERS, "usr", "sbin", "snmptrapd")
AUTH, PRIVACY = "tide-table-auth", "tide-table-privacy"
MIB = "1.3.6.1.4.1.8072.9999.9999.1313"
KINDS = {"%s.0.%d" % (MIB, n): kind for n, kind in ((1, "raised"), (2, "cleared"), (3, "recorded"))}


class Receiver:
    """`ns`: the namespace that has `address`. Objects have the numbers of docs/SEKISHO-MIB.txt.
    Each receiver begins with an empty list, and keeps the keys of the one before."""

    def __init__(self, work, ns, address):
        self.folder, self.net = work + "/trapd", Net("skin%d-" % os.getpid())
        os.makedirs(self.folder + "/kept/cert_indexes", exist_ok=True)
        with open(self.folder + "/trapd.conf", "w", encoding="ascii") as f:
            f.write('createUser sekisho SHA-256 "%s" AES "%s"\nauthUser log sekisho priv\n' % (AUTH, PRIVACY))
        kind = os.uname().machine + "-linux-gnu"
        env = dict(os.environ, LD_LIBRARY_PATH="%s/lib/%s:%s/usr/lib/%s" % (PEERS, kind, PEERS, kind), SNMP_PERSISTENT_DIR=self.folder + "/kept", SNMPCONFPATH=self.folder,
                   MIBDIRS=self.folder, MIBS="", LC_ALL="C.UTF-8")
        self.log = self.folder + "/log"
        with open(self.log, "wb"):
            pass
        self.net.spawn([TRAPD, "-f", "-n", "-C", "-c", self.folder + "/trapd.conf", "-Lf", self.log, "-On", "-F", "%v\x1e\n", "udp:%s:162" % address], ns,
                       log=self.folder + "/out", env=env)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.net.close()

    def took(self):
        """(kind, sentence, serial) of each alarm, in the order of their arrival."""
        with open(self.log, encoding="utf-8") as f:
            parts = f.read().split("\x1e\n")[:-1]
        found = []
        for part in parts:
            kind = re.search(r"\.1\.3\.6\.1\.6\.3\.1\.1\.4\.1\.0 = OID: \.(\S+)", part)
            sentence, serial = (re.search(r"\.%s\.1\.%d\.0 = \w[\w-]*: \"?(.*?)\"?(?:\t|$)" % (re.escape(MIB), n), part) for n in (6, 8))
            if kind and sentence and serial:
                found.append((KINDS.get(kind.group(1), kind.group(1)), sentence.group(1), int(serial.group(1))))
        return found

    def serial(self, kind, words):
        """The serial of the first alarm of this kind with these words in its sentence; 0: there is
        none."""
        return next((n for k, sentence, n in self.took() if k == kind and words in sentence), 0)
