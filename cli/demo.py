"""`callboard demo seed | clear`."""

from typing import Annotated

import typer
from rich.progress import Progress

from callboard.cli.app import demo
from callboard.cli.console import err, out
from callboard.cli.jobs import context

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@demo.command("seed", epilog="Example:  callboard demo seed --customers 10000 --seed 7")
def seed(
    customers: Annotated[int, typer.Option(metavar="N", help="How many customers.")] = 200,
    number: Annotated[int, typer.Option("--seed", metavar="N", help="What all chance comes of.")] = 7,
    competitors: Annotated[
        int | None, typer.Option(metavar="N", help="How many competitors (default: one for 20 customers).")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Empty the business tables first.")] = False,
    yes: Yes = False,
) -> None:
    """Fill the business tables with made-up data of the last 90 days."""
    from callboard.control.actions import demo as actions
    from callboard.control.auth import local_principal

    with context() as system:
        if replace and not yes:
            _ask(actions.customers(system))
        with Progress(console=err, transient=True) as progress:
            task = progress.add_task("Making up data", total=actions.TABLES)

            def told(table: str) -> None:
                progress.update(task, advance=1, description=f"Filled {table}")

            done = actions.seed(
                system,
                local_principal(),
                customers,
                number,
                competitors=competitors,
                replace=replace,
                told=told,
            )
    out.print(f"There are {done.customers:,} customers now, and {done.rows:,} rows in all.")


@demo.command("clear", epilog="Example:  callboard demo clear --yes")
def clear(yes: Yes = False) -> None:
    """Empty the business tables, whatever is in them."""
    from callboard.control.actions import demo as actions
    from callboard.control.auth import local_principal

    with context() as system:
        if not yes:
            _ask(actions.customers(system))
        before = actions.clear(system, local_principal())
    out.print(f"The business tables are empty; there were {before:,} customers.")


def _ask(customers: int) -> None:
    typer.confirm(f"Remove all business data, {customers:,} customers included?", abort=True, err=True)
