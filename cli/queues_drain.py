"""`callboard queues drain`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli import interrupt
from callboard.cli.app import AsJson, queues
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.queues import Reason

if TYPE_CHECKING:
    from callboard.control.context import Context
    from callboard.control.reads.queues import Queue

#: Seconds between two looks at the queue.
LOOK_S = 0.25


@queues.command("drain", epilog='Example:  callboard queues drain mail --reason "upgrade" --timeout 300')
def drain(
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="The queue's name.", show_default=False)],
    reason: Reason,
    timeout: Annotated[float, typer.Option(min=0, metavar="S", help="Wait at most so long.")] = 60,
    as_json: AsJson = False,
) -> None:
    """Pause a queue and wait until nothing of it is under way; what waits stays until it is resumed.

    The exit code is 1 where something still is when the wait is over. Asked again, it goes on waiting.
    """
    from callboard.control.actions.pauses import pause
    from callboard.control.auth import local_principal

    with context() as system:
        with interrupt.held():
            pause(system, local_principal(), "queue", queue, reason=reason)
        try:
            found = _wait(system, queue, timeout)
        except KeyboardInterrupt:
            err.print(f"No longer waiting; the queue {queue} stays paused.")
            raise
    if as_json:
        print_json({"drained": found.taken == 0, "left": found.taken, "queue": found})
    elif found.taken == 0:
        out.print(f"The queue {queue} is drained; {found.depth:,} wait until it is resumed.")
    else:
        runs = "1 run is" if found.taken == 1 else f"{found.taken:,} runs are"
        err.print(f"The queue {queue} is paused, and {runs} still under way after {timeout:g} s.")
    if found.taken:
        raise typer.Exit(1)


def _wait(system: "Context", name: str, timeout: float) -> "Queue":
    from callboard.control.reads.queues import queue

    deadline = time.monotonic() + timeout
    with err.status(f"{name}: pausing") as status:
        while True:
            found = queue(system, name).queue
            left = deadline - time.monotonic()
            if found.taken == 0 or left <= 0:
                return found
            status.update(f"{name}: {found.taken:,} under way")
            time.sleep(min(LOOK_S, left))
            interrupt.check()
