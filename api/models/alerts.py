"""Alerts, and silences."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from callboard.api.models.base import Body, Moment, RequestBody, example
from callboard.control.actions.alerts import MAX_NOTE, MAX_SUBJECT
from callboard.control.reads.alerts import Alert
from callboard.control.reads.silences import Silence


class AlertBody(Body):
    """One thing amiss, from when to when."""

    model_config = example(
        {
            "id": 4711,
            "kind": "breaker_open",
            "subject": "whatsapp",
            "severity": "warning",
            "message": "The breaker whatsapp is open: Unreachable: WhatsApp answers 503.",
            "details": {"job": "run-outbound-jobs"},
            "openedAt": "2026-01-24T09:52:10Z",
            "resolvedAt": None,
            "acknowledgedAt": "2026-01-24T09:55:00Z",
            "acknowledgedBy": "otto",
            "ackNote": "Meta says that it will be back at 11.",
            "silencedUntil": None,
            "silenceReason": None,
            "toldAt": "2026-01-24T09:52:16Z",
            "trouble": None,
        }
    )

    id: int
    kind: str
    subject: str
    severity: Annotated[str, Field(description="`warning` or `critical`.")]
    message: str
    details: Annotated[dict[str, Any], Field(description="What more there is to say; it differs by kind.")]
    opened_at: datetime
    resolved_at: Annotated[datetime | None, Field(description="Null: it is open.")]
    acknowledged_at: Annotated[datetime | None, Field(description="Null: nobody has said to see to it.")]
    acknowledged_by: str | None
    ack_note: str | None
    silenced_until: Annotated[datetime | None, Field(description="Until then nobody is told of it.")]
    silence_reason: str | None
    told_at: Annotated[datetime | None, Field(description="When people were first told of it.")]
    trouble: Annotated[str | None, Field(description="Why some could not be told; it is tried again.")]

    @classmethod
    def of(cls, alert: Alert) -> "AlertBody":
        """The body for an alert."""
        return cls(**{name: getattr(alert, name) for name in cls.model_fields})


class AlertPage(Body):
    """A page of alerts, the latest first; `nextCursor` is null on the last one."""

    alerts: list[AlertBody]
    next_cursor: str | None


class AckRequest(RequestBody):
    """A note on who sees to an alert, and how."""

    model_config = example({"note": "Meta says that it will be back at 11."})

    note: Annotated[str, Field(max_length=MAX_NOTE)] = ""


class SilenceBody(Body):
    """A window of time in which nobody is told of some alerts."""

    model_config = example(
        {
            "id": 12,
            "kind": "breaker_open",
            "subject": "whats*",
            "fromAt": "2026-01-24T10:00:00Z",
            "untilAt": "2026-01-24T12:00:00Z",
            "reason": "maintenance",
            "createdBy": "otto",
            "createdAt": "2026-01-24T10:00:00Z",
            "endedBy": None,
        }
    )

    id: int
    kind: Annotated[str | None, Field(description="Null: of every kind.")]
    subject: Annotated[str | None, Field(description="`*` stands for anything; null: whatever it is.")]
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: str
    created_at: datetime
    ended_by: Annotated[str | None, Field(description="Who ended it before its time.")]

    @classmethod
    def of(cls, silence: Silence) -> "SilenceBody":
        """The body for a silence."""
        return cls(**{name: getattr(silence, name) for name in cls.model_fields})


class SilencePage(Body):
    """A page of silences, the latest first; `nextCursor` is null on the last one."""

    silences: list[SilenceBody]
    next_cursor: str | None


class SilenceRequest(RequestBody):
    """Which alerts to keep silent, how long, and why. Without kind and subject: all."""

    model_config = example(
        {
            "kind": "breaker_open",
            "subject": "whats*",
            "untilAt": "2026-01-24T12:00:00Z",
            "reason": "maintenance",
        }
    )

    kind: Annotated[str | None, Field(max_length=MAX_SUBJECT)] = None
    subject: Annotated[str | None, Field(max_length=MAX_SUBJECT)] = None
    from_at: Moment | None = None
    until_at: Moment
    reason: Annotated[str, Field(min_length=1, max_length=MAX_NOTE)]
