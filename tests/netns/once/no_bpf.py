# SPDX-License-Identifier: Apache-2.0
"""Executes a command for which the system call bpf() does not exist, as with a kernel that is
locked down. no_bpf.py COMMAND..."""
import ctypes
import os
import struct
import sys

NUMBER, ARCH = {"x86_64": (321, 0xC000003E), "aarch64": (280, 0xC00000B7)}[os.uname().machine]
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, EPERM = 0x7FFF0000, 0x00050001
FILTER = [(LOAD, 0, 0, 4), (EQUAL, 0, 3, ARCH), (LOAD, 0, 0, 0), (EQUAL, 0, 1, NUMBER), (RETURN, 0, 0, EPERM), (RETURN, 0, 0, ALLOW)]
PR_SET_SECCOMP, FILTERED = 22, 2

text = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *x) for x in FILTER))
program = ctypes.create_string_buffer(struct.pack("@HP", len(FILTER), ctypes.addressof(text)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(PR_SET_SECCOMP, FILTERED, program, 0, 0) != 0:
    sys.exit("no_bpf: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
