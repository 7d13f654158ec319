"""An installation seen from outside, by its address: does it let in whom it should, and send what is due?

It runs the outbound runner twice, as its cron does anyway. Needed are `CRON_SECRET` and `JOB_RUNNER_TOKEN`,
or `CALLBOARD_API_TOKEN` in their place; without them, what takes one stays unknown, which is a finding.
"""

import ssl
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from callboard.control.checkup.finding import Finding
from callboard.control.checkup.outbound import (
    CRON,
    RUNNER,
    SOON_S,
    check_cron,
    check_messages,
    check_runner,
    check_schedule,
    said,
)
from callboard.core.errors import BadInput
from callboard.core.settings import Settings
from callboard.core.words import joined

LOCAL: Final = ("127.0.0.1", "::1", "localhost")

Check = Callable[[httpx.Client, dict[str, str], str], Finding]
_CHECKS: Final[dict[str, tuple[str, Check]]] = {
    "Schedule": ("CRON_SECRET", check_schedule),
    "Cron": ("CRON_SECRET", check_cron),
    "Runner": ("JOB_RUNNER_TOKEN", check_runner),
    "Messages": ("CRON_SECRET", check_messages),
}


def examine_url(settings: Settings, url: str) -> Iterator[Finding]:
    """The findings, one after the other as they are made.

    Raises:
        BadInput: that is no address of a server.
    """
    address = _address(url)
    local = urlsplit(address).hostname in LOCAL
    with httpx.Client(base_url=address, timeout=SOON_S, trust_env=not local) as client:
        reached = _safely("Address", lambda: _reach(client, local=local))
        yield reached
        if reached.status == "fail":
            return
        yield _safely("Refusal", lambda: _refuses(client))
        yield _safely("Forgery", lambda: _refuses(client, {"x-vercel-cron": "1"}))
        for name, (variable, check) in _CHECKS.items():
            yield _with(client, settings, name, variable, check)


def _address(url: str) -> str:
    """The address of a server; a bare domain is reached by https."""
    address = url if "://" in url else f"https://{url}"
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadInput(f"{url[:100]!r} is no address of a server; use one like https://jobs.example.org.")
    return address.rstrip("/")


def _with(client: httpx.Client, settings: Settings, name: str, variable: str, check: Check) -> Finding:
    """A check that takes a token: the one meant for it, or an administrator's."""
    own: SecretStr | None = getattr(settings, variable.lower())
    secret = own or settings.callboard_api_token
    if secret is None:
        advice = f"Set {variable} to what it is there, or CALLBOARD_API_TOKEN."
        return Finding(name, "unknown", f"not checked: {variable} is not set", advice)
    bearer = {"Authorization": f"Bearer {secret.get_secret_value()}"}
    return _safely(name, lambda: check(client, bearer, variable if own else "CALLBOARD_API_TOKEN"))


def _reach(client: httpx.Client, *, local: bool) -> Finding:
    answer = client.get("/readyz")
    took = f"answers in {answer.elapsed.total_seconds() * 1000:.0f} ms"
    if answer.status_code == 503:
        return Finding("Address", "fail", said(answer), "Look at the log of the API there.")
    if answer.status_code != 200:
        return Finding(
            "Address",
            "fail",
            f"/readyz answers {answer.status_code}",
            "Is that Callboard's API? Check the address.",
        )
    if answer.url.scheme == "https":
        return Finding("Address", "ok", f"{took}, its certificate is good")
    if local:
        return Finding("Address", "ok", took)
    return Finding(
        "Address",
        "warn",
        f"{took}, without encryption",
        "Put a proxy with TLS before it: tokens can be read.",
    )


def _refuses(client: httpx.Client, headers: dict[str, str] | None = None) -> Finding:
    """Whether callers without a token are turned away."""
    name, what = ("Forgery", "the header x-vercel-cron alone") if headers else ("Refusal", "no token at all")
    let_in = [path for path in (RUNNER, CRON) if client.get(path, headers=headers).status_code != 401]
    if let_in:
        advice = "Make the server ask for a token: anybody can call it."
        return Finding(name, "fail", f"{what} opens {joined(let_in)}", advice)
    return Finding(name, "ok", f"{what} opens nothing: 401")


def _safely(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except httpx.TimeoutException:
        return Finding(name, "fail", "no answer in time", "Check the address, and that the API runs there.")
    except httpx.HTTPError as error:
        if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error):
            return Finding(name, "fail", f"no TLS: {_short(error)}", "Check the certificate and the domain.")
        return Finding(
            name, "fail", f"no answer: {_short(error)}", "Check the address, and that the API runs."
        )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
