"""The customers' portal: logins, what was done there, and the figures of its days."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from callboard.core.demo.people import Customer
from callboard.core.demo.rows import Ground, Rows, daily, end_of, soon, uuid

KINDS = ("view", "view", "view", "download", "booking", "payment")
#: How long a login lasts; the job that marks those that have expired runs at half past every hour.
LASTS = timedelta(days=14)


def portal_rows(ground: Ground, customers: Sequence[Customer]) -> list[Rows]:
    """The tables. Sessions that expired in the last half hour are not marked yet."""
    chance = ground.chance("portal")
    sessions: list[tuple[Any, ...]] = []
    events: list[tuple[Any, ...]] = []
    for turn in range(len(customers)):
        key, customer = uuid(chance), chance.choice(customers)
        at = ground.at_work(chance, max(customer.joined, ground.start), customer.zone)
        expiring = ground.now - LASTS - timedelta(minutes=1) - soon(chance, minutes=28)
        if turn % 25 == 0 and customer.joined < expiring:
            at = expiring
        expires = at + LASTS
        marked = (expires + timedelta(minutes=30)).replace(minute=30, second=0)
        sessions.append((key, customer.id, at, expires, marked if marked < ground.now else None))
        events.append((customer.id, key, "login", "/login", at))
        for number in range(1, chance.randint(2, 6)):
            kind, moment = chance.choice(KINDS), at + timedelta(seconds=30 * number)
            if moment < ground.now:
                events.append((customer.id, key, kind, f"/{kind}s", moment))
    events.sort(key=lambda row: (row[-1], row[0]))
    return [
        Rows("sessions", ("id", "customer_id", "created_at", "expires_at", "deleted_at"), sessions),
        Rows("portal_events", ("customer_id", "session_id", "kind", "path", "at"), events),
        _figures(ground, events),
    ]


def _figures(ground: Ground, events: Sequence[tuple[Any, ...]]) -> Rows:
    """Figures by day and kind, of all days but the last, which is added up in the coming night."""
    counted: defaultdict[tuple[date, str], list[tuple[int, Any]]] = defaultdict(list)
    until: datetime = ground.now - timedelta(days=1)
    for customer, session, kind, _path, at in events:
        if at < until:
            for each in (kind, "all"):
                counted[at.date(), each].append((customer, session))
    rows = [
        (
            *(day, kind, len(done), len({customer for customer, _ in done})),
            *(len({session for _, session in done}), daily(end_of(day), 1)),
        )
        for (day, kind), done in sorted(counted.items())
    ]
    columns = ("day", "kind", "events", "customers", "sessions", "computed_at")
    return Rows("portal_daily", columns, rows)
