"""Messages and e-mail: what other makers have sent, and what customers have written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from callboard.core.courtesy import courteous
from callboard.core.demo.people import Customer, Job, Standing
from callboard.core.demo.rows import Ground, Rows, soon, uuid

NOT_THERE = "WhatsApp refused it: (131026) Message undeliverable"
PERHAPS = "WhatsApp may have it or not: the connection broke while it was answering"
UNWANTED = "The customer does not consent to WhatsApp messages (any more)."
WRITTEN = (
    "Hello, when are you open?",
    "How much is a boiler service?",
    "Can I book for Friday?",
    "Thank you!",
)


@dataclass(slots=True)
class Message:
    """A message. It has its number once all are known; `ended_at` is when it went out, or failed."""

    customer: Customer
    kind: str
    payload: dict[str, Any]
    key: str
    created_at: datetime
    run_at: datetime
    status: str = "queued"
    attempts: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None
    marketing: bool = False
    id: int = 0

    @property
    def sent(self) -> bool:
        """Whether it has gone out."""
        return self.status == "done"


@dataclass(slots=True)
class Outbox:
    """All messages."""

    ground: Ground
    messages: list[Message] = field(default_factory=list)
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = self.ground.chance("messages")

    def template(
        self,
        key: str,
        customer: Customer,
        words: str,
        at: datetime,
        name: str,
        *values: str,
        marketing: bool = False,
    ) -> Message:
        """A message that a job had sent at that moment, by a template with these values, and its fate."""
        named = {"name": name, "language": "en", "parameters": list(values)}
        payload = {"text": words, "template": named}
        run_at = courteous(at, customer.zone)
        message = Message(customer, "template", payload, key, at, run_at, marketing=marketing)
        return self._add(message, reachable=customer.reachable(run_at))

    def note(self, number: int, customer: Customer, words: str, at: datetime) -> Message:
        """What somebody of ours writes to a customer who has just written."""
        message = Message(customer, "text", {"text": words}, f"note:{number}", at, at)
        return self._add(message, reachable=customer.reachable(at))

    def answer(self, number: int, customer: Customer, words: str, at: datetime) -> Message:
        """The answer to a message of the customer's."""
        payload = {"inbound": {"text": words}}
        return self._add(Message(customer, "reply", payload, f"inbound:{number}", at, at), reachable=True)

    def _add(self, message: Message, *, reachable: bool) -> Message:
        self.messages.append(message)
        started = message.run_at + soon(self.chance, seconds=29)
        ended = started + soon(self.chance, seconds=2)
        if started >= self.ground.now:
            return message
        message.started_at, message.attempts = started, 1
        if ended >= self.ground.now:
            message.status = "running"
            return message
        fails = not reachable or self.chance.random() < 0.01
        message.error = (NOT_THERE if reachable else UNWANTED) if fails else None
        message.status, message.ended_at = "failed" if fails else "done", ended
        if not fails and len(self.messages) % 400 == 0:
            message.status, message.ended_at, message.error = "uncertain", None, PERHAPS
        return message

    def rows(self) -> Rows:
        """The table, in the order in which the messages were made; from now on they have their numbers."""
        self.messages.sort(key=lambda message: (message.created_at, message.key))
        rows = []
        for number, each in enumerate(self.messages, 1):
            each.id = number
            known_as = f"wamid.{self.chance.getrandbits(96):024X}" if each.sent else None
            rows.append(
                (
                    *(number, each.customer.id, each.customer.phone, each.kind, json.dumps(each.payload)),
                    each.marketing,
                    *(each.status, each.attempts, each.run_at, each.key, uuid(self.chance), known_as),
                    *(each.error, each.created_at, each.started_at, each.ended_at),
                )
            )
        columns = (
            *(
                "id",
                "customerId",
                "to",
                "kind",
                "payload",
                "marketing",
                "status",
                "attempts",
                "runAt",
                "idempotencyKey",
            ),
            *("requestId", "providerMessageId", "error", "createdAt", "startedAt", "completedAt"),
        )
        return Rows("OutboundJob", columns, rows)


def correspondence(ground: Ground, customers: Sequence[Customer], outbox: Outbox) -> None:
    """What customers have written, and their answers: some are about to go out as the data end."""
    chance, writers = ground.chance("correspondence"), [each for each in customers if each.phone]
    number = 0
    for customer in writers:
        if customer.stopped_at is not None:
            number += 1
            outbox.answer(number, customer, "Stop", customer.stopped_at)
    for turn in range(len(writers) // 8 + 1):
        customer = chance.choice(writers)
        at = ground.between(chance, max(customer.joined, ground.start))
        if turn % 20 == 0:
            at = ground.now - timedelta(seconds=1)
        number += 1
        outbox.answer(number, customer, chance.choice(WRITTEN), at)
        later = at + timedelta(minutes=10) + soon(chance, hours=2)
        if turn % 4 == 1 and later < ground.now and customer.reachable(later):
            outbox.note(number, customer, "Your quote is on its way.", later)
    if writers:
        # The run of that moment has begun with one.
        at = ground.now - timedelta(seconds=1)
        begun = outbox.answer(number + 1, writers[0], WRITTEN[0], at)
        begun.status, begun.attempts, begun.started_at = "running", 1, at


def letters(ground: Ground, jobs: Sequence[Job], standing: Standing) -> Rows:
    """E-mail to those who consent to it: a receipt for each job, and on the last evening how many points."""
    chance, rows = ground.chance("letters"), []
    for job in jobs:
        if job.customer.email_at is not None and job.customer.email_at <= job.at:
            words = f"Dear {job.customer.name},\n\n{job.title}: {job.cents / 100:,.2f} EUR. Thank you.\n"
            subject = f"Your receipt for: {job.title}"
            rows.append(_letter(ground, chance, job.customer, subject, words, f"receipt:{job.id}", job.at))
    evening = ground.now - timedelta(seconds=1)
    for customer in {job.customer.id: job.customer for job in jobs}.values():
        if customer.id % 10 == 0 and customer.email_at is not None:
            words = f"Dear {customer.name},\n\nYou have {standing[customer.id][1]} points.\n"
            key = f"points:{ground.today - timedelta(days=1)}:{customer.id}"
            rows.append(_letter(ground, chance, customer, "Your points", words, key, evening))
    rows.sort(key=lambda row: (row[-1], row[7]))
    columns = (
        *("to_address", "subject", "body", "status", "attempts", "run_at", "message_id", "dedupe_key"),
        *("error", "sent_at", "created_at"),
    )
    return Rows("email_queue", columns, rows)


def _letter(
    ground: Ground, chance: Random, customer: Customer, subject: str, words: str, key: str, at: datetime
) -> tuple[Any, ...]:
    status, attempts, error, sent = "pending", 0, None, at + soon(chance, seconds=59)
    if sent < ground.now:
        attempts, status = 1, "sent" if chance.random() < 0.99 else "failed"
        error = "The mail server refused it: 550 No such mailbox" if status == "failed" else None
    identity = f"<{uuid(chance)}@callboard>"
    gone = sent if status == "sent" else None
    return customer.email, subject, words, status, attempts, at, identity, key, error, gone, at
