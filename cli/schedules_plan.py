"""`callboard schedules preview | templates | apply`."""

from typing import Annotated

import typer

from callboard.cli import schedules_tables as tables
from callboard.cli.app import AsJson, flag, schedules
from callboard.cli.console import out, print_json
from callboard.cli.jobs import context
from callboard.cli.schedules import Zone


@schedules.command("preview", epilog='Example:  callboard schedules preview "*/5 * * * *" --tz Europe/Paris')
def preview(
    expr: Annotated[
        str, typer.Argument(metavar="CRON", help='The expression: "0 8 * * *".', show_default=False)
    ],
    tz: Zone = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="From then on, not from now.", show_default=False),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="So many runs.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show the next runs of a cron expression, in its zone and in UTC, and what clock changes do to them."""
    from callboard.control.reads import previews
    from callboard.core.clock import utcnow
    from callboard.core.moments import read_moment
    from callboard.core.zones import zone

    at = None if start is None else read_moment(start, zone(tz or "UTC"), utcnow())
    found = previews.preview(expr, tz, start=at, count=count)
    if as_json:
        print_json(found)
        return
    out.print(f"{found.words}.")
    out.print(tables.runs_table(found))


@schedules.command("templates", epilog="Example:  callboard schedules templates")
def templates(as_json: AsJson = False) -> None:
    """List ready-made schedules for two jobs that belong together: one that syncs, one that adds up."""
    from callboard.core.templates import SUGGESTIONS, TEMPLATES

    if as_json:
        print_json({"templates": TEMPLATES, "suggestions": SUGGESTIONS})
        return
    out.print(tables.templates_table(TEMPLATES))
    out.print("\nFor a single schedule: " + "; ".join(f"{each.title}, {each.expr}" for each in SUGGESTIONS))


@schedules.command(
    "apply", epilog="Example:  callboard schedules apply off-season --sync fetch --totals sum --dry-run"
)
def apply(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help="Its name.", show_default=False)],
    sync: Annotated[str, typer.Option(metavar="JOB", help="The job that syncs.", show_default=False)],
    totals: Annotated[str, typer.Option(metavar="JOB", help="The job that adds up.", show_default=False)],
    tz: Zone = None,
    keep_others: Annotated[
        bool, flag("--keep-others", help="Leave the other schedules of the jobs on.")
    ] = False,
    dry_run: Annotated[bool, flag("--dry-run", help="Change nothing; show what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give two jobs the schedules of a template, at once.

    It takes the place of whatever template was applied before; the jobs' other schedules are switched off.
    """
    from callboard.control.actions.schedule_templates import apply_template
    from callboard.control.auth import local_principal

    with context() as system:
        done = apply_template(
            system,
            local_principal(),
            template,
            sync=sync,
            totals=totals,
            tz=tz,
            keep_others=keep_others,
            dry_run=dry_run,
        )
    if as_json:
        print_json(done)
        return
    out.print(f"{done.template.title} {'would do this' if dry_run else 'is applied'}:")
    out.print(tables.applied_table(done))
    for change in done.jobs:
        zone = change.steps[0].tz
        out.print(f"\n{change.job}")
        for line in tables.edit_lines(change.edit, zone):
            out.print(f"  {line}")
