# SPDX-License-Identifier: Apache-2.0
"""Named cases with a count at the end: "N passed, N failed". A case fails by raising, and by what a
sanitizer reported meanwhile; what the box and the machine have to say about it follows."""
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import aftermath  # noqa: E402
import reports  # noqa: E402
import slowness  # noqa: E402


def needs_root():
    """The first step of a suite that makes namespaces: without root it has shown nothing and must not count as passed."""
    if os.geteuid() != 0:
        print("namespace tests need root", file=sys.stderr)
        sys.exit(3)


class Skip(Exception):
    """What keeps this machine from trying a case: it counts as neither passed nor failed."""


class Cases:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        slowness.say()

    def run(self, name, function, *args):
        aftermath.begin()
        machine, start = aftermath.Machine(), time.monotonic()
        try:
            note = function(*args)
            reports.expect_none()
        except Skip as e:
            print("SKIP    %s: %s" % (name, e), flush=True)
            return True
        except Exception as e:
            self.failed += 1
            print("FAILED  %s: %s: %s" % (name, type(e).__name__, e), flush=True)
            traceback.print_exc(limit=4, file=sys.stdout)
            aftermath.print_all(machine)
            return False
        self.passed += 1
        print("ok      %s (%.1f s)%s" % (name, time.monotonic() - start, ": " + note if note else ""), flush=True)
        return True

    def skip(self, name, why):
        self.skipped += 1
        print("SKIP    %s: %s" % (name, why), flush=True)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed) + (", %d skipped" % self.skipped if self.skipped else ""))
        return 0 if self.failed == 0 and self.passed > 0 else 1


def expect(good, text, *args):
    if not good:
        raise AssertionError(text % args if args else text)
