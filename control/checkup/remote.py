"""An installation seen from outside, by its address: does it let in whom it should, and send what is due?

It runs the outbound runner twice, as its cron does anyway. Needed are `CRON_SECRET` and `JOB_RUNNER_TOKEN`;
without one of them, what takes it is not checked, and that is a finding.
"""

import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from callboard.control.checkup.finding import Finding, Status
from callboard.core.errors import BadInput
from callboard.core.settings import Settings
from callboard.core.words import joined

RUNNER: Final = "/api/jobs/run-outbound"
CRON: Final = "/api/cron/run-outbound-jobs"
QUEUE: Final = "/api/outbound"
#: Seconds that the first answer may take, and one that a run has to end for.
SOON_S: Final = 10.0
WAIT_S: Final = 60
#: Seconds for which a message may have been due: the runner comes every 30.
LATE_S: Final = 120.0
#: Messages that fail in a day before it is worth a word.
MANY_FAILED: Final = 10
LOCAL: Final = ("127.0.0.1", "::1", "localhost")


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
        for name, setting, check in (
            ("Cron", settings.cron_secret, _cron),
            ("Runner", settings.job_runner_token, _runner),
            ("Messages", settings.cron_secret, _messages),
        ):
            yield _with(client, name, setting, check)


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


def _with(
    client: httpx.Client,
    name: str,
    secret: SecretStr | None,
    check: Callable[[httpx.Client, dict[str, str]], Finding],
) -> Finding:
    variable = "JOB_RUNNER_TOKEN" if name == "Runner" else "CRON_SECRET"
    if secret is None:
        return Finding(
            name, "warn", f"not checked: {variable} is not set", f"Set {variable}, as it is there."
        )
    bearer = {"Authorization": f"Bearer {secret.get_secret_value()}"}
    return _safely(name, lambda: check(client, bearer))


def _reach(client: httpx.Client, *, local: bool) -> Finding:
    answer = client.get("/readyz")
    took = f"answers in {answer.elapsed.total_seconds() * 1000:.0f} ms"
    if answer.status_code == 503:
        return Finding("Address", "fail", _said(answer), "Look at the log of the API there.")
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
    name, whom = ("Forgery", "the header x-vercel-cron") if headers else ("Refusal", "nobody's calls")
    let_in = [path for path in (RUNNER, CRON) if client.get(path, headers=headers).status_code != 401]
    if let_in:
        advice = "Make the server ask for a token: anybody can call it."
        return Finding(name, "fail", f"{joined(let_in)} let {whom} in without a token", advice)
    return Finding(name, "ok", f"{whom} without a token: 401")


def _cron(client: httpx.Client, bearer: dict[str, str]) -> Finding:
    answer = client.get(CRON, params={"wait": WAIT_S}, headers=bearer, timeout=WAIT_S + SOON_S)
    body = _json(answer)
    return _judged("Cron", "CRON_SECRET", CRON, answer, body.get("jobRunnerResult"))


def _runner(client: httpx.Client, bearer: dict[str, str]) -> Finding:
    params = {"max": 10, "wait": WAIT_S}
    answer = client.post(RUNNER, params=params, headers=bearer, timeout=WAIT_S + SOON_S)
    return _judged("Runner", "JOB_RUNNER_TOKEN", RUNNER, answer, _json(answer))


def _judged(name: str, variable: str, path: str, answer: httpx.Response, result: Any) -> Finding:
    if answer.status_code == 401:
        return Finding(name, "fail", f"{path} refuses {variable}", f"Set {variable} to what it is there.")
    if answer.status_code == 202:
        return Finding(name, "ok", f"{path} has begun a run, which goes on")
    if answer.status_code != 200 or not isinstance(result, dict) or result.get("ok") is not True:
        advice = "Look at the run in the panel, or by `callboard runs`."
        said = result.get("error") if isinstance(result, dict) else None
        return Finding(name, "fail", f"{path} answers {answer.status_code}: {said or _said(answer)}", advice)
    if result.get("note"):
        return Finding(name, "ok", f"{path} answers that a run is under way")
    processed, failed = result.get("processed"), result.get("failed")
    return Finding(name, "ok", f"{path} has sent {processed} messages, {failed} failed")


def _messages(client: httpx.Client, bearer: dict[str, str]) -> Finding:
    answer = client.get(QUEUE, headers=bearer)
    if answer.status_code != 200:
        return Finding("Messages", "fail", f"{QUEUE} answers {answer.status_code}: {_said(answer)}")
    body = _json(answer)
    waited = body.get("oldestDueSeconds") or 0.0
    detail = (
        f"{body.get('queued')} queued, {body.get('running')} running, {body.get('doneLastHour')} done in the"
        f" last hour, {body.get('failedLastDay')} failed in the last day"
    )
    if waited > LATE_S:
        advice = "Look whether scheduler and workers are alive there, and at the runs of run-outbound-jobs."
        return Finding("Messages", "fail", f"{detail}; the first has been due for {waited:.0f} s", advice)
    status: Status = "warn" if (body.get("failedLastDay") or 0) >= MANY_FAILED else "ok"
    return Finding(
        "Messages", status, detail, 'Look at the column error of "OutboundJob".' if status == "warn" else None
    )


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


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _said(answer: httpx.Response) -> str:
    body = _json(answer)
    return str(body.get("detail") or answer.reason_phrase or "nothing that can be read")[:300].rstrip(".")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
