"""`callboard doctor`."""

from typing import Annotated

import typer
from rich.text import Text

from callboard.cli.app import AsJson, app
from callboard.cli.console import out, print_json
from callboard.core.settings import load_settings

_SIGNS = {"ok": ("✓", "good"), "warn": ("!", "warn"), "fail": ("✗", "bad"), "unknown": ("?", "warn")}


@app.command(
    rich_help_panel="Care", epilog="Example:  CRON_SECRET=... callboard doctor --url https://jobs.example.org"
)
def doctor(
    url: Annotated[
        str | None,
        typer.Option(
            help="Check the installation at that address, as its callers see it, by CRON_SECRET and"
            " JOB_RUNNER_TOKEN, or CALLBOARD_API_TOKEN. Runs the outbound runner.",
            metavar="URL",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation: servers, schema, workers, scheduler, recorder, disk. Say what to do.

    The exit code is 1 where something is wrong, 2 where nothing is but something could not be checked.
    """
    from callboard.control.checkup import examine, examine_url

    settings = load_settings()
    findings = []
    for finding in examine(settings) if url is None else examine_url(settings, url):
        findings.append(finding)
        if not as_json:
            sign, style = _SIGNS[finding.status]
            out.print(Text.assemble((f"{sign} ", style), (f"{finding.name:<11}", "name"), finding.detail))
            if finding.advice:
                out.print(Text.assemble(" " * 13, ("→ ", "quiet"), finding.advice))
    failed = sum(finding.status == "fail" for finding in findings)
    unknown = sum(finding.status == "unknown" for finding in findings)
    if as_json:
        print_json(findings)
    elif failed:
        out.print(Text(f"\n{failed} of {len(findings)} checks failed.", style="bad"))
    elif unknown:
        said = f"{unknown} of {len(findings)} checks could not be made, for want of a token; see above."
        out.print(Text(f"\n{said}", style="warn"))
    elif any(finding.status == "warn" for finding in findings):
        out.print(Text("\nNothing is broken; see the remarks above.", style="warn"))
    else:
        out.print(Text("\nAll is well.", style="good"))
    if failed or unknown:
        raise typer.Exit(1 if failed else 2)
