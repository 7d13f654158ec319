"""Making ready what is to be claimed and sent, so that at the instant itself there is only that to do."""

import json
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from dramatiq import Message

from callboard.core.clock import to_ms
from callboard.core.errors import BadSchedule
from callboard.core.ids import slot_run_id
from callboard.middleware.broker import Packed
from callboard.scheduler.misfire import Slot, on_time, settle
from callboard.scheduler.timetable import Entry
from callboard.storage.slots import Proposal

#: The most slots that one claim decides. Schedules beyond it wait for the next claim, which follows at once.
MOST_SLOTS = 5_000

#: Does what can be done of sending messages before they are sent.
Pack = Callable[[Iterable[Message[Any]]], list[Packed]]


class Batch:
    """Schedules whose slots are to be claimed together, with the messages that they lead to."""

    def __init__(self, now: datetime) -> None:
        #: The time that lateness is judged by; of a batch made ahead, the instant of its slots.
        self.now = now
        self.entries: dict[int, Entry] = {}
        self.untils: dict[int, datetime] = {}
        self.proposal = Proposal()
        self.messages: dict[UUID, Message[Any]] = {}
        self._packed: dict[UUID, Packed] = {}

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def full(self) -> bool:
        """Whether no more should be added."""
        return len(self.proposal) >= MOST_SLOTS

    def add(self, entry: Entry, until: datetime, slots: Iterable[Slot]) -> None:
        """Add the slots of a schedule that are to be decided up to a moment."""
        self.entries[entry.id] = entry
        self.untils[entry.id] = until
        self.proposal.add_schedule(entry.id, entry.base, until, entry.row.version)
        for slot in slots:
            if slot.runs:
                run_id = slot_run_id(entry.id, slot.due_at)
                message = slot_message(entry, run_id, slot.due_at, max(self.now, slot.due_at))
                self.messages[run_id] = message
                encoded = json.dumps(message.asdict(), separators=(",", ":"))
                self.proposal.add_slot(entry.id, slot.due_at, slot.disposition, slot.reason, run_id, encoded)
            else:
                self.proposal.add_slot(entry.id, slot.due_at, slot.disposition, slot.reason)

    def seal(self, pack: Pack) -> None:
        """Do now whatever need not be done at the instant."""
        self.proposal.values()
        self._packed = dict(zip(self.messages, pack(self.messages.values()), strict=True))

    def packed(self, run_ids: set[UUID], pack: Pack) -> list[Packed]:
        """The messages of those runs, ready to be sent, in the order of their slots."""
        if not self._packed:
            return pack(message for run_id, message in self.messages.items() if run_id in run_ids)
        return [one for run_id, one in self._packed.items() if run_id in run_ids]


def batch_ahead(entries: Iterable[Entry], instant: datetime) -> Batch:
    """The batch of schedules whose next slot is at an instant still to come."""
    batch = Batch(instant)
    for entry in islice(entries, MOST_SLOTS):
        batch.add(entry, instant, [on_time(instant)])
    return batch


def batch_of_due(entries: Iterable[Entry], now: datetime) -> Batch:
    """The batch of schedules that are due, as many as one claim should decide.

    Those with the newest slots come first: what is on time need not wait for what is late anyway.
    """
    batch = Batch(now)
    for entry in sorted(entries, key=lambda entry: entry.due_at or now, reverse=True):
        if batch.full:
            break
        if entry.periodic is None:
            continue
        try:
            slots = settle(entry.periodic, entry.policy, entry.base, now)
        except (BadSchedule, OverflowError) as error:
            entry.set_aside(str(error))
        else:
            batch.add(entry, now, slots)
    return batch


def slot_message(entry: Entry, run_id: UUID, due_at: datetime, enqueued_at: datetime) -> Message[Any]:
    """The message that a slot leads to. It is the same whoever makes it, but for its timestamp."""
    monitor = {} if entry.monitor is None else {"monitor": entry.monitor}
    return Message(
        queue_name=entry.queue_name,
        actor_name=entry.actor_name,
        args=tuple(entry.row.args),
        kwargs=entry.row.kwargs,
        options={
            "trigger": "schedule",
            "schedule_id": entry.id,
            "due_at": to_ms(due_at),
            "requested_by": "schedule",
            **monitor,
        },
        message_id=str(run_id),
        message_timestamp=to_ms(enqueued_at),
    )
