"""Cloudflare Stream: how far a video has come."""

from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from callboard.actors.providers import where
from callboard.actors.providers.http import Refused, Service

#: Cloudflare allows 1,200 calls in five minutes.
PER_SECOND = 4.0
#: Codes of a 404 that is about the address, and no video.
NO_ROUTE = ("7000", "7003")


@dataclass(frozen=True, slots=True)
class Video:
    """A video: `queued` covers all that comes before it can be watched; the duration is in seconds."""

    uid: str
    state: Literal["queued", "ready", "error"]
    duration: float | None = None
    error: str | None = None


class CloudflareStream:
    """A client of one account."""

    def __init__(self) -> None:
        place = where.cloudflare()
        self._account = place.account
        # The sandbox counts by itself, and a newcomer should not have to wait.
        pace = None if place.sandboxed else PER_SECOND
        self._service = Service(
            "Cloudflare Stream", place.base_url, token=place.token, per_second=pace, patience_s=20.0
        )

    def video(self, uid: str) -> Video:
        """What the video has come to; one that Cloudflare does not have is an `error`.

        Raises:
            Refused: the token (401, 403) or the account (404) is wrong.
            Overloaded, Unreachable: Cloudflare does not answer.
            ValueError: its answer makes no sense.
        """
        try:
            answer = self._service.get(f"accounts/{quote(self._account)}/stream/{quote(uid, safe='')}")
        except Refused as refusal:
            if refusal.http_status != 404 or refusal.code in NO_ROUTE:
                raise
            return Video(uid, "error", error=str(refusal))
        return _video(uid, answer)


def _video(uid: str, answer: Any) -> Video:
    try:
        if not answer["success"]:
            raise ValueError("; ".join(str(each.get("message")) for each in answer["errors"]) or "no success")
        result = answer["result"]
        status = result["status"]
        state, duration = status["state"], result.get("duration")
        if state == "ready":
            # It is -1 where Cloudflare does not know.
            return Video(uid, "ready", float(duration) if duration is not None and duration >= 0 else None)
        if state == "error":
            reason = status.get("errorReasonText") or status.get("errorReasonCode") or "no reason was given"
            return Video(uid, "error", error=str(reason))
        return Video(uid, "queued")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"Cloudflare's answer for the video {uid} makes no sense: {error!r}.") from error
