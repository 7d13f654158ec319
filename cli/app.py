"""The application that all commands are added to, and the options that several of them share."""

from typing import Annotated, Any

import typer


def flag(*names: str, help: str) -> Any:  # noqa: A002 - typer's own word
    """An option that is there or not."""
    return typer.Option(*names, help=help, metavar="")


#: Print JSON instead of tables.
AsJson = Annotated[bool, flag("--json", help="Print JSON.")]
#: The name of a job, by place.
JobName = Annotated[str, typer.Argument(metavar="JOB", help="The job's name.", show_default=False)]

app = typer.Typer(
    name="callboard",
    help="The control plane for Dramatiq: schedules, runs, health, and a panel to act on them.",
    epilog="Settings come from the environment; `callboard doctor` says what is not well, and what to do.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

jobs = typer.Typer(no_args_is_help=True, help="List jobs, run them, switch them on and off, pause them.")
app.add_typer(jobs, name="jobs", rich_help_panel="Jobs")

runs = typer.Typer(no_args_is_help=True, help="Find runs, look at one, cancel it, have it tried again.")
app.add_typer(runs, name="runs", rich_help_panel="Jobs")

queues = typer.Typer(no_args_is_help=True, help="How much waits, how well they do; pause, drain, resume.")
app.add_typer(queues, name="queues", rich_help_panel="Jobs")

workers = typer.Typer(no_args_is_help=True, help="The fleet: its processes, their threads and memory.")
app.add_typer(workers, name="workers", rich_help_panel="Jobs")

breakers = typer.Typer(no_args_is_help=True, help="Circuit breakers: how they stand, and closing one.")
app.add_typer(breakers, name="breakers", rich_help_panel="Jobs")

limits = typer.Typer(no_args_is_help=True, help="Limits: who holds them and who waits; a minute begun anew.")
app.add_typer(limits, name="limits", rich_help_panel="Jobs")

alerts = typer.Typer(
    no_args_is_help=True, help="Alerts: what is amiss; acknowledge and silence them; who is told."
)
app.add_typer(alerts, name="alerts", rich_help_panel="Jobs")

dead = typer.Typer(no_args_is_help=True, help="Dead letters: list them, requeue them, drop them.")
app.add_typer(dead, name="dead", rich_help_panel="Jobs")

schedules = typer.Typer(
    no_args_is_help=True, help="Schedules: list, explain, preview, add and change them; apply templates."
)
app.add_typer(schedules, name="schedules", rich_help_panel="Jobs")

demo = typer.Typer(no_args_is_help=True, help="Made-up data for the jobs to work on: fill it in, remove it.")
app.add_typer(demo, name="demo", rich_help_panel="Care")

users = typer.Typer(no_args_is_help=True, help="Who may sign in to the panel, and as what.")
app.add_typer(users, name="users", rich_help_panel="People")

tokens = typer.Typer(no_args_is_help=True, help="The tokens that programs call the API with.")
app.add_typer(tokens, name="tokens", rich_help_panel="People")


@app.callback(invoke_without_command=True)
def callboard(
    version: Annotated[bool, flag("--version", "-V", help="Show the version and exit.")] = False,
) -> None:
    """Print the version where that is asked for."""
    if version:
        from callboard import __version__

        typer.echo(f"callboard {__version__}")
        raise typer.Exit
