# SPDX-License-Identifier: Apache-2.0
"""A server of open62541: `server.py LIBRARY PORT`, with two methods, ns=1;i=7000 and 7001 of the
objects' folder. Writes a line for each call."""
import ctypes
import json
import os
import sys

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # the library's own messages go to standard error
lib = ctypes.CDLL(sys.argv[1])
P, SIZE = ctypes.c_void_p, ctypes.c_size_t
for name in ("UA_Server_new", "UA_Server_getConfig"):
    getattr(lib, name).restype = P


class NodeId(ctypes.Structure):
    _fields_ = [("ns", ctypes.c_uint16), ("kind", ctypes.c_int), ("number", ctypes.c_uint32), ("rest", ctypes.c_uint32 * 3)]


class Name(ctypes.Structure):
    _fields_ = [("ns", ctypes.c_uint16), ("length", SIZE), ("data", ctypes.c_char_p)]


class Attributes(ctypes.Structure):  # of a method
    _fields_ = [("specified", ctypes.c_uint32), ("texts", ctypes.c_uint64 * 8), ("masks", ctypes.c_uint32 * 2), ("executable", ctypes.c_bool),
                ("by_user", ctypes.c_bool)]


Call = ctypes.CFUNCTYPE(ctypes.c_uint32, P, ctypes.POINTER(NodeId), P, ctypes.POINTER(NodeId), P, ctypes.POINTER(NodeId), P, SIZE, P, SIZE, P)


def called(_server, _session, _of_session, method, *_):
    print(json.dumps(["call", method[0].number]), file=out, flush=True)
    return 0


server = P(lib.UA_Server_new())
lib.UA_ServerConfig_setMinimalCustomBuffer(P(lib.UA_Server_getConfig(server)), ctypes.c_uint16(int(sys.argv[2])), None, 0, 0)
attributes, kept = Attributes.in_dll(lib, "UA_MethodAttributes_default"), Call(called)
lib.UA_Server_addMethodNode.argtypes = [P, NodeId, NodeId, NodeId, Name, Attributes, Call, SIZE, P, SIZE, P, P, P]
for number in (7000, 7001):
    if lib.UA_Server_addMethodNode(server, NodeId(1, 0, number), NodeId(0, 0, 85), NodeId(0, 0, 47), Name(1, 1, b"m"), attributes, kept, 0, None, 0, None,
                                   None, None):
        sys.exit("no method")
lib.UA_Server_run(server, ctypes.byref(ctypes.c_bool(True)))
