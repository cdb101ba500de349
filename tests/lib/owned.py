# SPDX-License-Identifier: Apache-2.0
"""A table with our name that belongs to another process."""
import socket
import struct

from net import inside

CREATE, REQUEST, ACK = 0x400, 1, 4
NETFILTER, NFTABLES, NEWTABLE = 12, 10, 10 << 8
BEGIN, END = 0x10, 0x11


def message(kind, flags, family, resource, attributes=b""):
    return struct.pack("=IHHII", 20 + len(attributes), kind, REQUEST | flags, 1, 0) + struct.pack(">BBH", family, 0, resource) + attributes


def by_another(ns):
    """An empty table that only the returned socket may change (flag `owner`, Linux 5.12); it ends
    with that socket."""
    with inside(ns):
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETFILTER)
    s.bind((0, 0))
    name, flags = struct.pack("=HH8s", 12, 1, b"sekisho"), struct.pack("=HH", 8, 2) + struct.pack(">I", 2)
    s.send(message(BEGIN, 0, 0, NFTABLES) + message(NEWTABLE, CREATE | ACK, 1, 0, name + flags) + message(END, 0, 0, NFTABLES))
    code = struct.unpack("=i", s.recv(4096)[16:20])[0]
    if code != 0:
        raise OSError(-code, "the table is not made")
    return s
