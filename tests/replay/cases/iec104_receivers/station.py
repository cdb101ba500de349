# SPDX-License-Identifier: Apache-2.0
"""A controlled station of lib60870: `station.py LIBRARY PORT`. Confirms whatever it is asked, and
writes a line for each command that is its application's to carry out: type, cause, common address,
object address, value and qualifier; null where the type has none."""
import ctypes
import json
import signal
import sys

lib = ctypes.CDLL(sys.argv[1])
P, U8 = ctypes.c_void_p, ctypes.c_uint8
for name, kind in {"CS104_Slave_create": P, "CS101_ASDU_getElement": P, "CS104_Slave_isRunning": ctypes.c_bool, "SingleCommand_getState": ctypes.c_bool,
                   "SetpointCommandNormalized_getValue": ctypes.c_float, "SetpointCommandShort_getValue": ctypes.c_float,
                   "ParameterNormalizedValue_getValue": ctypes.c_float, "ParameterFloatValue_getValue": ctypes.c_float,
                   "Bitstring32Command_getValue": ctypes.c_uint32, "SingleCommand_isSelect": ctypes.c_bool, "DoubleCommand_isSelect": ctypes.c_bool,
                   "StepCommand_isSelect": ctypes.c_bool}.items():
    getattr(lib, name).restype = kind

# lib60870's functions for the value and the qualifier of a type. A type with a time has the same
# ones.
SINGLE, DOUBLE, STEP = (("%s_getState" % x, "%s_getQU" % x, "%s_isSelect" % x) for x in ("SingleCommand", "DoubleCommand", "StepCommand"))
NORMAL, SCALED, SHORT = (("SetpointCommand%s_getValue" % x, "SetpointCommand%s_getQL" % x, "SetpointCommand%s_isSelect" % x)
                         for x in ("Normalized", "Scaled", "Short"))
TOLD = {45: SINGLE, 46: DOUBLE, 47: STEP, 48: NORMAL, 49: SCALED, 50: SHORT, 51: ("Bitstring32Command_getValue",),
        58: SINGLE, 59: DOUBLE, 60: STEP, 61: NORMAL, 62: SCALED, 63: SHORT, 64: ("Bitstring32Command_getValue",),
        110: ("ParameterNormalizedValue_getValue",), 111: ("ParameterScaledValue_getValue",), 112: ("ParameterFloatValue_getValue",)}


def get(name, thing):
    return getattr(lib, name)(P(thing))


def say(*what):
    print(json.dumps(what), flush=True)


def header(asdu):
    return [get("CS101_ASDU_getTypeID", asdu), get("CS101_ASDU_getCOT", asdu), get("CS101_ASDU_getCA", asdu)]


def confirm(connection, asdu):
    lib.IMasterConnection_sendACT_CON(P(connection), P(asdu), ctypes.c_bool(False))
    return True


def any_asdu(_, connection, asdu):
    kind, cause, ca = header(asdu)
    for k in range(get("CS101_ASDU_getNumberOfElements", asdu)):
        one = lib.CS101_ASDU_getElement(P(asdu), k)
        if not one:
            say(kind, cause, ca, None, None, None)
            continue
        value, *more = [get(name, one) for name in TOLD[kind]] if kind in TOLD else [None]
        say(kind, cause, ca, get("InformationObject_getObjectAddress", one), value, int(more[0]) + 256 * int(more[1]) if more else None)
        lib.InformationObject_destroy(P(one))
    return confirm(connection, asdu)


def whole(_, connection, asdu, qualifier=None):
    say(*header(asdu), 0, None, qualifier)
    return confirm(connection, asdu)


def clock(_, connection, asdu, time):
    say(*header(asdu), 0, None, None)
    return True


def read(_, connection, asdu, ioa):
    say(*header(asdu), ioa, None, None)
    return True


slave = P(lib.CS104_Slave_create(100, 100))
lib.CS104_Slave_setLocalAddress(slave, b"127.0.0.1")
lib.CS104_Slave_setLocalPort(slave, int(sys.argv[2]))
lib.CS104_Slave_setServerMode(slave, 1)  # each connection a group of its own
kept = []
for name, f, more in (("ASDU", any_asdu, ()), ("Interrogation", whole, (U8,)), ("CounterInterrogation", whole, (U8,)), ("Read", read, (ctypes.c_int,)),
                      ("ClockSync", clock, (P,)), ("ResetProcess", whole, (U8,)), ("DelayAcquisition", clock, (P,))):
    kept.append(ctypes.CFUNCTYPE(ctypes.c_bool, P, P, P, *more)(f))
    getattr(lib, "CS104_Slave_set%sHandler" % name)(slave, kept[-1], None)
lib.CS104_Slave_start(slave)
if not lib.CS104_Slave_isRunning(slave):
    sys.exit("it does not listen")
signal.pause()
