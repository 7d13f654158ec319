"""Checks a history of slots: what was missed, and what was doubled. After Jepsen's checker for Chronos."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from callboard.core.clock import to_ms
from callboard.core.cron import cron
from helpers.queues import slots_sent
from helpers.schedules import occurrences


def check_slots(
    engine: Engine, broker: Any, schedule_id: int, expr: str, start: datetime, end: datetime
) -> None:
    """Every slot of (start, end] was fired once: one occurrence, one message. Nothing else was sent."""
    due = list(cron(expr).between(start, end))
    found = [moment for moment, *_ in occurrences(engine, schedule_id) if moment <= end]
    missed = sorted(set(due) - set(found))
    assert not missed, f"missed: {missed}"
    assert found == due
    sent = Counter(
        {moment: times for (schedule, moment), times in slots_sent(broker).items() if schedule == schedule_id}
    )
    doubled = {moment: times for moment, times in sent.items() if times > 1}
    assert not doubled, f"doubled: {doubled}"
    unsent = [moment for moment in due if to_ms(moment) not in sent]
    assert not unsent, f"claimed but never sent: {unsent}"


def whole_second(moment: datetime) -> datetime:
    """The second that a moment lies in, from its beginning."""
    return moment.replace(microsecond=0)
