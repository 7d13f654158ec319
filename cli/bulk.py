"""Actions on many dead letters, or on many runs: shown, waited for and aborted."""

import time
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import orjson
import typer
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from callboard.cli import interrupt
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing, moment

if TYPE_CHECKING:
    from callboard.control.context import Context
    from callboard.control.reads.bulk import About, BulkAction

ActionId = Annotated[UUID, typer.Argument(metavar="ACTION", help="The action's id.", show_default=False)]
MaybeActionId = Annotated[
    UUID | None, typer.Argument(metavar="ACTION", help="The action's id.", show_default=False)
]

WORDS = {"requeue": "requeued", "drop": "dropped", "retry": "retried", "cancel": "cancelled"}
STATES = {"queued": "blue", "running": "cyan", "done": "green", "aborted": "yellow"}
#: Seconds between two looks at an action.
LOOK_S = 0.2


def actions_table(found: "tuple[BulkAction, ...]") -> Table:
    """One row an action on many."""
    table = listing("ACTION", "WHAT", "FILTER", "BY", "ASKED", "STATE", "DONE", "STAY", "OF")
    for action in found:
        table.add_row(
            Text(str(action.id), style="dim"),
            action.what,
            orjson.dumps(action.filter).decode() if action.filter else "all",
            action.requested_by,
            moment(action.created_at),
            Text(action.state, style=STATES[action.state]),
            str(action.done),
            str(action.failed),
            str(action.total),
        )
    return table


def show_status(about: "About", action_id: UUID | None, *, nobody: str, as_json: bool) -> None:
    """Print how far an action is, or the latest ones; `nobody` is the sentence where there is none."""
    from callboard.control.reads import bulk as reads

    with context() as system:
        if action_id is None:
            found = reads.bulk_actions(system, about)[0]
        else:
            found = (reads.bulk_action(system, about, action_id),)
    if as_json:
        print_json(found)
    elif found:
        out.print(actions_table(found))
    else:
        err.print(nobody)


def end_early(about: "About", action_id: UUID) -> None:
    """Abort an action, and say how far it came."""
    from callboard.control.actions.bulk import abort
    from callboard.control.auth import local_principal

    with context() as system:
        found = abort(system, local_principal(), about, action_id)
    out.print(f"It ends after {found.done} of {found.total}.")


def await_end(system: "Context", about: "About", action: "BulkAction") -> "BulkAction":
    """Wait until an action on many has ended, and show how far it is."""
    from callboard.control.reads import bulk as reads

    command = "dead" if about == "dead letters" else "runs"
    try:
        with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
            task = progress.add_task(about, total=action.total)
            while not action.ended:
                time.sleep(LOOK_S)
                interrupt.check()
                action = reads.bulk_action(system, about, action.id)
                progress.update(task, completed=action.done + action.failed)
    except KeyboardInterrupt:
        err.print(f"No longer waiting; it goes on: callboard {command} status {action.id}")
        raise
    return action
