"""Whether a command line is one that `callboard` understands, found out without running it."""

from collections.abc import Sequence

import click
import typer.main


def parses(arguments: Sequence[str]) -> bool:
    """Whether the command, its options and its arguments exist; click.UsageError says why not."""
    from callboard.cli.commands import app

    command: click.Command = typer.main.get_command(app)
    rest = list(arguments)
    context = click.Context(command, info_name="callboard")
    while isinstance(command, click.Group):
        name, *rest = rest
        found = command.get_command(context, name)
        if found is None:
            raise click.UsageError(f"there is no command {name}")
        command = found
        context = click.Context(command, info_name=name, parent=context)
    command.make_context(context.info_name, list(rest), parent=context.parent, resilient_parsing=False)
    return True
