# SPDX-License-Identifier: Apache-2.0
"""The files on the machine, without those that Debian's own programs keep (package.py names them):
compared before the installation and after the purge."""
import os
import re

SKIP = re.compile(r"^/(proc|sys|dev|run|tmp|srv|lost\+found|root|var/log|var/tmp|var/cache|var/lib/(dpkg|apt|systemd|private)|boot)(/|$)|"
                  r"^/etc/(passwd|shadow|group|gshadow|subuid|subgid)-?$|^/etc/\.(pwd\.lock|updated)$|^/var/\.updated$|^/etc/(ld\.so\.cache|machine-id)$|^/etc/apparmor\.d/disable$|/__pycache__(/|$)")
KEPT = "/var/log/stage-before.json"  # what was there before anything was installed


def listing():
    found = set()
    for folder, folders, files in os.walk("/"):
        if SKIP.search(folder):
            folders[:] = []
            continue
        found |= {x for x in (os.path.join(folder, y) for y in files + folders) if not SKIP.search(x)}
    return found


def users():
    with open("/etc/passwd", encoding="utf-8") as f:
        return {x.split(":")[0] for x in f}
