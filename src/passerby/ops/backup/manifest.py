"""A backup's description of itself. It is part of the sealed file."""

import msgspec

from passerby.adapters.sql.checksums import Contents


class Manifest(msgspec.Struct, frozen=True):
    """`kind`: sqlite or postgresql. `version`: the database program's. `size` and `sha256` are of the dump."""

    made_at: float
    kind: str
    version: str
    release: str
    contents: Contents
    size: int
    sha256: str

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> "Manifest":
        """Raises: ValueError."""
        return msgspec.json.decode(data, type=cls)
