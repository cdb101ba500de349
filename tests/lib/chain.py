# SPDX-License-Identifier: Apache-2.0
"""Records in the journal's form, written by other code: for cases that need an old journal."""
import hashlib
import json
import os


def files(folder):
    return sorted(name for name in os.listdir(folder) if name.startswith("events-"))


def last_line(path):
    with open(path, "rb") as f:
        return json.loads(f.read().splitlines()[-1])


def chained(record, seq, prev):
    """One line and its hash."""
    body = json.dumps({"seq": seq, **record, "prev": prev}, separators=(",", ":")).encode()
    digest = hashlib.sha256(bytes.fromhex(prev) + body).hexdigest()
    return body[:-1] + b',"hash":"' + digest.encode() + b'"}\n', digest


def lengthen(folder, size, time="2026-01-01T00:00:00.000Z", each=300):
    """Lengthens the newest unpacked file to that many bytes by records of `each` bytes with common
    fields; returns the last number."""
    path = os.path.join(folder, files(folder)[-1])
    last = last_line(path)
    seq, prev = last["seq"], last["hash"]
    with open(path, "ab") as f:
        while f.tell() < size:
            seq += 1
            line, prev = chained({"time": time, "kind": "role", "severity": "notice", "count": 1, "code": "started",
                                  "process": "supervisor", "object": "x" * each}, seq, prev)
            f.write(line)
    return seq
