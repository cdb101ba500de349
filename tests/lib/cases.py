# SPDX-License-Identifier: Apache-2.0
"""Named cases with a count at the end: "N passed, N failed". A case fails by raising, or by a
sanitizer's report meanwhile; the output of the box and the machine follows."""
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import aftermath  # noqa: E402
import reports  # noqa: E402
import slowness  # noqa: E402
import spent  # noqa: E402


def needs_root():
    """The first step of a suite that makes namespaces: without root nothing was tested, so it must
    not count as passed."""
    if os.geteuid() != 0:
        print("namespace tests need root", file=sys.stderr)
        sys.exit(3)


class Skip(Exception):
    """The reason why this machine cannot run a case: it counts as neither passed nor failed."""


class Busy(Exception):
    """An experiment whose control failed too, because the machine was too busy. It is repeated
    once, then it is inconclusive."""


class Cases:
    def __init__(self):
        self.passed = self.failed = self.skipped = self.inconclusive = self.left = 0
        slowness.say()

    def run(self, name, function, *args, again=True):
        if spent.left(name):
            self.left += 1
            return True
        aftermath.begin()
        machine, start, had = aftermath.Machine(), time.monotonic(), spent.processor()
        try:
            note = function(*args)
            reports.expect_none()
        except Skip as e:
            print("SKIP    %s: %s" % (name, e), flush=True)
            return True
        except Busy as e:
            print("NOTE    %s: machine too busy: %s%s" % (name, e, "; once more" if again else ""), flush=True)
            if again:
                return self.run(name, function, *args, again=False)
            self.inconclusive += 1
            return True
        except Exception as e:
            self.failed += 1
            print("FAILED  %s: %s: %s" % (name, type(e).__name__, e), flush=True)
            traceback.print_exc(limit=4, file=sys.stdout)
            aftermath.print_all(machine)
            if os.environ.get("SEKISHO_FIRST"):  # tests/mutants needs only the first failure
                sys.exit(self.end())
            return False
        self.passed += 1
        print("ok      %s (%s)%s" % (name, spent.told(start, had), ": " + note if note else ""), flush=True)
        return True

    def skip(self, name, why):
        self.skipped += 1
        print("SKIP    %s: %s" % (name, why), flush=True)

    def end(self):
        print("%d passed, %d failed" % (self.passed, self.failed) + (", %d skipped" % self.skipped if self.skipped or self.inconclusive else "") +
              (", %d inconclusive" % self.inconclusive if self.inconclusive else ""))
        return 0 if self.failed == 0 and self.passed + self.left > 0 else 1


def expect(good, text, *args):
    if not good:
        raise AssertionError(text % args if args else text)
