"""`callboard runs list | show`."""

import re
from typing import Annotated
from uuid import UUID

import typer

from callboard.cli import runs_tables as tables
from callboard.cli.app import AsJson, runs
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context

RunId = Annotated[UUID, typer.Argument(metavar="RUN", help="The run's id.", show_default=False)]


@runs.command("list", epilog="Example:  callboard runs list state:failed,dead error:~timeout since:2h")
def list_runs(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORDS]", help="A search, such as job:sync error:~timeout since:2h."),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state",
            "-s",
            metavar="STATE",
            help="Only in this state; repeatable.",
        ),
    ] = None,
    job: Annotated[
        str | None, typer.Option("--job", metavar="JOB", help="Only of this job.", show_default=False)
    ] = None,
    queue: Annotated[
        str | None, typer.Option("--queue", metavar="QUEUE", help="Only of this queue.", show_default=False)
    ] = None,
    hours: Annotated[float, typer.Option(min=0.01, metavar="N", help="Sent within so many hours.")] = 24,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many.")] = 50,
    cursor: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on after a page.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, the latest sent first.

    Words: state:, job:, queue:, trigger:, error:, args.NAME:, since: and until:, `~` before a value looks for
    a part. States: pending, processing, succeeded, failed, cancelled, skipped, dead.
    """
    from callboard.control.reads import run_search as reads

    with context() as system:
        search = reads.wanted(_joined(words or []), states=state or (), job=job, queue=queue)
        found, following = reads.find(system, search, hours=hours, limit=limit, cursor=cursor)
    if as_json:
        print_json({"runs": found, "next_cursor": following})
        return
    if found:
        out.print(tables.runs_table(found))
    else:
        when = "" if search.since else f" in the last {hours:g} hours"
        err.print(f"There are no such runs{when}.")
    if following:
        err.print(f"There are more: --cursor {following}")


@runs.command("show", epilog="Example:  callboard runs show 0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")
def show(run: RunId, as_json: AsJson = False) -> None:
    """Show all that is known of a run: its times, attempts, error and log."""
    from callboard.control.reads import runs as reads

    with context() as system:
        found = reads.run(system, run)
    if as_json:
        print_json(found)
    else:
        tables.print_run(out, found)


def _joined(words: list[str]) -> str:
    """The words as one text: what the shell has taken out of quotes goes back into them."""
    return " ".join(_quoted(word) if re.search(r"\s", word) and '"' not in word else word for word in words)


def _quoted(word: str) -> str:
    return re.sub(r"^([^\s:]+:~?)(.*)$", r'\1"\2"', word, flags=re.DOTALL)
