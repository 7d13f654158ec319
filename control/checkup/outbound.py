"""Whether an installation sends its outbound messages, asked through its API: on schedule, and on request."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx

from callboard.control.checkup.finding import Finding, Status
from callboard.core.clock import utcnow
from callboard.core.states import Disposition

JOB: Final = "run-outbound-jobs"
RUNNER: Final = "/api/jobs/run-outbound"
CRON: Final = "/api/cron/run-outbound-jobs"
QUEUE: Final = "/api/outbound"
#: What the runner's schedule is unless somebody has changed it.
EXPRESSION: Final = "*/30 * * * * *"
#: Seconds that the first answer may take, and one that a run has to end for.
SOON_S: Final = 10.0
WAIT_S: Final = 60
#: Seconds for which a slot may have been due, or a message: the runner comes every 30.
LATE_S: Final = 120.0
#: Messages that fail in a day before it is worth a word.
MANY_FAILED: Final = 10

_SENT = (Disposition.FIRED, Disposition.LATE, Disposition.COALESCED, Disposition.SKIPPED_OVERLAP)


def check_schedule(client: httpx.Client, bearer: dict[str, str], variable: str) -> Finding:
    """Whether the runner's schedule is there, is on, and has slots that are decided."""
    answer = client.get("/api/schedules", params={"job": JOB}, headers=bearer)
    if answer.status_code == 404:
        return _amiss(f"there is no job {JOB}", "Name callboard.actors.business in CALLBOARD_ACTORS there.")
    if answer.status_code != 200:
        return _refused("Schedule", "/api/schedules", variable, answer)
    there = [each for each in _dicts(body_of(answer).get("schedules")) if not each.get("retired")]
    on = [each for each in there if each.get("enabled")]
    if not on:
        if not there:
            return _amiss(f"{JOB} has no schedule", f'Run `callboard schedules add {JOB} "{EXPRESSION}"`.')
        advice = f"Run `callboard schedules enable {JOB}/{there[0].get('key')}`."
        return _amiss(f"{_expression(there[0])} of {JOB} is switched off", advice)
    # The one that everybody expects, where there is one; else whichever is on.
    schedule = next((each for each in on if each.get("expr") == EXPRESSION), on[0])
    if not schedule.get("jobEnabled"):
        return _amiss(f"the job {JOB} is switched off", f"Run `callboard jobs enable {JOB}`.")
    return _slots(schedule, _clock(answer))


def _slots(schedule: dict[str, Any], now: datetime) -> Finding:
    """What became of the schedule's last slot."""
    detail = f"{_expression(schedule)} of {JOB} is on"
    if schedule.get("expr") != EXPRESSION:
        advice = f"If nobody meant that: `callboard schedules reset {JOB}/{schedule.get('key')}`."
        return Finding("Schedule", "warn", f"{detail}, where {EXPRESSION} is usual", advice)
    last = schedule.get("last") if isinstance(schedule.get("last"), dict) else None
    since = (now - _moment((last or {}).get("dueAt") or schedule.get("createdAt"), now)).total_seconds()
    if since > LATE_S:
        advice = "Look whether a scheduler is alive there."
        return _amiss(f"{detail}, and nothing became of it for {since:.0f} s", advice)
    if last is None:
        return Finding("Schedule", "ok", f"{detail}; its first slot is still to come")
    ago = f"{max(since, 0.0):.0f} s ago"
    if last.get("disposition") not in _SENT:
        reason = last.get("reason") or last.get("disposition")
        detail = f"{detail}, but its last slot, {ago}, did not run: {reason}"
        return Finding("Schedule", "warn", detail, f"Look at `callboard schedules why {JOB}`.")
    return Finding("Schedule", "ok", f"{detail}; it last fell due {ago}")


def check_cron(client: httpx.Client, bearer: dict[str, str], variable: str) -> Finding:
    """Whether the address that a cron service calls sends what is due."""
    answer = client.get(CRON, params={"wait": WAIT_S}, headers=bearer, timeout=WAIT_S + SOON_S)
    if answer.status_code == 202 and _waits(client, bearer, answer.headers.get("Location", "")):
        advice = "Look whether a worker is alive there, and whether the job or its queue is paused."
        return Finding("Cron", "fail", f"nobody has begun the run of {CRON} in {WAIT_S} s", advice)
    return _judged("Cron", variable, CRON, answer, body_of(answer).get("jobRunnerResult"))


