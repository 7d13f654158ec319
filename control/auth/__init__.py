"""Who is asking, and may they: roles, users, sessions, tokens, throttled logins."""

from callboard.control.auth.sessions import Session, log_in, log_out, session_principal
from callboard.control.auth.throttle import TooManyLogins
from callboard.control.auth.tokens import Token, add_token, bearer_principal, revoke_token, tokens
from callboard.control.auth.users import (
    User,
    add_user,
    end_sessions,
    set_password,
    set_role,
    set_user_enabled,
    users,
)
from callboard.control.principal import (
    PERMISSIONS,
    Origin,
    Principal,
    Role,
    Scope,
    least_role,
    local_principal,
    parse_role,
)

__all__ = [
    "PERMISSIONS",
    "Origin",
    "Principal",
    "Role",
    "Scope",
    "Session",
    "Token",
    "TooManyLogins",
    "User",
    "add_token",
    "add_user",
    "bearer_principal",
    "end_sessions",
    "least_role",
    "local_principal",
    "log_in",
    "log_out",
    "parse_role",
    "revoke_token",
    "session_principal",
    "set_password",
    "set_role",
    "set_user_enabled",
    "tokens",
    "users",
]
