"""`callboard users`, `callboard tokens`, `callboard audit`."""

import sys
from typing import Annotated

import typer

from callboard.cli import people_tables as tables
from callboard.cli.app import AsJson, app, tokens, users
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context

UserName = Annotated[str, typer.Argument(metavar="USER", help="The user's name.", show_default=False)]
TokenName = Annotated[str, typer.Argument(metavar="TOKEN", help="The token's name.", show_default=False)]
RoleName = Annotated[
    str, typer.Argument(metavar="ROLE", help="viewer, operator or admin.", show_default=False)
]
DAY_S = 86_400


@users.command("list", epilog="Example:  callboard users list")
def list_users(as_json: AsJson = False) -> None:
    """List all who may sign in to the panel."""
    from callboard.control import auth

    with context() as system:
        found = auth.users(system, auth.local_principal())
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.users_table(found))
    else:
        err.print("There is no user yet: `callboard users add` makes one, and so does the first start.")


@users.command("add", epilog="Example:  callboard users add ada --role operator < password-file")
def add_user(
    user: UserName,
    role: Annotated[str, typer.Option(metavar="ROLE", help="viewer, operator or admin.")] = "viewer",
) -> None:
    """Add somebody who may sign in. The password is asked for, or read from standard input."""
    from callboard.control import auth

    given = auth.parse_role(role)
    password = _password()
    with context() as system:
        auth.add_user(system, auth.local_principal(), user, given, password)
    out.print(f"{user} may sign in, with the role {given}.")


@users.command("role", epilog="Example:  callboard users role ada admin")
def set_role(user: UserName, role: RoleName) -> None:
    """Give a user another role, from their next request on."""
    from callboard.control import auth

    given = auth.parse_role(role)
    with context() as system:
        auth.set_role(system, auth.local_principal(), user, given)
    out.print(f"{user} has the role {given}.")


@users.command("password", epilog="Example:  callboard users password ada")
def set_password(user: UserName) -> None:
    """Set a user's password and end their sessions. It is asked for, or read from standard input."""
    from callboard.control import auth

    password = _password()
    with context() as system:
        auth.set_password(system, auth.local_principal(), user, password)
    out.print(f"{user} has a new password; their sessions have ended.")


@users.command("disable", epilog="Example:  callboard users disable ada")
def disable_user(user: UserName) -> None:
    """Switch a user off and end their sessions."""
    _switch(user, enabled=False)
    out.print(f"{user} may no longer sign in; their sessions have ended.")


@users.command("enable", epilog="Example:  callboard users enable ada")
def enable_user(user: UserName) -> None:
    """Let a user sign in again."""
    _switch(user, enabled=True)
    out.print(f"{user} may sign in.")


@users.command("sign-out", epilog="Example:  callboard users sign-out ada")
def sign_out(user: UserName) -> None:
    """End all of a user's sessions."""
    from callboard.control import auth

    with context() as system:
        ended = auth.end_sessions(system, auth.local_principal(), user)
    out.print(f"{user} is signed out; {ended} session{'' if ended == 1 else 's'} ended.")


@tokens.command("list", epilog="Example:  callboard tokens list")
def list_tokens(as_json: AsJson = False) -> None:
    """List all tokens of the API, the revoked ones included."""
    from callboard.control import auth

    with context() as system:
        found = auth.tokens(system, auth.local_principal())
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.tokens_table(found))
    else:
        err.print("There is no token yet: `callboard tokens add` makes one.")


@tokens.command(
    "add", epilog="Example:  callboard tokens add ci --allow jobs:run --job health-check --days 30"
)
def add_token(
    token: TokenName,
    role: Annotated[
        str | None,
        typer.Option(metavar="ROLE", help="viewer, operator or admin; by default the least that will do."),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(metavar="PERMISSION", help="Limit it to this permission.", show_default=False),
    ] = None,
    job: Annotated[
        list[str] | None, typer.Option(metavar="JOB", help="Limit it to this job.", show_default=False)
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, max=36_500, metavar="N", help="It expires after so many days.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for the API and show it, this once. --allow and --job may be given several times."""
    from callboard.control import auth

    with context() as system:
        made = auth.add_token(
            system,
            auth.local_principal(),
            token,
            None if role is None else auth.parse_role(role),
            life_s=None if days is None else round(days * DAY_S),
            permissions=allow or None,
            jobs=job or None,
        )
    if as_json:
        print_json({"name": token, "token": made})
        return
    err.print("The token, which is shown this once:")
    out.print(made)


@tokens.command("revoke", epilog="Example:  callboard tokens revoke ci")
def revoke_token(token: TokenName) -> None:
    """End a token; it is worth nothing from now on."""
    from callboard.control import auth

    with context() as system:
        auth.revoke_token(system, auth.local_principal(), token)
    out.print(f"The token {token} is revoked.")


@app.command(rich_help_panel="People", epilog="Example:  callboard audit --who ada --limit 20")
def audit(
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many rows.")] = 50,
    target: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only about this job, user or token.")
    ] = None,
    who: Annotated[str | None, typer.Option(metavar="NAME", help="Only by this user or token.")] = None,
    action: Annotated[str | None, typer.Option(metavar="NAME", help="Only this action.")] = None,
    cursor: Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on after a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show who did what, from where, and what it changed, the latest first."""
    from callboard.control.audit import page
    from callboard.control.auth import local_principal

    with context() as system:
        found, following = page(
            system, local_principal(), limit=limit, cursor=cursor, target=target, who=who, action=action
        )
    if as_json:
        print_json({"entries": found, "next_cursor": following})
        return
    if found:
        out.print(tables.audit_table(found))
    else:
        err.print("Nothing of the kind was done or refused.")
    if following:
        err.print(f"There is more: --cursor {following}")


def _switch(user: str, *, enabled: bool) -> None:
    from callboard.control import auth

    with context() as system:
        auth.set_user_enabled(system, auth.local_principal(), user, enabled=enabled)


def _password() -> str:
    if sys.stdin.isatty():
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return given
    return sys.stdin.readline().rstrip("\r\n")
