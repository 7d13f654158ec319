"""`callboard env`."""

import shlex

from callboard.cli.app import AsJson, app
from callboard.cli.console import out, print_json
from callboard.core.errors import Unavailable
from callboard.core.settings import load_settings


@app.command(rich_help_panel="Care", epilog='Example:  eval "$(callboard env)" && psql "$DATABASE_URL"')
def env(
    as_json: AsJson = False,
) -> None:
    """Print the addresses and the API token of the running instance, and its sandbox, as shell exports."""
    from callboard.control.supervisor.credentials import kept_token

    settings = load_settings()
    given = settings.callboard_api_token
    known = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "CALLBOARD_API_TOKEN": given.get_secret_value() if given else kept_token(settings.home),
        "CALLBOARD_SANDBOX_URL": settings.callboard_sandbox_url,
        "CALLBOARD_SANDBOX_SMTP_URL": settings.callboard_sandbox_smtp_url,
    }
    if not settings.database_url and not settings.redis_url:
        raise Unavailable(
            f"Nothing runs in {settings.home}: start `callboard up` there first, or set CALLBOARD_HOME."
        )
    values = {name: value for name, value in known.items() if value}
    if as_json:
        print_json(values)
    else:
        line = "export " + " ".join(f"{name}={shlex.quote(value)}" for name, value in values.items())
        out.print(line, soft_wrap=True)
