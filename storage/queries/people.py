"""Users, their sessions, and API tokens. Secrets come in and stay as hashes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from callboard.storage.queries import Row

USERS = text("SELECT id, name, role, created_at, disabled_at, issuer FROM callboard.users ORDER BY name")
USER = text("""
SELECT id, name, role, password_hash, created_at, disabled_at, issuer
  FROM callboard.users
 WHERE name = :name
""")
VOUCHED_USER = text("""
SELECT id, name, role, disabled_at FROM callboard.users WHERE issuer = :issuer AND subject = :subject
   FOR UPDATE
""")
LOCK_USERS = text("LOCK TABLE callboard.users IN SHARE ROW EXCLUSIVE MODE")
ADD_USER = text("""
INSERT INTO callboard.users (id, name, role, password_hash) VALUES (gen_random_uuid(), :name, :role, :hash)
ON CONFLICT (name) DO NOTHING
RETURNING id
""")
ADD_VOUCHED_USER = text("""
INSERT INTO callboard.users (id, name, role, issuer, subject)
VALUES (gen_random_uuid(), :name, :role, :issuer, :subject)
ON CONFLICT DO NOTHING
RETURNING id
""")
SET_PASSWORD = text("UPDATE callboard.users SET password_hash = :hash WHERE id = :id")
SET_ROLE = text("UPDATE callboard.users SET role = :role WHERE id = :id")
DISABLE_USER = text("UPDATE callboard.users SET disabled_at = now() WHERE id = :id")
ENABLE_USER = text("UPDATE callboard.users SET disabled_at = NULL WHERE id = :id")
ADMINS = text("SELECT count(*) FROM callboard.users WHERE role = 'admin' AND disabled_at IS NULL")

ADD_SESSION = text("""
INSERT INTO callboard.sessions (id, user_id, token_sha256, last_seen_at, expires_at)
VALUES (gen_random_uuid(), :user_id, :digest, now(), now() + cast(:life AS interval))
RETURNING expires_at
""")
SESSION = text("""
SELECT s.id, s.last_seen_at, s.expires_at, u.id AS user_id, u.name, u.role
     , s.last_seen_at < now() - cast(:fresh AS interval) AS stale
  FROM callboard.sessions s
  JOIN callboard.users u ON u.id = s.user_id
 WHERE s.token_sha256 = :digest AND s.revoked_at IS NULL AND s.expires_at > now() AND u.disabled_at IS NULL
""")
TOUCH_SESSION = text("""
UPDATE callboard.sessions
   SET last_seen_at = now(), expires_at = now() + cast(:life AS interval)
 WHERE id = :id AND revoked_at IS NULL AND expires_at > now()
""")
REVOKE_SESSION = text("""
UPDATE callboard.sessions s SET revoked_at = now()
  FROM callboard.users u
 WHERE u.id = s.user_id AND s.token_sha256 = :digest AND s.revoked_at IS NULL
RETURNING u.id AS user_id, u.name, u.role
""")
REVOKE_SESSIONS = text("""
UPDATE callboard.sessions SET revoked_at = now()
 WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > now()
""")

TOKENS = text("""
SELECT id, name, role, created_at, expires_at, revoked_at, last_used_at, permissions, jobs, created_by
  FROM callboard.tokens
 ORDER BY name
""")
ANY_TOKEN = text("SELECT EXISTS (SELECT FROM callboard.tokens WHERE name = :name)")
ADD_TOKEN = text("""
INSERT INTO callboard.tokens (id, name, role, token_sha256, expires_at, permissions, jobs, created_by)
VALUES (gen_random_uuid(), :name, :role, :digest, now() + cast(:life AS interval)
     , cast(:permissions AS text[]), cast(:jobs AS text[]), :by)
ON CONFLICT (name) DO NOTHING
RETURNING id
""")
TOKEN = text("""
SELECT id, name, role, permissions, jobs
     , last_used_at IS NULL OR last_used_at < now() - cast(:fresh AS interval) AS stale
  FROM callboard.tokens
 WHERE token_sha256 = :digest AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
""")
TOUCH_TOKEN = text("UPDATE callboard.tokens SET last_used_at = now() WHERE id = :id")
REVOKE_TOKEN = text("""
UPDATE callboard.tokens SET revoked_at = now() WHERE name = :name AND revoked_at IS NULL RETURNING role
""")


def users(connection: Connection) -> Sequence[Row]:
    """One row a user."""
    return connection.execute(USERS).mappings().all()


def user(connection: Connection, name: str) -> Row | None:
    """The user of that name, with the password's hash."""
    return connection.execute(USER, {"name": name}).mappings().one_or_none()


def lock_users(connection: Connection) -> None:
    """Hold off other changes of users until the transaction ends."""
    connection.execute(LOCK_USERS)


