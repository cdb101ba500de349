# SPDX-License-Identifier: Apache-2.0
"""make bench-pdu: what one PDU costs its enforcer, in instructions as callgrind counts them:
framing, taking apart, ruling, and remembering what its answer must fit (pdu.h). The same program
gives the same numbers each time, however busy the machine is; a change of compiler or C library
changes them.

With one row that allows it, and with seven rows before that one, each of a conduit of its own with
the same codes and another place.

Writes build/bench-pdu.json. Leaves with 0 and a reason where there is no valgrind.
pdu.py [--only modbus,slmp,...]
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOOLS = os.environ.get("SEKISHO_BENCH", os.path.join(TOP, "build", "release", "bench"))
PROTOCOLS = ("modbus", "slmp", "enip", "s7comm", "fins", "memobus", "iec104", "dnp3", "opcua", "bacnet")
REPEATS = 100  # as pdu.h
MORE = (0, 7)


def instructions(program, exchange, part, more):
    # whatever the compiler appends to the function's name
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured*", program,
                           exchange, part, str(more)], capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or found is None or int(found[1]) < REPEATS:
        raise RuntimeError("%s, %s of %s: %s" % (os.path.basename(program), part, exchange, done.stderr.strip()))
    return int(found[1]) / REPEATS


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--only", default=",".join(PROTOCOLS))
    a.add_argument("--json", default=os.path.join(TOP, "build", "bench-pdu.json"))
    a = a.parse_args()
    if shutil.which("valgrind") is None:
        print("skipped: no valgrind here (images/deps bench says why)")
        return 0
    rows = []
    print("%-10s%-28s%18s%24s%24s" % ("", "instructions", "bytes, both ways", "request, 1 (8) rows", "answer, 1 (8) rows"))
    for protocol in a.only.split(","):
        program = os.path.join(TOOLS, "pdu_" + protocol)
        for line in subprocess.run([program, "list"], capture_output=True, text=True, check=True).stdout.splitlines():
            exchange, request, answer = line.split("\t")
            row = {"protocol": protocol, "exchange": exchange, "request_bytes": int(request), "answer_bytes": int(answer)}
            for part in ("request", "answer"):
                row[part] = {1 + more: instructions(program, exchange, part, more) for more in MORE}
            rows.append(row)
            print("%-10s%-28s%18s%24s%24s" % (protocol, exchange, request + " + " + answer,
                                              *("%.0f (%.0f)" % tuple(row[part].values()) for part in ("request", "answer"))))
    with open(a.json, "w", encoding="ascii") as f:
        json.dump({"instructions": rows}, f, indent=1)
    print("written: " + os.path.relpath(a.json, TOP))
    return 0


if __name__ == "__main__":
    sys.exit(main())
