"""`callboard dead list | groups | requeue | drop | status | abort`."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from callboard.cli import interrupt
from callboard.cli import letters_tables as tables
from callboard.cli.app import AsJson, dead, flag
from callboard.cli.bulk import WORDS, ActionId, MaybeActionId, await_end, end_early, show_status
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.core.errors import BadInput

if TYPE_CHECKING:
    from callboard.control.actions.letters import What
    from callboard.control.reads.letters import Wanted

Job = Annotated[
    str | None, typer.Option("--job", metavar="JOB", help="Only of this job.", show_default=False)
]
Mark = Annotated[
    str | None,
    typer.Option("--fingerprint", metavar="HEX", help="Only with this error.", show_default=False),
]
Text = Annotated[
    str | None,
    typer.Option("--text", metavar="TEXT", help="Only with this in the error.", show_default=False),
]
Hours = Annotated[
    float | None,
    typer.Option("--hours", min=0, metavar="N", help="Only of the last so many hours.", show_default=False),
]
Runs = Annotated[
    list[UUID] | None, typer.Argument(metavar="RUN", help="The runs, by their ids.", show_default=False)
]
All = Annotated[bool, flag("--all", help="All that there are.")]
Wait = Annotated[bool, flag("--wait", "-w", help="Wait until it is done.")]


@dead.command("list", epilog="Example:  callboard dead list --job send-mail --text timeout")
def list_letters(
    job: Job = None,
    fingerprint: Mark = None,
    text: Text = None,
    hours: Hours = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 50,
    cursor: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on after a page.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List runs that failed for good and whose messages are kept, the latest first."""
    from callboard.control.reads import letters as reads

    with context() as system:
        found, following = reads.letters(
            system, _wanted(job, fingerprint, text, hours), limit=limit, cursor=cursor
        )
    if as_json:
        print_json({"letters": found, "next_cursor": following})
        return
    if found:
        out.print(tables.letters_table(found))
    else:
        err.print("There are no such dead letters.")
    if following:
        err.print(f"There are more: --cursor {following}")


@dead.command("groups", epilog="Example:  callboard dead groups --hours 24")
def list_groups(
    job: Job = None,
    fingerprint: Mark = None,
    text: Text = None,
    hours: Hours = None,
    limit: Annotated[int, typer.Option(min=1, max=500, metavar="N", help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Group dead letters by their error: its type and where in the code it came from."""
    from callboard.control.reads import letters as reads

    with context() as system:
        found = reads.groups(system, _wanted(job, fingerprint, text, hours), limit=limit)
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.groups_table(found))
    else:
        err.print("There are no such dead letters.")


@dead.command("requeue", epilog="Example:  callboard dead requeue --fingerprint 3f8a1c0de2b49d77 --wait")
def requeue(
    runs: Runs = None,
    job: Job = None,
    fingerprint: Mark = None,
    text: Text = None,
    hours: Hours = None,
    everything: All = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Run dead letters again, each as a new run: the runs named, or all that fit."""
    _deal("requeue", runs, _wanted(job, fingerprint, text, hours), everything, wait=wait, as_json=as_json)


@dead.command("drop", epilog="Example:  callboard dead drop --job send-mail --hours 24")
def drop(
    runs: Runs = None,
    job: Job = None,
    fingerprint: Mark = None,
    text: Text = None,
    hours: Hours = None,
    everything: All = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Forget the messages of dead letters: of the runs named, or of all that fit. The runs stay."""
    _deal("drop", runs, _wanted(job, fingerprint, text, hours), everything, wait=wait, as_json=as_json)


@dead.command("status", epilog="Example:  callboard dead status")
def status(action: MaybeActionId = None, as_json: AsJson = False) -> None:
    """Show how far an action on many dead letters is; without an id, the latest ones."""
    show_status(
        "dead letters",
        action,
        nobody="Nobody has requeued or dropped many dead letters yet.",
        as_json=as_json,
    )


@dead.command("abort", epilog="Example:  callboard dead abort 9c5f1f0e-7f43-4c3b-9d0f-6a1d7a0c1b11")
def abort(action: ActionId) -> None:
    """End an action on many dead letters before its next batch; what is done stays done."""
    end_early("dead letters", action)


def _wanted(job: str | None, fingerprint: str | None, text: str | None, hours: float | None) -> "Wanted":
    from datetime import timedelta

    from callboard.control.reads.letters import Wanted
    from callboard.core.clock import utcnow

    since = None if hours is None else utcnow() - timedelta(hours=hours)
    return Wanted(job, fingerprint, text, since)


def _deal(
    what: "What",
    runs: list[UUID] | None,
    wanted: "Wanted",
    everything: bool,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    from callboard.control.actions import letters as actions
    from callboard.control.auth import local_principal
    from callboard.control.reads.letters import Wanted

    if sum([bool(runs), wanted != Wanted(), everything]) != 1:
        raise BadInput("Name runs, or say which by --job, --fingerprint, --text or --hours, or say --all.")
    word = WORDS[what]
    with context() as system:
        if runs:
            dealt = actions.deal(system, local_principal(), what, runs)
            if as_json:
                print_json(dealt)
            else:
                out.print(f"{len(dealt.done)} {word}.")
            for run_id, reason in dealt.failed.items():
                err.print(f"{run_id} stays: {reason}.")
            raise typer.Exit(1 if dealt.failed else 0)
        with interrupt.held():
            started = actions.start(system, local_principal(), what, wanted)
        action = await_end(system, "dead letters", started.action) if wait else started.action
    if as_json:
        print_json(action)
    elif wait:
        out.print(f"{action.done} of {action.total} {word}, {action.failed} stay.")
    else:
        verb = "is" if started.new else "was already asked for and is"
        out.print(f"It {verb} under way for {action.total}: callboard dead status {action.id}")
    if wait and (action.failed or action.state != "done"):
        raise typer.Exit(1)
