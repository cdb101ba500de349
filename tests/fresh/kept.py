# SPDX-License-Identifier: Apache-2.0
"""Things that are made from Debian's packages and are equal for every clone: a newcomer's root, and
the disk with Debian's kernel. Each is a folder in ${XDG_CACHE_HOME:-~/.cache}/sekisho, named after
a digest of everything that it is made from. After a week it is made again, because Debian's
packages have changed by then. If another process is making a folder, a process that needs it waits.
All of it may be deleted at any time."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import time

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "sekisho")
WEEK = 7 * 86400


def lock(name):
    return open(os.path.join(CACHE, name + ".lock"), "w", encoding="ascii")


def usable(folder):
    try:
        return time.time() - os.stat(folder).st_mtime < WEEK
    except FileNotFoundError:
        return False


def forget_old(kind):
    """Deletes folders that nobody uses or will use: those that are older than a week, or
    incomplete."""
    for name in os.listdir(CACHE):
        folder = os.path.join(CACHE, name)
        if not name.startswith(kind + "-") or not os.path.isdir(folder) or usable(folder):
            continue
        with lock(name.removesuffix(".part")) as held, contextlib.suppress(BlockingIOError):
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


@contextlib.contextmanager
def made(kind, of, make):
    """The folder that make(folder) filled, now or on an earlier day. Nobody deletes it while it is
    used here."""
    os.makedirs(CACHE, exist_ok=True)
    name = "%s-%s" % (kind, hashlib.sha256(repr(of).encode()).hexdigest()[:16])
    folder = os.path.join(CACHE, name)
    part = folder + ".part"
    forget_old(kind)
    with lock(name) as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        while not usable(folder):
            fcntl.flock(held, fcntl.LOCK_EX)
            if not usable(folder):  # no other process has made it meanwhile
                for old in (part, folder):
                    shutil.rmtree(old, ignore_errors=True)
                os.makedirs(part)
                make(part)
                os.utime(part)
                os.rename(part, folder)
            fcntl.flock(held, fcntl.LOCK_SH)
        yield folder
