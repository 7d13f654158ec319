"""`callboard limits list | reset`."""

from typing import Annotated

import typer
from rich.text import Text

from callboard.cli.app import AsJson, limits
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.tables import listing


@limits.command("list", epilog="Example:  callboard limits list")
def list_limits(as_json: AsJson = False) -> None:
    """List limits, those that runs wait for first: who holds them, and how many have begun in a minute."""
    from callboard.control.reads.limits import limits as read

    with context() as system:
        found = read(system)
    if as_json:
        print_json({"limits": found})
        return
    if not found:
        err.print("No limit is in use: jobs name theirs by the option limit.")
        return
    table = listing("LIMIT", "RUNNING", "BEGUN", "WAITING", "JOBS")
    for column in table.columns[1:4]:
        column.justify = "right"
    for each in found:
        table.add_row(
            Text(each.key, style="bold"),
            _of(each.running, each.concurrent),
            _of(each.begun, each.per_minute),
            Text(f"{each.waiting:,}", style="yellow" if each.waiting else ""),
            Text(", ".join(each.jobs)),
        )
    out.print(table)


@limits.command("reset", epilog="Example:  callboard limits reset tenant:7")
def reset(
    limit: Annotated[str, typer.Argument(metavar="LIMIT", help="Its key.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Begin a limit's minute anew, so that what waits for it may go on; slots stay with who holds them."""
    from callboard.control.actions.limits import reset as begin_anew
    from callboard.control.auth import local_principal

    with context() as system:
        done = begin_anew(system, local_principal(), limit)
    if as_json:
        print_json(done)
    else:
        out.print(f"The minute of {done.key} begins anew; {done.begun:,} had begun in it.")


def _of(count: int, bound: int | None) -> Text:
    """A count and its bound: `4 of 4`."""
    if bound is None:
        return Text(f"{count:,}")
    return Text(f"{count:,} of {bound:,}", style="yellow" if count >= bound else "")
