"""The services outside: which of them are the real ones."""

from callboard.control.checkup.finding import Finding
from callboard.core.settings import Settings
from callboard.core.words import joined

#: The jobs that call them.
CALLERS = "callboard.actors.business"


def services(settings: Settings) -> Finding:
    """Whether each has credentials, or a sandbox that stands in for it."""
    unnamed = settings.unnamed_services
    if not unnamed:
        return Finding("Services", "ok", "all have credentials")
    if settings.callboard_sandbox_url:
        where = settings.callboard_sandbox_url
        return Finding("Services", "ok", f"the sandbox at {where} stands in for {joined(unnamed)}")
    if CALLERS not in settings.actor_modules:
        return Finding("Services", "ok", "no job here calls them")
    return Finding(
        "Services",
        "warn",
        f"{joined(unnamed)} {'has' if len(unnamed) == 1 else 'have'} no credentials, and no sandbox runs",
        "Set the credentials that docs/sandbox.md names, or start `callboard sandbox`.",
    )
