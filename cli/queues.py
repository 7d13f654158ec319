"""`callboard queues list | pause | resume` and `callboard jobs pause | resume`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from callboard.cli.app import AsJson, JobName, flag, jobs, queues
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment
from callboard.core.errors import BadInput

if TYPE_CHECKING:
    from callboard.control.reads.pauses import Pause, Scope
    from callboard.control.reads.queues import Queue

QueueName = Annotated[
    str | None, typer.Argument(metavar="QUEUE", help="The queue's name.", show_default=False)
]
All = Annotated[bool, flag("--all", help="Everything: all queues.")]
Reason = Annotated[
    str, typer.Option("--reason", "-r", metavar="TEXT", help="Why; shown to everybody.", show_default=False)
]
CancelRunning = Annotated[
    bool, flag("--cancel-running", help="Cancel what runs instead of letting it finish.")
]


@queues.command("list", epilog="Example:  callboard queues list")
def list_queues(as_json: AsJson = False) -> None:
    """List queues: how much waits in each, and what is paused."""
    from callboard.control.reads.pauses import pauses
    from callboard.control.reads.queues import queues as read_queues

    with context() as system:
        found, paused = read_queues(system), pauses(system)
    if as_json:
        print_json({"queues": found, "pauses": paused})
        return
    if found:
        out.print(_queues_table(found))
    else:
        err.print("No queue is known yet: queues appear when a worker that serves them starts.")
    for each in paused:
        out.print(_sentence(each))


@queues.command("pause", epilog='Example:  callboard queues pause default --reason "maintenance"')
def pause_queue(
    reason: Reason,
    queue: QueueName = None,
    everything: All = False,
    cancel_running: CancelRunning = False,
    as_json: AsJson = False,
) -> None:
    """Have workers take no more work of a queue, or at all; what waits stays and is not lost."""
    _pause(*_scope(queue, everything), reason, cancel_running, as_json=as_json)


@queues.command("resume", epilog="Example:  callboard queues resume default")
def resume_queue(queue: QueueName = None, everything: All = False, as_json: AsJson = False) -> None:
    """Have workers serve a queue, or everything, again."""
    _resume(*_scope(queue, everything), as_json=as_json)


@jobs.command("pause", epilog='Example:  callboard jobs pause send-mail --reason "the provider is down"')
def pause_job(
    job: JobName, reason: Reason, cancel_running: CancelRunning = False, as_json: AsJson = False
) -> None:
    """Have the runs of a job wait; the rest of its queue goes on."""
    _pause("job", job, reason, cancel_running, as_json=as_json)


@jobs.command("resume", epilog="Example:  callboard jobs resume send-mail")
def resume_job(job: JobName, as_json: AsJson = False) -> None:
    """Have the runs of a job go on, the oldest first."""
    _resume("job", job, as_json=as_json)


def _scope(queue: str | None, everything: bool) -> "tuple[Scope, str]":
    if (queue is not None) == everything:
        raise BadInput("Name a queue, or say --all.")
    return ("all", "") if queue is None else ("queue", queue)


def _pause(scope: "Scope", name: str, reason: str, cancel_running: bool, *, as_json: bool) -> None:
    from callboard.control.actions.pauses import pause
    from callboard.control.auth import local_principal

    with context() as system:
        done = pause(system, local_principal(), scope, name, reason=reason, cancel_running=cancel_running)
    if as_json:
        print_json(done)
        return
    what = str(done.pause)
    out.print(f"{what[0].upper()}{what[1:]} {'is' if done.new else 'was already'} paused: {reason}")
    if cancel_running:
        out.print(f"{done.cancelled} running {'run' if done.cancelled == 1 else 'runs'} cancelled.")


def _resume(scope: "Scope", name: str, *, as_json: bool) -> None:
    from callboard.control.actions.pauses import resume
    from callboard.control.auth import local_principal

    with context() as system:
        done = resume(system, local_principal(), scope, name)
    if as_json:
        print_json(done)
        return
    what = "Everything" if scope == "all" else f"The {scope} {name}"
    out.print(f"{what} goes on." if done.changed else f"{what} was not paused.")


def _queues_table(found: "tuple[Queue, ...]") -> Table:
    table = listing("QUEUE", "WAITING", "DELAYED", "PARKED", "TAKEN", "DEAD", "")
    for column in table.columns[1:6]:
        column.justify = "right"
    for queue in found:
        counts = (queue.waiting, queue.delayed, queue.parked, queue.taken, queue.dead)
        table.add_row(
            Text(queue.name, style="bold"),
            *(f"{count:,}" for count in counts),
            Text("paused" if queue.pause else "", style="yellow"),
        )
    return table


def _sentence(pause: "Pause") -> Text:
    what = str(pause)
    return Text.assemble(
        (f"{what[0].upper()}{what[1:]} is paused", "yellow"),
        f" by {pause.paused_by} since {moment(pause.paused_at)}: {pause.reason}",
    )
