# SPDX-License-Identifier: Apache-2.0
"""Keys to sign updates with, made for a test and gone with it: an authority, and a key that it
signed."""
import os
import subprocess
import sys
from collections import namedtuple

Signer = namedtuple("Signer", "keyring key certificate")


def signer(folder):
    os.makedirs(folder)

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl("req", "-x509", *new, "-keyout", "authority.key", "-out", "keyring.pem", "-days", "3650", "-subj", "/CN=authority")
    openssl("req", *new, "-keyout", "update.key", "-out", "update.csr", "-subj", "/CN=updates")
    openssl("x509", "-req", "-in", "update.csr", "-CA", "keyring.pem", "-CAkey", "authority.key", "-CAcreateserial", "-out", "update.pem", "-days", "3650")
    return Signer(folder + "/keyring.pem", folder + "/update.key", folder + "/update.pem")


if __name__ == "__main__":
    signer(os.path.abspath(sys.argv[1]))
