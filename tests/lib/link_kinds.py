# SPDX-License-Identifier: Apache-2.0
"""Kinds of network devices that not every kernel has."""
from net import Net, sh

HOW = {"vlan": "link p0 name it type vlan id 5", "bond": "it type bond"}


def lacking(kind):
    """Why this kernel cannot make that kind of device, or ""."""
    net = Net("kinds-probe-")
    try:
        net.veth(net.add("a"), "p0", net.ns("a"), "p1")
        return sh("ip", "link", "add", *HOW[kind].split(), ns=net.ns("a"), check=False).stderr.strip()
    finally:
        net.close()
