# SPDX-License-Identifier: Apache-2.0
"""Controllers of other makers, each at its address: SLMP at 5007 (TCP) and 5008 (UDP), EtherNet/IP
at 44818, S7comm at 102, FINS at 9600 and MEMOBUS at 9999 (TCP and UDP), OPC UA at 4840.

    controllers.py slmp|enip|s7comm|fins|memobus|opcua=ADDRESS ...
"""
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
import enip  # noqa: E402
import fins  # noqa: E402
import memobus  # noqa: E402
import opcua  # noqa: E402
import s7  # noqa: E402
import serving  # noqa: E402
import slmp  # noqa: E402


def bound(address, port, kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(16)
    return s


def main():
    melsec, logix, simatic, sysmac, yaskawa = slmp.Controller(), enip.Controller(), s7.Controller(), fins.Memory(), memobus.Memory()
    for protocol, _, address in (word.partition("=") for word in sys.argv[1:]):
        if protocol == "slmp":
            melsec.serve(bound(address, 5007))
            melsec.serve_datagrams(bound(address, 5008, socket.SOCK_DGRAM))
        elif protocol == "enip":
            logix.serve(bound(address, 44818))
        elif protocol == "s7comm":
            simatic.serve(bound(address, 102))
        elif protocol == "memobus":
            serving.each(bound(address, 9999), memobus.speak(yaskawa))
            memobus.answer_datagrams(bound(address, 9999, socket.SOCK_DGRAM), yaskawa)
        elif protocol == "opcua":
            serving.each(bound(address, 4840), opcua.speak([]))
        else:
            serving.each(bound(address, 9600), fins.speak(sysmac))
            fins.answer_datagrams(bound(address, 9600, socket.SOCK_DGRAM), sysmac)
    signal.pause()


main()