def add_user(connection: Connection, *, name: str, role: str, password_hash: str) -> UUID | None:
    """Add a user; None where the name is taken."""
    values = {"name": name, "role": role, "hash": password_hash}
    return connection.execute(ADD_USER, values).scalar_one_or_none()


def vouched_user(connection: Connection, issuer: str, subject: str) -> Row | None:
    """The user whom a provider vouches for by that subject, held until the transaction ends."""
    values = {"issuer": issuer, "subject": subject}
    return connection.execute(VOUCHED_USER, values).mappings().one_or_none()


def add_vouched_user(
    connection: Connection, *, name: str, role: str, issuer: str, subject: str
) -> UUID | None:
    """Add a user whom a provider vouches for; None where the name is taken."""
    values = {"name": name, "role": role, "issuer": issuer, "subject": subject}
    return connection.execute(ADD_VOUCHED_USER, values).scalar_one_or_none()


def set_password(connection: Connection, user_id: UUID, password_hash: str) -> None:
    """Replace a user's password hash."""
    connection.execute(SET_PASSWORD, {"id": user_id, "hash": password_hash})


def set_role(connection: Connection, user_id: UUID, role: str) -> None:
    """Give a user another role."""
    connection.execute(SET_ROLE, {"id": user_id, "role": role})


def set_disabled(connection: Connection, user_id: UUID, *, disabled: bool) -> None:
    """Switch a user off or on."""
    connection.execute(DISABLE_USER if disabled else ENABLE_USER, {"id": user_id})


def admins(connection: Connection) -> int:
    """How many admins may log in."""
    count: int = connection.execute(ADMINS).scalar_one()
    return count


def add_session(connection: Connection, *, user_id: UUID, digest: bytes, life_s: int) -> datetime:
    """Open a session; returns when it expires."""
    values = {"user_id": user_id, "digest": digest, "life": f"{life_s} seconds"}
    expires_at: datetime = connection.execute(ADD_SESSION, values).scalar_one()
    return expires_at


def session(connection: Connection, digest: bytes, *, fresh_s: int) -> Row | None:
    """The open session of that token and its user; `stale` where it was last seen longer ago than that."""
    values = {"digest": digest, "fresh": f"{fresh_s} seconds"}
    return connection.execute(SESSION, values).mappings().one_or_none()


def touch_session(connection: Connection, session_id: UUID, *, life_s: int) -> None:
    """Prolong a session."""
    connection.execute(TOUCH_SESSION, {"id": session_id, "life": f"{life_s} seconds"})


def revoke_session(connection: Connection, digest: bytes) -> Row | None:
    """End a session; returns its user, or None where there is no such session."""
    return connection.execute(REVOKE_SESSION, {"digest": digest}).mappings().one_or_none()


def revoke_sessions(connection: Connection, user_id: UUID) -> int:
    """End all sessions of a user; returns how many there were."""
    return connection.execute(REVOKE_SESSIONS, {"user_id": user_id}).rowcount


def tokens(connection: Connection) -> Sequence[Row]:
    """One row an API token."""
    return connection.execute(TOKENS).mappings().all()


def has_token(connection: Connection, name: str) -> bool:
    """Whether a token of that name was ever made."""
    return bool(connection.execute(ANY_TOKEN, {"name": name}).scalar_one())


def add_token(
    connection: Connection,
    *,
    name: str,
    role: str,
    digest: bytes,
    life_s: int | None,
    permissions: Sequence[str] | None = None,
    jobs: Sequence[str] | None = None,
    by: str | None = None,
) -> UUID | None:
    """Add a token; None where the name is taken. Without permissions, or jobs, it is not limited to any."""
    life = None if life_s is None else f"{life_s} seconds"
    values: dict[str, Any] = {"name": name, "role": role, "digest": digest, "life": life, "by": by}
    values |= {
        "permissions": None if permissions is None else list(permissions),
        "jobs": None if jobs is None else list(jobs),
    }
    return connection.execute(ADD_TOKEN, values).scalar_one_or_none()


def token(connection: Connection, digest: bytes, *, fresh_s: int) -> Row | None:
    """The valid token; `stale` where its use was last noted longer ago than that."""
    values = {"digest": digest, "fresh": f"{fresh_s} seconds"}
    return connection.execute(TOKEN, values).mappings().one_or_none()


def touch_token(connection: Connection, token_id: UUID) -> None:
    """Note that a token was used now."""
    connection.execute(TOUCH_TOKEN, {"id": token_id})


def revoke_token(connection: Connection, name: str) -> str | None:
    """End a token; returns its role, or None where there is no valid one of that name."""
    return connection.execute(REVOKE_TOKEN, {"name": name}).scalar_one_or_none()
