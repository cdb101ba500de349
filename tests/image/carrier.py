# SPDX-License-Identifier: Apache-2.0
"""Connects a terminal line that stands for a TPM with the program that simulates it. Carries
complete commands one way and complete answers the other way. It is a process of its own, so that it
waits for nothing else in the test. Its arguments: two descriptors, the socket of that program and
the line."""
import os
import socket
import sys

CARRIER = os.path.abspath(__file__)
STARTUP = bytes.fromhex("00000144")  # the first command of each program (TPM2_Startup)
# handles of an earlier program, which the kernel would flush when a device is closed
LEFT = [kind + n for kind in (0x02000000, 0x03000000, 0x80000000) for n in range(3)]


def whole(read):
    """Reads a command or an answer, which may come in several parts."""
    data = b""
    while len(data) < 10 or len(data) < int.from_bytes(data[2:6], "big"):
        part = read(4096)
        if not part:
            raise OSError("hung up")
        data += part
    return data


def ask(s, command):
    s.sendall(command)
    return whole(s.recv)


def carry(s, line):
    while True:
        command = whole(lambda n: os.read(line, n))
        for handle in LEFT if command[6:10] == STARTUP else ():
            # FlushContext
            ask(s, bytes.fromhex("8001 0000000e 00000165") + handle.to_bytes(4, "big"))
        os.write(line, ask(s, command))


if __name__ == "__main__":
    carry(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
