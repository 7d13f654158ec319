"""Acknowledge an alert, keep alerts silent for a while, and try whether people can be told of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from callboard.control.audit import audited
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.control.reads.alerts import Alert
from callboard.control.reads.silences import Silence, as_silence
from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotFound
from callboard.core.limits import storable
from callboard.core.moments import sensible
from callboard.core.settings import Settings
from callboard.core.telling import Telling
from callboard.scheduler.messenger import find_places
from callboard.storage.queries import Row
from callboard.storage.queries import alerts as queries
from callboard.storage.queries import silences as silence_queries

#: The longest note, reason and subject, in characters.
MAX_NOTE: Final = 500
MAX_SUBJECT: Final = 300
#: The longest silence, and the furthest off that one may begin.
LONGEST: Final = timedelta(days=90)
#: The largest id that the tables hold.
MAX_ID: Final = 2**63 - 1

PERMISSION: Final = "alerts:manage"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test message at one place; `error` is None where it was taken."""

    place: str
    error: str | None


def acknowledge(context: Context, principal: Principal, alert_id: int, *, note: str = "") -> Alert:
    """Say that somebody sees to an alert. It stays open, and nobody is reminded of it.

    One that was acknowledged already is the caller's from now on.

    Raises:
        NotAllowed: the role does not include `alerts:manage`.
        NotFound: there is no such alert.
        BadInput: it is over, or the note is too long.
    """
    return _answer(context, principal, "acknowledge_alert", alert_id, note)


def unacknowledge(context: Context, principal: Principal, alert_id: int) -> Alert:
    """Take an acknowledgement back.

    Raises:
        NotAllowed: the role does not include `alerts:manage`.
        NotFound: there is no such alert.
        BadInput: it is over.
    """
    return _answer(context, principal, "unacknowledge_alert", alert_id, None)


def silence(
    context: Context,
    principal: Principal,
    *,
    reason: str,
    until: datetime,
    kind: str | None = None,
    subject: str | None = None,
    start: datetime | None = None,
) -> Silence:
    """Have nobody told of some alerts for a while; without kind and subject, of none at all.

    They are opened and shown nevertheless. What is open when it ends is told then.

    Parameters:
        subject: what the alerts are about; `*` stands for anything.
        start: when it begins; None: now.

    Raises:
        NotAllowed: the role does not include `alerts:manage`.
        BadInput: no reason is given, or the times make no sense.
    """
    what = f"{kind or '*'} {subject or '*'}"
    with audited(context, principal, permission=PERMISSION, action="silence_alerts", target=what) as entry:
        why = storable(reason).strip()
        if not 1 <= len(why) <= MAX_NOTE:
            raise BadInput(f"Give a reason for the silence, of 1 to {MAX_NOTE} characters.")
        made = silence_queries.add(
            entry.connection,
            kind=_word(kind, "kind"),
            subject=_word(subject, "subject"),
            from_at=start,
            until_at=_checked_end(start, until),
            reason=why,
            by=principal.name,
        )
        entry.after = {"id": made["id"], "from": made["from_at"], "until": made["until_at"], "reason": why}
    return as_silence(made)


def end_silence(context: Context, principal: Principal, silence_id: int) -> Silence:
    """End a silence before its time. One that is over is left as it is.

    Raises:
        NotAllowed: the role does not include `alerts:manage`.
        NotFound: there is no such silence.
    """
    target = f"silence {silence_id}"
    with audited(context, principal, permission=PERMISSION, action="end_silence", target=target) as entry:
        before = silence_queries.silence(entry.connection, silence_id) if silence_id <= MAX_ID else None
        if before is None:
            raise NotFound(f"There is no silence {silence_id}.")
        if before["until_at"] <= utcnow():
            return as_silence(before)
        after = silence_queries.end(entry.connection, silence_id, by=principal.name)
        entry.before, entry.after = {"until": before["until_at"]}, {"until": after["until_at"]}
    return as_silence(after)


def send_test(context: Context, principal: Principal) -> tuple[Tried, ...]:
    """Send a test message to every place where people are told of alerts.

    Raises:
        NotAllowed: the role does not include `alerts:manage`.
        BadSettings: a place makes no sense.
        BadInput: no place is named.
    """
    with audited(context, principal, permission=PERMISSION, action="test_alerts", target="alerts"):
        places = find_places(context.settings)
        if not places:
            raise BadInput("Nobody is told of alerts: set CALLBOARD_ALERT_URLS, as in mailto://user:pw@host.")
    body = f"This is a test that {principal.name} asked for. Alerts will come here."
    telling = Telling(f"Callboard ({context.settings.callboard_env}): a test", body, "resolved")
    return tuple(Tried(place.name, place.send(telling)) for place in places)


def check_places(settings: Settings) -> None:
    """Make sure that people can be told of alerts where they are to be.

    Raises:
        BadSettings: a place makes no sense to Apprise.
    """
    find_places(settings)


def _answer(context: Context, principal: Principal, action: str, alert_id: int, note: str | None) -> Alert:
    with context.read() as connection:
        known = queries.subject(connection, alert_id) if alert_id <= MAX_ID else None
    job = None if known is None else Alert(**known).job
    target = f"alert {alert_id}" if known is None else f"{known['kind']} {known['subject']}"
    with audited(context, principal, permission=PERMISSION, action=action, target=target, job=job) as entry:
        connection = entry.connection
        before = _found(queries.alert(connection, alert_id) if known is not None else None, alert_id)
        if before["resolved_at"] is not None:
            raise BadInput(f"The alert {alert_id} is over; there is nothing to see to.")
        if note is None:
            queries.unacknowledge(connection, alert_id)
        else:
            said = storable(note).strip()
            if len(said) > MAX_NOTE:
                raise BadInput(f"The note has {len(said)} characters; {MAX_NOTE} are kept at most.")
            queries.acknowledge(connection, alert_id, by=principal.name, note=said or None)
        after = _found(queries.alert(connection, alert_id), alert_id)
        entry.before = {"by": before["acknowledged_by"], "note": before["ack_note"]}
        entry.after = {"by": after["acknowledged_by"], "note": after["ack_note"]}
    return Alert(**after)


def _found(row: Row | None, alert_id: int) -> Row:
    if row is None:
        raise NotFound(f"There is no alert {alert_id}.")
    return row


def _word(text: str | None, what: str) -> str | None:
    word = storable(text or "").strip()
    if len(word) > MAX_SUBJECT:
        raise BadInput(f"The {what} has {len(word)} characters; {MAX_SUBJECT} are looked at at most.")
    return word if word not in ("", "*") else None


def _checked_end(start: datetime | None, until: datetime) -> datetime:
    now = utcnow()
    begin, end = max(now if start is None else sensible(start), now), sensible(until)
    if end <= begin:
        raise BadInput("The silence would be over before it begins; give a later end.")
    if begin > now + LONGEST or end > begin + LONGEST:
        raise BadInput(f"A silence begins within {LONGEST.days} days and lasts {LONGEST.days} at most.")
    return end
