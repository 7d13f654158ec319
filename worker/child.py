"""One worker process: the actors, their threads, and an orderly end."""

import importlib
import signal
import sys
from dataclasses import dataclass
from typing import Any

import dramatiq

from callboard.core.errors import BadSettings, CallboardError
from callboard.core.logging import configure_logging, get_logger
from callboard.core.parent import end_with_parent
from callboard.core.settings import Settings
from callboard.core.stopping import StopOrder
from callboard.middleware.default import make_broker
from callboard.worker.memory import freeze_loaded, share_arenas
from callboard.worker.recycling import Recycling, check_room

log = get_logger("callboard.worker")

#: What a process shares with its master: it works; it has had its day and gives way to a fresh one.
WORKS, RECYCLED = 1, 2

#: The exit code of a process that could not begin; starting it again would not help.
CANNOT_BEGIN = 2


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a worker works.

    Attributes:
        threads: messages worked on at a time in each process.
        queues: the queues to serve; None: all that the actors name.
        grace_s: seconds for which running jobs may go on after the order to stop.
        max_jobs: attempts after which a process gives way to a fresh one; None: any number.
        max_memory: bytes of memory above which it does; None: any number.
    """

    threads: int = 8
    queues: tuple[str, ...] | None = None
    grace_s: float = 30.0
    max_jobs: int | None = None
    max_memory: int | None = None


def work(settings: Settings, options: WorkerOptions, master: int, working: Any) -> None:
    """Work until SIGTERM. Exits with `CANNOT_BEGIN` and one sentence where the actors cannot be loaded.

    Parameters:
        master: the process id of the one that started this one; SIGTERM is blocked until it can be heard.
        working: a value shared with the master, to be set to `WORKS` and `RECYCLED`.
    """
    stop = StopOrder()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    end_with_parent(master)
    share_arenas()
    configure_logging("worker", settings)
    try:
        broker = load_actors(settings)
        check_room(options.max_memory)
    except CallboardError as error:
        log.error("The worker cannot begin.", action="worker_refused", reason=str(error))
        sys.exit(CANNOT_BEGIN)
    worker = dramatiq.Worker(
        broker, queues=set(options.queues) if options.queues else None, worker_threads=options.threads
    )
    worker.start()
    working.value = WORKS
    freeze_loaded()
    log.info("Working.", action="worker_started", queues=sorted(broker.queues), threads=options.threads)
    recycling = Recycling(broker, max_jobs=options.max_jobs, max_memory=options.max_memory)
    while not stop.wait(recycling.pause_s):
        reason = recycling.reason()
        if reason is not None:
            working.value = RECYCLED
            log.info("This process gives way to a fresh one.", action="worker_recycled", reason=reason)
            break
    worker.stop(timeout=int(options.grace_s * 1000))
    broker.close()
    log.info("Stopped.", action="worker_stopped")


def load_actors(settings: Settings) -> dramatiq.Broker:
    """Make the broker and import the modules that declare actors on it.

    Raises:
        BadSettings: a module of CALLBOARD_ACTORS cannot be imported, or declares no actor.
    """
    broker = make_broker(settings)
    dramatiq.set_broker(broker)
    broker.emit_after("process_boot")
    for name in settings.actor_modules:
        try:
            importlib.import_module(name)
        except CallboardError:
            raise
        except Exception as error:
            raise BadSettings(
                f"The module {name} of CALLBOARD_ACTORS cannot be imported: {type(error).__name__}: {error}."
            ) from error
    if not broker.actors:
        raise BadSettings(f"The modules of CALLBOARD_ACTORS ({settings.callboard_actors}) declare no actor.")
    return broker
