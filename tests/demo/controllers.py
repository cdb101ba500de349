# SPDX-License-Identifier: Apache-2.0
"""The controllers of the quay cranes of other makers, IPv4 and IPv6: SLMP at 5007 (TCP) and 5008 (UDP) of the first host, EtherNet/IP at
44818 of the second, S7comm at 102 of the third.

    controllers.py FIRST FIRST6 SECOND SECOND6 THIRD THIRD6
"""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import enip  # noqa: E402
import s7  # noqa: E402
import slmp  # noqa: E402


def bound(address, port, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(16)
    return s


def main():
    hosts = sys.argv[1:7]
    melsec, logix, simatic = slmp.Controller(), enip.Controller(), s7.Controller()
    for address in hosts[0:2]:
        melsec.serve(bound(address, 5007))
        melsec.serve_datagrams(bound(address, 5008, socket.SOCK_DGRAM))
    for address in hosts[2:4]:
        logix.serve(bound(address, 44818))
    for address in hosts[4:6]:
        simatic.serve(bound(address, 102))
    signal.pause()


main()