def _waits(client: httpx.Client, bearer: dict[str, str], run: str) -> bool:
    """Whether the run at that path has not begun."""
    if not run.startswith("/api/runs/"):
        return False
    return body_of(client.get(run, headers=bearer)).get("state") == "pending"


def check_runner(client: httpx.Client, bearer: dict[str, str], variable: str) -> Finding:
    """Whether the runner's own address does."""
    params = {"max": 10, "wait": WAIT_S}
    answer = client.post(RUNNER, params=params, headers=bearer, timeout=WAIT_S + SOON_S)
    return _judged("Runner", variable, RUNNER, answer, body_of(answer))


def _judged(name: str, variable: str, path: str, answer: httpx.Response, result: Any) -> Finding:
    if answer.status_code in (401, 403):
        return _refused(name, path, variable, answer)
    if answer.status_code == 202:
        advice = "Look at the run: is there so much to send?"
        return Finding(name, "warn", f"the run of {path} has not ended in {WAIT_S} s", advice)
    if answer.status_code != 200 or not isinstance(result, dict) or result.get("ok") is not True:
        advice = "Look at the run in the panel, or by `callboard runs`."
        reason = result.get("error") if isinstance(result, dict) else None
        return Finding(name, "fail", f"{path} answers {answer.status_code}: {reason or said(answer)}", advice)
    if result.get("note"):
        return Finding(name, "ok", f"{path} answers that a run is under way")
    processed, failed = result.get("processed"), result.get("failed")
    return Finding(name, "ok", f"{path} has sent {processed} messages, {failed} failed")


def check_messages(client: httpx.Client, bearer: dict[str, str], variable: str) -> Finding:
    """Whether messages wait for long, or fail in numbers."""
    answer = client.get(QUEUE, headers=bearer)
    if answer.status_code != 200:
        return _refused("Messages", QUEUE, variable, answer)
    body = body_of(answer)
    waited = body.get("oldestDueSeconds") or 0.0
    detail = (
        f"{body.get('queued')} queued, {body.get('running')} running, {body.get('doneLastHour')} done in the"
        f" last hour, {body.get('failedLastDay')} failed in the last day"
    )
    if waited > LATE_S:
        advice = f"Look whether scheduler and workers are alive there, and at the runs of {JOB}."
        return Finding("Messages", "fail", f"{detail}; the first has been due for {waited:.0f} s", advice)
    status: Status = "warn" if (body.get("failedLastDay") or 0) >= MANY_FAILED else "ok"
    return Finding(
        "Messages", status, detail, 'Look at the column error of "OutboundJob".' if status == "warn" else None
    )


def _refused(name: str, path: str, variable: str, answer: httpx.Response) -> Finding:
    if answer.status_code in (401, 403):
        why = "" if answer.status_code == 401 else f": {said(answer)}"
        advice = f"Set {variable} to what it is there."
        return Finding(name, "fail", f"{path} refuses {variable}{why}", advice)
    advice = "Look at the log of the API there."
    return Finding(name, "fail", f"{path} answers {answer.status_code}: {said(answer)}", advice)


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """The object that an answer is in JSON; empty where it is none."""
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def said(answer: httpx.Response) -> str:
    """What an answer says is wrong, cut and without its full stop."""
    body = body_of(answer)
    return str(body.get("detail") or answer.reason_phrase or "nothing that can be read")[:300].rstrip(".")


def _amiss(detail: str, advice: str) -> Finding:
    return Finding("Schedule", "fail", detail, advice)


def _expression(schedule: dict[str, Any]) -> str:
    zone = schedule.get("tz")
    return f"{schedule.get('expr')}{'' if zone in (None, 'UTC') else f' ({zone})'}"


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _clock(answer: httpx.Response) -> datetime:
    """What time it is there: this machine's clock may differ."""
    try:
        return parsedate_to_datetime(answer.headers["Date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return utcnow()


def _moment(value: Any, otherwise: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return otherwise
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
