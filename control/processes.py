"""Runs one part of Callboard in this process: what `callboard worker` and its like come down to.

`python -m callboard.control.processes worker --processes 2` does it without the weight of the command line's
libraries, and ends with one sentence and an exit code; a defect is logged. Each part is imported only by
the process that runs it. The faces are named, not imported: they stand above this layer.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

from callboard.control.addresses import check_free, check_sandbox
from callboard.core.errors import BUG, BadSettings, CallboardError
from callboard.core.keys import Keys
from callboard.core.logging import configure_logging, get_logger
from callboard.core.parent import end_with_parent
from callboard.core.settings import Settings, load_settings

#: Names the process that supervises this one, by its id.
SUPERVISOR = "CALLBOARD_SUPERVISOR"
#: Names the descriptor of the home's lock, which a part holds too for as long as it lives.
LOCK_FD = "CALLBOARD_LOCK_FD"


def run_worker(
    settings: Settings,
    *,
    processes: int = 1,
    threads: int = 8,
    queues: list[str] | None = None,
    grace_s: float = 30.0,
    max_jobs: int | None = None,
    max_memory: int | None = None,
) -> int:
    """Work on queues until told to end; return the exit code."""
    from callboard.worker.process import run

    require(settings, redis=True)
    return run(
        settings,
        processes=processes,
        threads=threads,
        queues=queues,
        grace_s=grace_s,
        max_jobs=max_jobs,
        max_memory=max_memory,
    )


def run_scheduler(settings: Settings) -> int:
    """Fire what is due until told to end; return the exit code."""
    from callboard.control.context import Context
    from callboard.control.watching import watch_duties
    from callboard.scheduler.process import run

    require(settings, database=True, redis=True)
    with Context(settings, application_name="callboard-scheduler watch") as context:
        run(settings, watch_duties(context))
    return 0


def run_recorder(settings: Settings) -> int:
    """Write what workers report into the database until told to end; return the exit code."""
    from callboard.storage.recorder import run

    require(settings, database=True, redis=True)
    run(settings)
    return 0


def run_api(settings: Settings) -> int:
    """Serve the REST API until told to end; return the exit code."""
    require(settings, database=True, redis=True)
    check_free(settings.callboard_host, settings.callboard_api_port, "API", "CALLBOARD_API_PORT")
    with present("api", settings):
        import_module("callboard.api.serve").run(settings)
    return 0


def run_panel(settings: Settings) -> int:
    """Serve the panel until told to end; return the exit code."""
    require(settings, database=True, redis=True)
    check_free(settings.callboard_host, settings.callboard_panel_port, "panel", "CALLBOARD_PANEL_PORT")
    with present("panel", settings):
        import_module("callboard.panel.serve").run(settings)
    return 0


def run_sandbox(settings: Settings, *, port: int | None = None, smtp_port: int | None = None) -> int:
    """Play the services outside, on these ports or the settings', until told to end; return the exit code."""
    from callboard.sandbox.serve import run

    asked = {"callboard_sandbox_port": port, "callboard_sandbox_smtp_port": smtp_port}
    settings = settings.model_copy(update={name: value for name, value in asked.items() if value is not None})
    check_sandbox(settings)
    run(settings)
    return 0


@contextmanager
def present(part: str, settings: Settings) -> Iterator[None]:
    """Give signs of life of this process, as that part, until the block ends."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    from callboard.storage.presence import Beacon, Presence

    key = Keys(settings.callboard_namespace).processes
    # Nobody is to wait for a Redis that is away when this process ends.
    client = Redis.from_url(
        settings.redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=2, socket_connect_timeout=2
    )
    with client, Beacon(Presence(client, key, lambda: {"part": part})):
        yield


def require(settings: Settings, *, database: bool = False, redis: bool = False) -> None:
    """Refuse to begin where a server that is needed is not named."""
    if database and not settings.database_url:
        raise BadSettings("No database is named: set DATABASE_URL, or start `callboard up` in this home.")
    if redis and not settings.redis_url:
        raise BadSettings("No Redis is named: set REDIS_URL, or start `callboard up` in this home.")


def explain(error: BaseException) -> str | None:
    """One sentence for an error that a user can understand; None for one that nobody foresaw."""
    if isinstance(error, CallboardError):
        return str(error)
    library = type(error).__module__.partition(".")[0]
    server = {"redis": "Redis", "sqlalchemy": "PostgreSQL", "psycopg": "PostgreSQL"}.get(library)
    if server is None:
        return None
    said = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return f"{server} cannot be used: {said[0].strip().rstrip('.')}."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the part that the arguments name; return the exit code."""
    arguments = vars(_parser().parse_args(argv))
    part = arguments.pop("part")
    try:
        _end_with_supervisor()
        # For the time until the part has a handler of its own.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        settings = load_settings()
        configure_logging(part, settings)
        return PARTS[part](settings, **arguments)
    except KeyboardInterrupt:
        return 0
    except Exception as error:  # noqa: BLE001 - the last resort
        sentence = explain(error)
        if sentence is None:
            text = f"The {part} has a defect: {type(error).__name__}: {error}"
            get_logger("callboard").critical(text, action="part_failed", exc_info=True)
            return BUG
        sys.stderr.write(f"{sentence}\n")
        return error.exit_code if isinstance(error, CallboardError) else 1


#: What can be run, by name.
PARTS: dict[str, Callable[..., int]] = {
    "worker": run_worker,
    "scheduler": run_scheduler,
    "recorder": run_recorder,
    "api": run_api,
    "panel": run_panel,
    "sandbox": run_sandbox,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="callboard", allow_abbrev=False)
    parts = parser.add_subparsers(dest="part", required=True)
    for name in PARTS:
        part = parts.add_parser(name)
        if name == "worker":
            part.add_argument("--processes", type=int, default=1)
            part.add_argument("--threads", type=int, default=8)
            part.add_argument("--queues", type=lambda text: text.split(","), default=None)
            part.add_argument("--grace", dest="grace_s", type=float, default=30.0)
            part.add_argument("--max-jobs", type=int, default=None)
            part.add_argument("--max-memory", type=int, default=None)
        elif name == "sandbox":
            part.add_argument("--port", type=int, default=None)
            part.add_argument("--smtp-port", type=int, default=None)
    return parser


def _end_with_supervisor() -> None:
    """End in order when the supervisor dies, even by SIGKILL."""
    supervisor = os.environ.get(SUPERVISOR)
    if not supervisor:
        return
    # Processes that a job starts and leaves behind must not hold the lock for ever.
    os.set_inheritable(int(os.environ[LOCK_FD]), False)
    end_with_parent(int(supervisor))


if __name__ == "__main__":
    sys.exit(main())
