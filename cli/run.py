"""`callboard jobs run`."""

import time
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from callboard.cli import interrupt
from callboard.cli.app import AsJson, JobName, flag, jobs
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import state
from callboard.core.display import attempt_of, span
from callboard.core.errors import BadInput, NotFound, Unavailable

if TYPE_CHECKING:
    from callboard.control.actions.run_job import Requested
    from callboard.control.context import Context
    from callboard.control.reads.runs import Run, RunDetail

#: Seconds between two looks at the run.
LOOK_S = 0.15
#: Seconds after which the wait for a worker is worth a word.
WORD_S = 5.0


@jobs.command(epilog="Example:  callboard jobs run greet 42 --set name=Ada --wait")
def run(
    job: JobName,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="VALUE", help="Arguments by place: JSON, or else text.", show_default=False),
    ] = None,
    named: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="An argument by name, likewise.", show_default=False
        ),
    ] = None,
    wait: Annotated[bool, flag("--wait", "-w", help="Wait for the outcome, showing progress.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0, metavar="S", help="Wait at most so long.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run a job now.

    With --wait the exit code is 0 where the run succeeded and 1 where it did not.
    """
    from callboard.control.actions.run_job import run_job
    from callboard.control.auth import local_principal

    args = [value_of(each) for each in arguments or []]
    kwargs = dict(pair_of(each) for each in named or [])
    requested: Requested | None = None
    try:
        with context() as system:
            with interrupt.held():
                requested = run_job(system, local_principal(), job, args=args, kwargs=kwargs)
            if not wait:
                _tell_requested(requested, as_json=as_json)
                return
            detail = _wait(system, requested.run_id, job, timeout)
    except KeyboardInterrupt:
        if requested is not None:
            err.print(f"No longer waiting; the run {requested.run_id} goes on.")
        raise
    if as_json:
        print_json(detail)
    else:
        _tell(detail)
    if detail.run.state != "succeeded":
        raise typer.Exit(1)


def _tell_requested(requested: "Requested", *, as_json: bool) -> None:
    if as_json:
        print_json(requested)
    elif requested.state == "queued":
        out.print(f"{requested.job} will run once Redis is back, as run {requested.run_id}.")
    else:
        out.print(f"{requested.job} runs as {requested.run_id}.")


def _wait(system: "Context", run_id: UUID, job: str, timeout: float | None) -> "RunDetail":
    deadline = time.monotonic() + timeout if timeout is not None else None
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[note]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(job, total=None, note="")
        begun = time.monotonic()
        while True:
            detail = _look(system, run_id)
            if detail is not None and detail.run.ended:
                return detail
            shown = _shown(detail.run if detail else None, time.monotonic() - begun)
            progress.update(task, **shown)
            if deadline is not None and time.monotonic() > deadline:
                where = "it goes on" if detail and detail.run.state == "processing" else "it still waits"
                raise Unavailable(f"The run {run_id} has not ended after {timeout:g} s; {where}.")
            time.sleep(LOOK_S)
            interrupt.check()


def _look(system: "Context", run_id: UUID) -> "RunDetail | None":
    from callboard.control.reads import runs

    try:
        return runs.run(system, run_id)
    except NotFound:
        return None


def _shown(run: "Run | None", waited_s: float) -> dict[str, Any]:
    if run is None or run.state == "pending":
        if run is not None and run.attempt > 1:
            return {"note": f"{attempt_of(run.attempt, run.max_attempts)} is to come", "total": None}
        word = "no worker has taken it yet" if waited_s > WORD_S else "waits for a worker"
        return {"note": word, "total": None}
    made = run.progress or {}
    total, done, note = made.get("total"), made.get("done"), made.get("note") or ""
    if isinstance(total, (int, float)) and total > 0 and isinstance(done, (int, float)):
        return {"completed": min(done, total), "total": total, "note": f"{done} of {total}  {note}".rstrip()}
    return {"total": None, "note": note or "runs"}


def _tell(detail: "RunDetail") -> None:
    run = detail.run
    took = f" after {span(run.duration_ms)}" if run.duration_ms is not None else ""
    line = Text.assemble((run.job, "bold"), " ").append_text(state(run.state)).append(f"{took}")
    if run.attempt > 1:
        line.append(f" in {attempt_of(run.attempt, run.max_attempts)}")
    out.print(line)
    if detail.result is not None:
        out.print(Text(orjson.dumps(detail.result).decode()), soft_wrap=True)
    why = run.error or run.reason
    if why and run.state != "succeeded":
        kind = f"{run.error_type}: " if run.error_type and run.error else ""
        err.print(Text(f"{kind}{why}", style="red"))


def value_of(text: str) -> Any:
    """An argument as it was written: JSON, or else text."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def pair_of(text: str) -> tuple[str, Any]:
    """An argument by name, from NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput(f"--set takes NAME=VALUE, not {text!r}.")
    return name, value_of(value)
