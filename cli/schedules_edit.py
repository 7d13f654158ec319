"""`callboard schedules add | edit | remove | enable | disable | reset`."""

from typing import Annotated, Any

import typer

from callboard.cli import schedules_tables as tables
from callboard.cli.app import AsJson, JobName, flag, schedules
from callboard.cli.console import out, print_json
from callboard.cli.jobs import context
from callboard.cli.run import pair_of, value_of
from callboard.cli.schedules import ScheduleName, Zone
from callboard.core.errors import BadInput

Expr = Annotated[
    str,
    typer.Argument(metavar="CRON", help='The cron expression: "0 8 * * *", @hourly.', show_default=False),
]
Named = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="An argument by name.", show_default=False),
]
Misfire = Annotated[
    str | None,
    typer.Option(metavar="POLICY", help="For late slots: skip, run_once or run_all.", show_default=False),
]
Limit = Annotated[
    int | None,
    typer.Option("--misfire-limit", metavar="N", help="At most so many late runs.", show_default=False),
]
Grace = Annotated[
    int | None,
    typer.Option("--grace-ms", metavar="MS", help="A slot is on time for so long.", show_default=False),
]


@schedules.command("add", epilog='Example:  callboard schedules add greet "0 8 * * 1-5" --tz Europe/Paris')
def add(
    job: JobName,
    expr: Expr,
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="VALUE", help="Arguments by place: JSON, or else text.", show_default=False),
    ] = None,
    named: Named = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="What to call it.", show_default=False)
    ] = None,
    tz: Zone = None,
    misfire: Misfire = None,
    misfire_limit: Limit = None,
    grace_ms: Grace = None,
    off: Annotated[bool, flag("--off", help="Leave it switched off.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give a job one more schedule. It counts from now on; `preview` shows what it would do."""
    from callboard.control.actions.schedules import add_schedule
    from callboard.control.auth import local_principal

    with context() as system:
        made = add_schedule(
            system,
            local_principal(),
            job,
            expr,
            key=name,
            enabled=not off,
            tz=tz,
            args=[value_of(each) for each in arguments or []],
            kwargs=dict(pair_of(each) for each in named or []),
            misfire=misfire,
            misfire_limit=misfire_limit,
            grace_ms=grace_ms,
        )
    if as_json:
        print_json(made)
    else:
        out.print(f"{made.name} is made: {made.words}.")


@schedules.command("edit", epilog='Example:  callboard schedules edit greet/code:1 --cron "*/10 * * * *"')
def edit(
    name: ScheduleName,
    expr: Annotated[
        str | None, typer.Option("--cron", metavar="CRON", help="The new expression.", show_default=False)
    ] = None,
    tz: Zone = None,
    named: Named = None,
    misfire: Misfire = None,
    misfire_limit: Limit = None,
    grace_ms: Grace = None,
    dry_run: Annotated[bool, flag("--dry-run", help="Only show which slots go and come.")] = False,
    as_json: AsJson = False,
) -> None:
    """Change a schedule, and show which of its coming slots go and come. Deploys leave the change alone.

    --set replaces all arguments by name.
    """
    from callboard.control.actions.schedules import edit_schedule
    from callboard.control.auth import local_principal
    from callboard.control.reads import schedules as reads
    from callboard.control.reads.previews import preview_edit

    given = {"expr": expr, "tz": tz, "misfire": misfire, "misfire_limit": misfire_limit, "grace_ms": grace_ms}
    changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
    if named:
        changes["kwargs"] = dict(pair_of(each) for each in named)
    if not changes:
        raise BadInput("Say what to change: --cron, --tz, --set, --misfire, --misfire-limit or --grace-ms.")
    with context() as system:
        found = reads.find(system, name)
        preview = preview_edit(system, found.id, expr=expr, tz=tz)
        if not dry_run:
            found = edit_schedule(system, local_principal(), found.id, changes, version=found.changed_at)
    if as_json:
        print_json(preview if dry_run else found)
        return
    verb = "would say" if dry_run else "says"
    out.print(f"{found.name} {verb}: {preview.after.words}.")
    for line in tables.edit_lines(preview.edit, preview.after.tz):
        out.print(line)


@schedules.command("remove", epilog="Example:  callboard schedules remove greet/operator-1")
def remove(name: ScheduleName) -> None:
    """Delete a schedule that was made here. One that code declares can be switched off instead."""
    from callboard.control.actions.schedules import remove_schedule
    from callboard.control.auth import local_principal
    from callboard.control.reads import schedules as reads

    with context() as system:
        found = reads.find(system, name)
        remove_schedule(system, local_principal(), found.id, version=found.changed_at)
    out.print(f"{found.name} is deleted; what became of its slots stays in the ledger.")


@schedules.command("enable", epilog="Example:  callboard schedules enable greet/code:1")
def enable(name: ScheduleName, as_json: AsJson = False) -> None:
    """Switch one schedule on; it counts from now on."""
    _switch(name, True, as_json=as_json)


@schedules.command("disable", epilog="Example:  callboard schedules disable greet/code:1")
def disable(name: ScheduleName, as_json: AsJson = False) -> None:
    """Switch one schedule off; the others of its job, and the job, stay on."""
    _switch(name, False, as_json=as_json)


@schedules.command("reset", epilog="Example:  callboard schedules reset greet/code:1")
def reset(name: ScheduleName, as_json: AsJson = False) -> None:
    """Let a schedule be what its code says, and on. From then on it follows the code."""
    from callboard.control.actions.schedules import reset_schedule
    from callboard.control.auth import local_principal
    from callboard.control.reads import schedules as reads

    with context() as system:
        found = reads.find(system, name)
        found = reset_schedule(system, local_principal(), found.id, version=found.changed_at)
    if as_json:
        print_json(found)
    else:
        out.print(f"{found.name} is as its code says: {found.words}.")


def _switch(name: str, enabled: bool, *, as_json: bool) -> None:
    from callboard.control.actions.schedules import set_schedule_enabled
    from callboard.control.auth import local_principal
    from callboard.control.reads import schedules as reads

    with context() as system:
        before = reads.find(system, name)
        found = set_schedule_enabled(system, local_principal(), before.id, enabled)
    if as_json:
        print_json(found)
        return
    already = " already" if before.enabled is found.enabled else ""
    verb = "was" if already else "is"
    out.print(f"{found.name} {verb} switched {'on' if enabled else 'off'}{already}.")
