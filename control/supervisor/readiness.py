"""Whether a part does its work, asked from outside."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, cast

import psutil

from callboard.control.addresses import url
from callboard.control.context import Context, reaching_redis
from callboard.control.supervisor.part import Part
from callboard.core.errors import Unavailable
from callboard.scheduler.presence import list_schedulers
from callboard.storage.vitals import recorder_silence

#: Seconds that one question may take.
PATIENCE_S = 2.0


class Readiness:
    """Asks the parts of one instance. Every question answers False where something is not up yet."""

    def __init__(self, context: Context) -> None:
        self._context, settings = context, context.settings
        self._ask: dict[str, Callable[[Part], bool]] = {
            "worker": self._worker,
            "scheduler": self._scheduler,
            "recorder": self._recorder,
            "api": lambda _: _answers(url(settings.callboard_host, settings.callboard_api_port), "/healthz"),
            "panel": lambda _: _answers(url(settings.callboard_host, settings.callboard_panel_port), "/"),
            "sandbox": lambda _: _answers(settings.callboard_sandbox_url, "/_counts"),
        }

    def of(self, part: Part) -> bool:
        """Whether that part's present process is ready."""
        try:
            return not part.ended and self._ask[part.name](part)
        except (Unavailable, OSError):
            return False

    def all_recorded(self) -> bool:
        """Whether nothing that workers reported is left to record."""
        try:
            with reaching_redis():
                return not self._context.redis.xlen(self._context.keys.events)
        except Unavailable:
            return True

    def _worker(self, part: Part) -> bool:
        with reaching_redis():
            described = cast("dict[bytes, bytes]", self._context.redis.hgetall(self._context.keys.workers))
        return bool(_family(part) & {_pid(each) for each in described.values()})

    def _scheduler(self, part: Part) -> bool:
        with reaching_redis():
            found = list_schedulers(self._context.redis, self._context.keys)
        return any(each.get("pid") == part.pid and each["alive"] for each in found)

    def _recorder(self, part: Part) -> bool:
        with self._context.read() as connection:
            silence = recorder_silence(connection, self._context.keys.events)
        return silence is not None and silence < part.age_s


def _answers(address: str, path: str) -> bool:
    request = urllib.request.Request(address + path)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500


def _family(part: Part) -> set[int]:
    try:
        parent = psutil.Process(part.pid)
        return {parent.pid, *(child.pid for child in parent.children(recursive=True))}
    except psutil.NoSuchProcess:
        return set()


def _pid(described: bytes) -> int | None:
    try:
        facts: dict[str, Any] = json.loads(described)
        return int(facts["pid"])
    except (ValueError, KeyError, TypeError):
        return None
