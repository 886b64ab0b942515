"""Hashes of ids that nobody can make without the key of the installation: HMAC-SHA-256 (RFC 2104).

The key is the setting `personal_key`. It stands in the environment only; a home keeps a fingerprint
of it, by which another key is refused: with two keys one person would be two.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.replacing import replace_text

FINGERPRINT_FILE = "personal-key.fingerprint"
_BLOCK_BYTES = 64  # of SHA-256


class KeyRefusedError(Exception):
    """The key is not the one of this home, or there is none; the message says what to do."""


@dataclass(frozen=True)
class Key:
    """The key of an installation; it never shows itself."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> Key:
        """The key that is written so."""
        return cls(text.encode())

    @property
    def fingerprint(self) -> str:
        """What tells two keys apart and leads to neither."""
        return self.hash("fingerprint of the key")[:16]

    def hash(self, text: str) -> str:
        """The keyed hash of a text, as 64 hexadecimal digits."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def give_to(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the SQL of `hash_sql` run on a connection; no text of a query has the key."""
        secret = self.secret
        if len(secret) > _BLOCK_BYTES:
            secret = hashlib.sha256(secret).digest()
        padded = secret.ljust(_BLOCK_BYTES, b"\0")
        for name, sign in (("inner", 0x36), ("outer", 0x5C)):
            value = bytes(byte ^ sign for byte in padded)
            connection.execute(f"set variable keyed_hash_{name} = ?::blob", [value])


def hash_sql(text: str) -> str:
    """SQL for `Key.hash` of a text expression; null of null."""
    inner = f"sha256(getvariable('keyed_hash_inner') || encode({text}))"
    return f"sha256(getvariable('keyed_hash_outer') || unhex({inner}))"


def check_key(home: Path, key: Key | None, *, purpose: str) -> Key:
    """The key, if it is that of this home; the first one that a home meets becomes its key.

    Args:
        home: of the installation.
        key: that of the settings; None where there is none.
        purpose: what needs it, as the subject of a sentence.

    Raises:
        KeyRefusedError: there is no key, or it is not the one of this home.
        OSError: the fingerprint cannot be read or written.
    """
    refusal = key_refusal(home, key, purpose=purpose)
    if key is None or refusal is not None:
        raise KeyRefusedError(refusal)
    note_key(home, key)
    return key


def note_key(home: Path, key: Key) -> None:
    """Note the fingerprint of the first key that a home meets.

    Raises:
        OSError: it cannot be read or written.
    """
    if not noted_fingerprint(home):
        replace_text(home / FINGERPRINT_FILE, key.fingerprint + "\n")


def key_refusal(home: Path, key: Key | None, *, purpose: str) -> str | None:
    """Why `check_key` would refuse a key; None where it would not. Nothing is written.

    Raises:
        OSError: the fingerprint cannot be read.
    """
    if key is None:
        return (
            f"{purpose} needs a key: set WALKHOUSE_PERSONAL_KEY in the environment, and keep it: "
            "without it the same person gets another name"
        )
    known = noted_fingerprint(home)
    if known in ("", key.fingerprint):
        return None
    return (
        f"WALKHOUSE_PERSONAL_KEY has the fingerprint {key.fingerprint}, and "
        f"{home / FINGERPRINT_FILE} says {known}: it is not the key of this home; set the right one"
    )


def noted_fingerprint(home: Path) -> str:
    """The fingerprint of the key that a home knows; empty before it met one."""
    try:
        return (home / FINGERPRINT_FILE).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""
