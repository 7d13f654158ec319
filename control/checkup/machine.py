"""The machine and the servers: what must be well before any part can be."""

import shutil
import sys
import time
from collections.abc import Callable

from callboard.control.checkup.finding import Finding
from callboard.control.context import Context
from callboard.control.reads.readiness import check_schema
from callboard.core.errors import BadSettings, CallboardError
from callboard.core.instance import read_instance
from callboard.core.settings import Settings

#: Bytes of the disk below which it is nearly full, and full.
DISK_LOW, DISK_FULL = 2 * 2**30, 200 * 2**20


def python() -> Finding:
    """Whether this Python is one that Callboard supports."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info >= (3, 15):
        return Finding("Python", "warn", f"Python {version}, which Callboard was not tested with")
    return Finding("Python", "ok", f"Python {version}")


def instance(settings: Settings) -> Finding:
    """Whether there is anything to connect to."""
    running = read_instance(settings.home)
    if running is not None:
        return Finding("Instance", "ok", f"`callboard up` runs in {settings.home} as process {running.pid}")
    if settings.database_url and settings.redis_url:
        return Finding("Instance", "ok", "the servers are named by the environment")
    return Finding(
        "Instance",
        "warn",
        f"nothing runs in {settings.home}",
        "Start `callboard up`, or set DATABASE_URL and REDIS_URL.",
    )


def disk(settings: Settings) -> Finding:
    """Whether there is room for data."""
    folder = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    usage = shutil.disk_usage(folder)
    detail = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} GiB free at {folder}"
    if usage.free < DISK_FULL:
        return Finding("Disk", "fail", detail, "Make room: PostgreSQL stops when the disk is full.")
    if usage.free < DISK_LOW:
        return Finding("Disk", "warn", detail, "Make room soon, or lower CALLBOARD_RETENTION_DAYS.")
    return Finding("Disk", "ok", detail)


def reached(name: str, setting: str, ask: Callable[[], None]) -> Finding:
    """Whether that server answers."""
    begun = time.perf_counter()
    try:
        ask()
    except BadSettings as error:
        said, _, advice = str(error).partition(": ")
        return Finding(name, "fail", said[:1].lower() + said[1:], advice[:1].upper() + advice[1:])
    except CallboardError as error:
        return Finding(name, "fail", str(error).rstrip("."), f"Check {setting}, and that the server runs.")
    return Finding(name, "ok", f"answers in {(time.perf_counter() - begun) * 1000:.0f} ms")


def schema(context: Context) -> Finding:
    """Whether the database's schema is this program's."""
    try:
        check_schema(context)
    except CallboardError as error:
        return Finding("Schema", "fail", str(error).partition(";")[0], "Run `callboard migrate`.")
    return Finding("Schema", "ok", "up to date")
