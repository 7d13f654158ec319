"""Review requests: asked, called to mind, answered, given to a person, or given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from callboard.core.demo.messages import Message, Outbox
from callboard.core.demo.people import Job
from callboard.core.demo.rows import Ground, Rows, daily, every, soon

#: Days after which a request is called to mind, and after which it is given up.
STEPS, LASTS = (3, 7), 30
#: What is said with each rating.
SAID = {1: "Nobody came.", 2: "It took too long.", 3: None, 4: None, 5: "Very friendly, and very quick."}


@dataclass(slots=True)
class Request:
    """A request for a review of a job."""

    id: int
    job: Job
    asked_at: datetime
    message: Message
    status: str = "requested"
    reminders: int = 0
    reminded_at: datetime | None = None
    reviewed_at: datetime | None = None
    rating: int | None = None
    escalated_at: datetime | None = None


def make_requests(ground: Ground, jobs: Sequence[Job], outbox: Outbox) -> list[Request]:
    """The requests, none while another of the same customer is open."""
    chance = ground.chance("review_requests")
    found: list[Request] = []
    busy_until: dict[int, datetime] = {}
    for job in jobs:
        asked, customer = every(job.at + timedelta(days=1), 360), job.customer
        wanted = chance.random() < 0.85 and customer.reachable(asked)
        if not wanted or asked >= ground.now or busy_until.get(customer.id, asked) > asked:
            continue
        number = len(found) + 1
        words = (
            f"Hello {customer.name}, how did you like our work on “{job.title}”? Please answer with 1 to 5."
        )
        request = Request(number, job, asked, _ask(outbox, f"review:{number}", job, words, asked))
        busy_until[customer.id] = _follow(ground, chance, request, outbox)
        found.append(request)
    return found


def _ask(outbox: Outbox, key: str, job: Job, words: str, at: datetime) -> Message:
    name = "review_reminder" if "reminder" in key else "review_request"
    return outbox.template(key, job.customer, words, at, name, job.customer.name, job.title)


def _follow(ground: Ground, chance: Random, request: Request, outbox: Outbox) -> datetime:
    """What becomes of a request. Returns until when it is open."""
    expires = daily(request.asked_at + timedelta(days=LASTS), 9)
    ends = expires
    if request.message.ended_at is not None and request.message.sent and chance.random() < 0.55:
        ends = request.message.ended_at + soon(chance, days=12)
    for number, days in enumerate(STEPS, 1):
        due = daily(request.asked_at + timedelta(days=days), 9)
        customer = request.job.customer
        if due < min(ends, ground.now) and customer.reachable(due) and chance.random() < 0.85:
            words = f"Hello {customer.name}, a number from 1 to 5 would help us. Thank you!"
            _ask(outbox, f"review:{request.id}:reminder:{number}", request.job, words, due)
            request.reminders, request.reminded_at = number, due
    if ends >= ground.now:
        return ends
    if ends == expires:
        request.status = "expired"
        return ends
    request.status, request.reviewed_at = "reviewed", ends
    request.rating = chance.choice((1, 2, 3, 4, 4, 5, 5, 5, 5, 5))
    escalated = daily(ends, 9)
    if request.rating <= 2 and escalated < ground.now:
        request.status, request.escalated_at = "escalated", escalated
    return ends


def request_rows(requests: Sequence[Request]) -> Rows:
    """The table. The messages must have their numbers."""
    rows: list[tuple[Any, ...]] = [
        (
            *(each.id, each.job.id, each.job.customer.id, each.status, each.asked_at, each.reminders),
            *(each.reminded_at, each.reviewed_at, each.rating, SAID[each.rating] if each.rating else None),
            *(each.escalated_at, each.message.id),
        )
        for each in requests
    ]
    columns = (
        *("id", "completed_job_id", "customer_id", "status", "requested_at", "reminders"),
        *("last_reminder_at", "reviewed_at", "rating", "comment", "escalated_at", "outbound_id"),
    )
    return Rows("review_requests", columns, rows)
