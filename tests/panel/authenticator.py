"""A security key in software: it makes passkeys and shows them as a browser would send it (WebAuthn level 3)."""

import hashlib
import json
import struct
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import encode_cbor

PRESENT, VERIFIED, HAS_KEY = 1, 4, 64


def text_of(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One passkey for one origin. `flags`: what it claims about its user."""

    origin: str
    host: str
    name: bytes = b"key-1"
    times: int = 0
    flags: int = PRESENT | VERIFIED
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def make(self, options: str) -> str:
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + struct.pack(">H", len(self.name)) + self.name + encode_cbor(cose)
        attested = {"fmt": "none", "attStmt": {}, "authData": self._data(HAS_KEY) + held}
        return self._sent(options, "webauthn.create", {"attestationObject": text_of(encode_cbor(attested))})

    def show(self, options: str) -> str:
        self.times += 1
        data, said = self._data(), self._said(options, "webauthn.get")
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        more = {"authenticatorData": text_of(data), "signature": text_of(signature)}
        return self._sent(options, "webauthn.get", more)

    def _data(self, more: int = 0) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + struct.pack(">BI", self.flags | more, self.times)

    def _said(self, options: str, kind: str) -> bytes:
        return json.dumps({"type": kind, "challenge": json.loads(options)["challenge"], "origin": self.origin}).encode()

    def _sent(self, options: str, kind: str, more: dict[str, Any]) -> str:
        response = {"clientDataJSON": text_of(self._said(options, kind)), **more}
        name = text_of(self.name)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
