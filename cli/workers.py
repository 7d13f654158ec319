"""`callboard workers list`, `callboard runs stack`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from rich.text import Text

from callboard.cli.app import AsJson, flag, runs, workers
from callboard.cli.console import err, out, print_json
from callboard.cli.jobs import context
from callboard.cli.runs import RunId
from callboard.cli.tables import listing
from callboard.core.display import DASH, distance, printable, span
from callboard.core.sizes import size_word

if TYPE_CHECKING:
    from callboard.control.reads.fleet import Fleet, Process

LIVES = {"alive": "green", "silent": "yellow", "dead": "red"}
#: So many of the runs that a worker executes are named.
NAMED = 3


@workers.command("list", epilog="Example:  callboard workers list --all")
def list_workers(
    everything: Annotated[
        bool, flag("--all", "-a", help="Schedulers, recorders, APIs and panels as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List worker processes: when each was last heard of, its threads, its memory, and what it does."""
    from callboard.control.reads.fleet import fleet

    with context() as system:
        found = fleet(system, part=None if everything else "worker")
    if as_json:
        print_json(
            {
                "at": found.at,
                "alive": found.alive,
                "threads": found.threads,
                "busy": found.busy,
                "memory": found.memory,
                "versions": found.versions,
                "processes": found.processes,
            }
        )
        return
    if not found.processes:
        err.print("No worker is there; start one with `callboard worker`, or everything with `callboard up`.")
        return
    _tell(found)


@runs.command("stack", epilog="Example:  callboard runs stack 0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d")
def stack(run: RunId, as_json: AsJson = False) -> None:
    """Show where a running job is: files, lines and functions, the innermost call last."""
    from callboard.control.actions.stacks import stack as ask
    from callboard.control.auth import local_principal

    with context() as system:
        found = ask(system, local_principal(), run)
    if as_json:
        print_json(found)
        return
    where = f"process {found.pid} on {found.host}"
    beside = f"a process beside {where}" if found.isolated else f"{where}, thread {found.thread or DASH}"
    since = (
        "" if found.started_at is None else f", {span((found.at - found.started_at).total_seconds() * 1000)}"
    )
    err.print(f"{found.job}, attempt {found.attempt}{since}: {beside}.")
    if found.note:
        err.print(found.note)
    if found.frames:
        out.print(Text(printable(found.text)), soft_wrap=True)


def _tell(found: "Fleet") -> None:
    parts = len({each.part for each in found.processes}) > 1
    table = listing(
        *(("PART",) if parts else ()),
        "PROCESS",
        "LIFE",
        "THREADS",
        "MEMORY",
        "UP",
        "LAST SEEN",
        "VERSION",
        "QUEUES",
        "DOES",
    )
    for column in table.columns[-2:]:
        # Only these give way where a terminal is narrow.
        column.no_wrap, column.overflow = False, "fold"
    for each in found.processes:
        table.add_row(
            *((each.part,) if parts else ()),
            Text(f"{each.host or DASH}:{each.pid or DASH}", style="bold"),
            Text(each.life, style=LIVES[each.life]),
            _threads(each),
            size_word(each.memory),
            DASH if each.started_at is None else _span(each.started_at, found.at),
            distance(each.last_seen, found.at),
            each.version or DASH,
            Text("\n".join(each.queues) or DASH),
            Text(_does(each, found.at)),
        )
    out.print(table)
    for each in found.processes:
        for warning in each.warnings:
            err.print(Text(f"{each.part} {each.host}:{each.pid}: {warning}", style="yellow"))
    if len(found.versions) > 1:
        err.print(Text(f"Versions differ: {', '.join(found.versions)}.", style="yellow"))


def _threads(process: "Process") -> Text:
    if not process.threads:
        return Text(DASH)
    lost = f", {process.stuck} lost" if process.stuck else ""
    return Text(f"{process.busy} of {process.threads}{lost}", style="yellow" if lost else "")


def _does(process: "Process", now: datetime) -> str:
    if process.part != "worker":
        return process.does or DASH
    named = [f"{each.job} {_span(each.since, now)}" for each in process.runs[:NAMED]]
    more = len(process.runs) - len(named)
    return "\n".join([*named, *([f"{more} more"] if more else [])]) or DASH


def _span(since: datetime, now: datetime) -> str:
    return span(max(0.0, (now - since).total_seconds() * 1000))
