"""Users, tokens and the audit trail as tables."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from rich.table import Table
from rich.text import Text

from callboard.cli.tables import listing, moment
from callboard.core.display import DASH, distance

if TYPE_CHECKING:
    from callboard.control.audit import Audited
    from callboard.control.auth import Token, User


def users_table(found: "tuple[User, ...]") -> Table:
    """One row a user."""
    made = listing("USER", "ROLE", "STATE", "SIGNS IN WITH", "ADDED")
    for user in found:
        state = Text("off", style="yellow") if user.disabled_at else Text("on", style="green")
        made.add_row(
            Text(user.name, style="bold"),
            user.role,
            state,
            user.issuer or "a password",
            moment(user.created_at),
        )
    return made


def tokens_table(found: "tuple[Token, ...]") -> Table:
    """One row a token."""
    now = datetime.now(UTC)
    made = listing("TOKEN", "ROLE", "MAY", "JOBS", "STATE", "EXPIRES", "LAST USED", "MADE BY")
    for token in found:
        made.add_row(
            Text(token.name, style="bold"),
            token.role,
            "all of it" if token.permissions is None else ", ".join(token.permissions),
            "all" if token.jobs is None else ", ".join(token.jobs),
            _state(token, now),
            "never" if token.expires_at is None else moment(token.expires_at),
            distance(token.last_used_at, now) if token.last_used_at else "never",
            token.created_by or DASH,
        )
    return made


def audit_table(found: "tuple[Audited, ...]") -> Table:
    """One row an action."""
    made = listing("AT", "WHO", "FROM", "ACTION", "TARGET", "OUTCOME", "CHANGE")
    for entry in found:
        outcome = Text(entry.outcome, style="green" if entry.outcome == "done" else "red")
        change = entry.reason or " -> ".join(_json(each) for each in (entry.before, entry.after) if each)
        made.add_row(
            moment(entry.at),
            entry.who,
            f"{entry.origin} {entry.address or ''}".strip(),
            entry.action,
            entry.target or DASH,
            outcome,
            change,
        )
    return made


def _state(token: "Token", now: datetime) -> Text:
    if token.revoked_at is not None:
        return Text("revoked", style="dim")
    if token.expires_at is not None and token.expires_at <= now:
        return Text("expired", style="dim")
    return Text("valid", style="green")


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
