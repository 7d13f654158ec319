"""The command `callboard`. Whatever goes wrong ends with one sentence on standard error and an exit code."""

import os
import sys
from collections.abc import Sequence

from callboard.cli.interrupt import listening
from callboard.core.errors import BUG

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    try:
        with listening():
            # All that takes time, imports included, happens where Ctrl-C is heard.
            return _run(argv)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    import typer

    from callboard.cli import commands

    # Typer may carry a click of its own, whose base class of errors it does not export.
    misuse: type[BaseException] = typer.BadParameter.__mro__[2]
    try:
        code = commands.app(args=argv, prog_name="callboard", standalone_mode=False)
        sys.stdout.flush()
    except typer.Abort:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read along has gone. The interpreter's last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as error:
        # A library has ended the program by itself, such as where a pipe was closed.
        return error.code if isinstance(error.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the last resort
        return _misused(error) if isinstance(error, misuse) else _failed(error)
    return code if isinstance(code, int) else 0


def _misused(error: Exception) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        return 0  # it has shown the help
    message = str(getattr(error, "format_message", error.__str__)()).strip().rstrip(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "callboard"
    _say(f"{message[:1].upper()}{message[1:]}; see `{command} --help`.")
    return int(getattr(error, "exit_code", 2))


def _failed(error: Exception) -> int:
    from callboard.control.processes import explain
    from callboard.core.errors import CallboardError

    sentence = explain(error)
    level = os.environ.get("CALLBOARD_LOG_LEVEL") or os.environ.get("LOG_LEVEL", "")
    if level.upper() == "DEBUG":
        import traceback

        traceback.print_exception(error)
    if sentence is None:
        what = f"{type(error).__name__}: {error}"
        _say(f"Callboard has a defect: {what} (with CALLBOARD_LOG_LEVEL=DEBUG it shows where).")
        return BUG
    _say(sentence)
    return error.exit_code if isinstance(error, CallboardError) else 1


def _say(sentence: str) -> None:
    from callboard.core.display import printable

    sys.stderr.write(f"{printable(' '.join(sentence.split()))}\n")


if __name__ == "__main__":
    sys.exit(main())
