#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Removes every table, as `nft flush ruleset` does, or `table inet NAME`: removal.py [NAME]. Prints
how many seconds the kernel needed. Packets may pass from some moment of that time on, and the
kernel reports the removal only at the end."""
import socket
import struct
import sys
import time

BEGIN, END, DELTABLE = 0x10, 0x11, 10 << 8 | 2
REQUEST, ACK = 1, 4
NETFILTER, INET, NFTABLES = 12, 1, 10


def message(kind, flags, body):
    return struct.pack("=IHHII", 16 + len(body), kind, REQUEST | flags, 1, 0) + body


def main():
    family, name = 0, b""
    if len(sys.argv) > 1:
        text = sys.argv[1].encode() + b"\0"
        family, name = INET, struct.pack("=HH", 4 + len(text), 1) + text + b"\0" * (-len(text) % 4)
    batch = message(BEGIN, 0, struct.pack(">BBH", 0, 0, NFTABLES)) + message(DELTABLE, ACK, struct.pack(">BBH", family, 0, 0) + name) + \
        message(END, 0, struct.pack(">BBH", 0, 0, NFTABLES))
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER) as s:
        s.bind((0, 0))
        begun = time.monotonic()
        s.send(batch)
        took = time.monotonic() - begun
        answer = s.recv(4096)
    status = struct.unpack_from("=i", answer, 16)[0]
    if status != 0:
        raise OSError(-status, "tables are not removed")
    print("%.6f" % took)


main()
