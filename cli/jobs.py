"""`callboard jobs list | show | enable | disable | history`."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from callboard.cli import tables
from callboard.cli.app import AsJson, JobName, jobs
from callboard.cli.console import err, out, print_json
from callboard.core.settings import load_settings

if TYPE_CHECKING:
    from callboard.control.context import Context

Notes = Annotated[
    str | None, typer.Option(metavar="TEXT", help="Why; kept with the job.", show_default=False)
]


def context() -> "Context":
    """What reads and actions need, from the settings."""
    # Imported late, here and below: help and version need not wait for a database's libraries.
    from callboard.control.context import Context

    return Context(load_settings(), application_name="callboard cli")


@jobs.command("list", epilog="Example:  callboard jobs list --category cleanup")
def list_jobs(
    category: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this category.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List all jobs: state, schedule, next and last run, success rate of the last 30 days."""
    from callboard.control.reads import jobs as reads

    with context() as system:
        found = reads.jobs(system, category=category)
        known = () if found or category is None else tuple(reads.categories(reads.jobs(system)))
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.jobs_table(found))
    elif known:
        err.print(f"No job has the category {category!r}; there are: {', '.join(known)}.")
    else:
        err.print("No job is known yet: jobs appear when a worker that has them starts.")


@jobs.command(epilog="Example:  callboard jobs show health-check")
def show(job: JobName, as_json: AsJson = False) -> None:
    """Show all that is known of a job."""
    from callboard.control.reads import jobs as reads

    with context() as system:
        found = reads.job(system, job)
    if as_json:
        print_json(found)
        return
    out.print(Text.assemble((found.name, "bold"), f"  {found.description or ''}"))
    out.print(tables.job_card(found))


@jobs.command(epilog="Example:  callboard jobs history health-check --limit 5")
def history(
    job: JobName,
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="At most so many runs.")] = 20,
    days: Annotated[int, typer.Option(min=1, max=366, metavar="N", help="Of the last so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """List a job's runs, the latest first."""
    from callboard.control.reads import runs

    with context() as system:
        found = runs.history(system, job, limit=limit, days=days)
    if as_json:
        print_json(found)
    elif found:
        out.print(tables.history_table(found))
    else:
        err.print(f"The job {job} has not run in the last {days} days.")


@jobs.command(epilog='Example:  callboard jobs disable health-check --notes "until the move is over"')
def disable(job: JobName, notes: Notes = None, as_json: AsJson = False) -> None:
    """Switch a job off: its schedules fire nothing, and messages for it are skipped."""
    _switch(job, False, notes, as_json=as_json)


@jobs.command(epilog="Example:  callboard jobs enable health-check")
def enable(job: JobName, notes: Notes = None, as_json: AsJson = False) -> None:
    """Switch a job on."""
    _switch(job, True, notes, as_json=as_json)


def _switch(job: str, enabled: bool, notes: str | None, *, as_json: bool) -> None:
    from callboard.control.actions.switches import set_enabled
    from callboard.control.auth import local_principal

    with context() as system:
        switched = set_enabled(system, local_principal(), job, enabled, notes=notes)
    if as_json:
        print_json(switched)
        return
    word = "on" if enabled else "off"
    said = f"{job} is switched {word}." if switched.changed else f"{job} was switched {word} already."
    out.print(said)
