"""Passwords and tokens: made, hashed, compared."""

import hashlib
import hmac
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from callboard.core.errors import BadInput

MIN_PASSWORD = 8
MAX_PASSWORD = 1024
#: Tokens start like this, so that a leaked one can be recognised by scanners.
TOKEN_PREFIX = "callboard_"  # noqa: S105 - a prefix, not a secret

_hasher = PasswordHasher()
#: Each hash takes 64 MiB while it is computed; more at once would let a flood of logins exhaust memory.
_slots = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """The argon2id hash of a password.

    Raises:
        BadInput: the password is shorter than 8 or longer than 1024 characters.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise BadInput(
            f"A password has from {MIN_PASSWORD} to {MAX_PASSWORD} characters; this one has {len(password)}."
        )
    with _slots:
        return _hasher.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password is the hashed one. Takes as long where there is no hash to compare with."""
    with _slots:
        try:
            return _hasher.verify(password_hash or _decoy(), password[: MAX_PASSWORD + 1]) and bool(
                password_hash
            )
        except (VerificationError, InvalidHashError):
            return False


def outdated(password_hash: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def new_password() -> str:
    """A random password of 20 characters that are easy to tell apart: about 116 bits."""
    letters = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(secrets.choice(letters) for _ in range(20))


def new_token() -> str:
    """A random token of 256 bits."""
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> bytes:
    """What is stored of a token. A token has 256 random bits, so one round of SHA-256 is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in a time that depends on neither."""
    return hmac.compare_digest(digest(one), digest(other))


_decoy_hash: list[str] = []


def _decoy() -> str:
    if not _decoy_hash:
        _decoy_hash.append(_hasher.hash(secrets.token_hex()))
    return _decoy_hash[0]
