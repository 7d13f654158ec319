"""Streaming videos: which are ready by now."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import dramatiq
import structlog
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.database import engine
from callboard.actors.items import Batch, Item, MostFailed, Work
from callboard.actors.providers.cloudflare_stream import CloudflareStream, Video
from callboard.actors.providers.errors import Refused
from callboard.storage.business import streaming

NAME = "process-streaming-video-queue"
#: Videos that are asked for at the same time.
AT_ONCE = 8
#: Answers about the credentials or the account, not about a video.
NO_ENTRY = (400, 401, 403, 404)
#: The most that a run looks at, and the seconds after which it begins no batch.
MOST = 10_000
WORK_S = 90.0

log = structlog.get_logger(__name__).bind(task="processStreamingVideoQueue")


@dataclass(frozen=True, slots=True)
class Looked:
    """A video with what Cloudflare says of it; `error` is why it says nothing."""

    id: int
    external_id: str
    video: Video
    error: str = ""


@dramatiq.actor(
    actor_name=NAME,
    description="Ask Cloudflare Stream which queued videos are ready",
    category="streaming",
    periodic=cron("*/5 * * * *"),
    time_limit=120_000,
    max_retries=2,
    backoff="linear",
    mutex=True,
    breaker="cloudflare",
    throws=(MostFailed,),
)
def process_streaming_video_queue(batch_size: int = 50, dry_run: bool = False) -> dict[str, Any]:
    """Mark queued videos as ready, with their duration, or as failed, as Cloudflare Stream says.

    A video that Cloudflare does not have has failed; what is still being worked on stays queued. Those that
    were not looked at for longest come first: where there are more than a run gets to in a minute and a half,
    the next run goes on.
    """
    cloudflare = CloudflareStream()
    work = Work(NAME, batch_size=batch_size, dry_run=dry_run, counts=("ready", "error", "queued"))

    def look(row: Any) -> Looked:
        try:
            return Looked(row.id, row.external_id, cloudflare.video(row.external_id))
        except Refused as refusal:
            if refusal.http_status in NO_ENTRY:
                raise
            return Looked(row.id, row.external_id, Video(row.external_id, "queued"), str(refusal))
        except ValueError as error:
            return Looked(row.id, row.external_id, Video(row.external_id, "queued"), str(error))

    def batches() -> Iterator[Batch]:
        until = time.monotonic() + WORK_S
        with engine().connect() as connection:
            rows = streaming.fetch_queued(connection, MOST)
        for start in range(0, len(rows), batch_size):
            if time.monotonic() >= until:
                return
            batch = rows[start : start + batch_size]
            with ThreadPoolExecutor(AT_ONCE) as pool:
                looked = list(pool.map(look, batch))
            yield Batch(looked, partial(streaming.mark_checked, ids=[row.id for row in batch]))

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        streaming.note_states(connection, [_row(item) for item in items])
        states = [item.video.state for item in items]
        for item in items:
            own = log.bind(video_id=item.id, external_id=item.external_id)
            if item.video.state == "ready":
                own.info("Video marked as ready", duration=item.video.duration)
            elif item.video.state == "error":
                own.warning("Video marked as error", reason=item.video.error)
        return {state: states.count(state) for state in ("ready", "error", "queued")}

    work.through_batches("videos", batches(), handle, count=streaming.count_queued, what="videos looked at")
    return work.outcome()


def _row(item: Looked) -> dict[str, Any]:
    return {
        "id": item.id,
        "status": item.video.state,
        "duration": item.video.duration,
        "error": item.video.error,
    }
