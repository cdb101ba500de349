# SPDX-License-Identifier: Apache-2.0
"""Between a terminal line that stands for a TPM and the program that is one: whole commands one way, whole answers the other. A process of
its own, which waits for nobody else in the test. Its words: the two descriptors, that program's socket first."""
import os
import socket
import sys

CARRIER = os.path.abspath(__file__)
STARTUP = bytes.fromhex("00000144")  # what each program says first
LEFT = [kind + n for kind in (0x02000000, 0x03000000, 0x80000000) for n in range(3)]  # of the program before: the kernel takes it away when a device is closed


def whole(read):
    """A command or an answer, in however many parts it comes."""
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
            ask(s, bytes.fromhex("8001 0000000e 00000165") + handle.to_bytes(4, "big"))  # FlushContext
        os.write(line, ask(s, command))


if __name__ == "__main__":
    carry(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]))
