# SPDX-License-Identifier: Apache-2.0
"""make bench-pdu: the cost of one PDU for its enforcer, in instructions as callgrind counts them:
framing, parsing, judging, and remembering what the answer must be (pdu.h). The same program gives
the same numbers each time, however busy the machine is; another compiler or C library changes
them.

Each PDU is measured twice: with one row, which allows it, and with seven rows before this one. Each
of these belongs to another conduit, and has the same codes and other addresses.

Writes build/bench-pdu.json. Without valgrind it prints so and exits with 0.
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
REPEATS = 100  # as in pdu.h
MORE = (0, 7)


def instructions(program, exchange, part, more):
    # `*`: the compiler may append something to the name of the function
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
