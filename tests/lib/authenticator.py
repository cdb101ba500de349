# SPDX-License-Identifier: Apache-2.0
"""A security key in software (W3C Web Authentication), which also does what no real key or browser
would."""
import base64
import hashlib
import json
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

SITE, ORIGIN = "sekisho", "https://sekisho"
PRESENT, VERIFIED, NEW_KEY, EXTENSIONS = 1, 4, 0x40, 0x80


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def cbor(value):
    """Encodes what a public key needs: numbers, byte strings and small maps."""
    if isinstance(value, int):
        kind, number = (0, value) if value >= 0 else (0x20, -1 - value)
        return bytes([kind | number]) if number < 24 else bytes([kind | 24, number])
    if isinstance(value, bytes):
        return (bytes([0x58, len(value)]) if len(value) > 23 else bytes([0x40 | len(value)])) + value
    return bytes([0xa0 | len(value)]) + b"".join(cbor(k) + cbor(v) for k, v in value.items())


class Key:
    def __init__(self, kind="ES256", counts=True):
        self.kind, self.counts, self.count = kind, counts, 0
        self.id = os.urandom(32)
        self.private = ec.generate_private_key(ec.SECP256R1()) if kind == "ES256" else ed25519.Ed25519PrivateKey.generate()

    def public(self):
        if self.kind == "ES256":
            n = self.private.public_key().public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: n.x.to_bytes(32, "big"), -3: n.y.to_bytes(32, "big")}
        raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {1: 1, 3: -8, -1: 6, -2: raw}

    def sign(self, data):
        return self.private.sign(data, ec.ECDSA(hashes.SHA256())) if self.kind == "ES256" else self.private.sign(data)

    def head(self, site, flags, count):
        if count is None:
            self.count += 1 if self.counts else 0
            count = self.count
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + struct.pack("!I", count)

    def made(self, challenge, origin=ORIGIN, site=SITE, flags=PRESENT | VERIFIED | NEW_KEY, kind="webauthn.create", public=None, key_id=None, client=None):
        """The data that enrol it: client data, and authenticator data with the new key."""
        key_id = self.id if key_id is None else key_id
        data = self.head(site, flags, None) + bytes(16) + struct.pack("!H", len(key_id)) + key_id + (cbor(self.public()) if public is None else public)
        return [client_data(kind, challenge, origin) if client is None else client, data]

    def signed(self, challenge, origin=ORIGIN, site=SITE, flags=PRESENT | VERIFIED, count=None, kind="webauthn.get", client=None, more=b""):
        """The data of a login: the key's id, client data, authenticator data, signature."""
        client = client_data(kind, challenge, origin) if client is None else client
        data = self.head(site, flags, count) + more
        return [self.id, client, data, self.sign(data + hashlib.sha256(client).digest())]


def client_data(kind, challenge, origin=ORIGIN, **more):
    return json.dumps(dict({"type": kind, "challenge": b64(challenge), "origin": origin, "crossOrigin": False}, **more), separators=(",", ":")).encode()


def text(parts):
    return ".".join(b64(p) for p in parts)
