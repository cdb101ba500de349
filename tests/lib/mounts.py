# SPDX-License-Identifier: Apache-2.0
"""A suite's own mounts: it alone sees what it mounts over the machine's files."""
import os
import shutil
import sys

from net import sh


def own_mounts():
    """Restarts the suite in a mount namespace of its own."""
    if os.environ.get("SEKISHO_OWN_MOUNTS") != "1":
        os.environ["SEKISHO_OWN_MOUNTS"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv])


def settings_folder():
    """An empty /etc/sekisho; where the machine has none, in a copy of /etc, so that none is left
    there."""
    if not os.path.isdir("/etc/sekisho"):
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt")
        shutil.copytree("/etc", "/mnt/etc", symlinks=True, ignore_dangling_symlinks=True)
        sh("mount", "--bind", "/mnt/etc", "/etc")
        os.makedirs("/etc/sekisho")
    else:
        sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/etc/sekisho")
