"""`callboard runs cancel | retry | status | abort`: of runs that are named, or of all that fit a search."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from callboard.cli import interrupt
from callboard.cli.app import AsJson, flag, runs
from callboard.cli.bulk import WORDS, ActionId, MaybeActionId, await_end, end_early, show_status
from callboard.cli.console import out, print_json
from callboard.cli.jobs import context
from callboard.core.errors import BadInput

if TYPE_CHECKING:
    from callboard.control.actions.bulk_runs import What

Ids = Annotated[
    list[UUID] | None, typer.Argument(metavar="RUN", help="The runs, by their ids.", show_default=False)
]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="WORDS", help="All that fit a search instead.", show_default=False),
]
Hours = Annotated[
    float, typer.Option(min=0.01, metavar="N", help="Of a search without since:, sent within so many hours.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Wait = Annotated[bool, flag("--wait", "-w", help="Wait until it is done.")]


@runs.command("cancel", epilog='Example:  callboard runs cancel --where "queue:mail state:pending" --wait')
def cancel(
    run: Ids = None,
    where: Where = None,
    hours: Hours = 24,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Why; kept with the run.", show_default=False)
    ] = None,
    yes: Yes = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Cancel runs: those that wait never start, those that run are interrupted within a second."""
    from callboard.control.actions.runs import cancel as cancel_run
    from callboard.control.auth import local_principal

    if _checked(run, where):
        _many("cancel", where or "", hours, reason=reason, yes=yes, wait=wait, as_json=as_json)
        return
    with context() as system:
        done = [cancel_run(system, local_principal(), each, reason=reason) for each in run or ()]
    if as_json:
        print_json(done)
        return
    for each in done:
        was = "It was running and is being interrupted." if each.was == "processing" else "It had not begun."
        out.print(f"{each.run_id} of {each.job} is cancelled. {was}")


@runs.command("retry", epilog='Example:  callboard runs retry --where "state:failed since:2h" --yes')
def retry(
    run: Ids = None,
    where: Where = None,
    hours: Hours = 24,
    yes: Yes = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Try runs again now: at once where they wait for their next attempt, or else as new runs."""
    from callboard.control.actions.runs import retry as retry_run
    from callboard.control.auth import local_principal

    if _checked(run, where):
        _many("retry", where or "", hours, reason=None, yes=yes, wait=wait, as_json=as_json)
        return
    with context() as system:
        done = [retry_run(system, local_principal(), each) for each in run or ()]
    if as_json:
        print_json(done)
        return
    for each in done:
        same = each.run_id == each.of
        out.print(f"{each.of} goes at once." if same else f"{each.of} is done again as {each.run_id}.")


@runs.command("status", epilog="Example:  callboard runs status")
def status(action: MaybeActionId = None, as_json: AsJson = False) -> None:
    """Show how far an action on many runs is; without an id, the latest ones."""
    show_status("runs", action, nobody="Nobody has retried or cancelled many runs yet.", as_json=as_json)


@runs.command("abort", epilog="Example:  callboard runs abort 9c5f1f0e-7f43-4c3b-9d0f-6a1d7a0c1b11")
def abort(action: ActionId) -> None:
    """End an action on many runs before its next batch; what is done stays done."""
    end_early("runs", action)


def _checked(run: list[UUID] | None, where: str | None) -> bool:
    """Whether all that fit a search are meant, not runs by their ids."""
    if bool(run) == (where is not None):
        raise BadInput("Name runs by their ids, or say which by --where; with '' it means all of them.")
    return where is not None


def _many(
    what: "What", where: str, hours: float, *, reason: str | None, yes: bool, wait: bool, as_json: bool
) -> None:
    from callboard.control.actions import bulk_runs as actions
    from callboard.control.auth import local_principal
    from callboard.control.reads.run_search import Wanted

    wanted = Wanted(where, hours)
    with context() as system:
        if not yes:
            count = actions.count(system, what, wanted)
            runs = "1 run" if count == 1 else f"{count:,} runs"
            typer.confirm(f"{what.capitalize()} {runs}?", abort=True, err=True)
        with interrupt.held():
            started = actions.start(system, local_principal(), what, wanted, reason=reason)
        action = await_end(system, "runs", started.action) if wait else started.action
    if as_json:
        print_json(action)
    elif wait:
        out.print(f"{action.done} of {action.total} {WORDS[what]}, {action.failed} stay.")
    else:
        verb = "is" if started.new else "was already asked for and is"
        out.print(f"It {verb} under way for {action.total}: callboard runs status {action.id}")
    if wait and (action.failed or action.state != "done"):
        raise typer.Exit(1)
