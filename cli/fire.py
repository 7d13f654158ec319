"""`callboard fire`."""

import time
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.text import Text

from callboard.cli import interrupt
from callboard.cli.app import AsJson, app, flag
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import state
from callboard.core.display import span
from callboard.core.errors import NotFound

if TYPE_CHECKING:
    from callboard.control.actions.fire import Fired
    from callboard.control.context import Context
    from callboard.control.reads.runs import Run

#: Seconds between two looks at the runs.
LOOK_S = 0.15


@app.command(rich_help_panel="Jobs", epilog='Example:  callboard fire "*/5 * * * *" --wait')
def fire(
    expression: Annotated[
        str, typer.Argument(metavar="CRON", help="The cron expression.", show_default=False)
    ],
    wait: Annotated[bool, flag("--wait", "-w", help="Wait for the outcomes, and show them.")] = False,
    timeout: Annotated[float | None, typer.Option(min=0, metavar="S", help="Wait at most so long.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run every job that has a schedule of that cron expression, now.

    With --wait the exit code is 1 where a run did not succeed.
    """
    from callboard.control.actions.fire import fire as fire_all
    from callboard.control.auth import local_principal

    with context() as system:
        with interrupt.held():
            fired = fire_all(system, local_principal(), expression)
        ended = _wait(system, [each.run_id for each in fired if each.run_id], timeout) if wait else {}
    if as_json:
        print_json([{"fired": each, "run": ended.get(each.run_id)} for each in fired])
    else:
        for each in fired:
            _tell(each, ended.get(each.run_id) if each.run_id else None, waited=wait)
    good = {run_id for run_id, run in ended.items() if run.state == "succeeded"}
    if wait and any(each.run_id and each.run_id not in good for each in fired):
        raise typer.Exit(1)


def _wait(system: "Context", run_ids: list[UUID], timeout: float | None) -> "dict[UUID | None, Run]":
    """The runs that have ended, once all have, or time is up."""
    from callboard.control.reads import runs

    deadline = time.monotonic() + timeout if timeout is not None else None
    ended: dict[UUID | None, Run] = {}
    while len(ended) < len(run_ids):
        for run_id in run_ids:
            if run_id in ended:
                continue
            try:
                run = runs.run(system, run_id).run
            except NotFound:
                continue
            if run.ended:
                ended[run_id] = run
        if deadline is not None and time.monotonic() > deadline:
            break
        time.sleep(LOOK_S)
        interrupt.check()
    return ended


def _tell(fired: "Fired", run: "Run | None", *, waited: bool) -> None:
    if fired.run_id is None:
        err.print(Text(f"{fired.schedule} is left out: {fired.reason}."))
    elif run is None:
        word = "has not ended" if waited else "runs"
        out.print(Text.assemble((fired.job, "bold"), f" {word}, as {fired.run_id}."))
    else:
        took = f" after {span(run.duration_ms)}" if run.duration_ms is not None else ""
        out.print(Text.assemble((run.job, "bold"), " ").append_text(state(run.state)).append(took))
        why = run.error or run.reason
        if why and run.state != "succeeded":
            err.print(Text(why, style="red"))
