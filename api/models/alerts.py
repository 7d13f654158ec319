"""Alerts."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from callboard.api.models.base import Body, example
from callboard.control.reads.alerts import Alert


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

    @classmethod
    def of(cls, alert: Alert) -> "AlertBody":
        """The body for an alert."""
        return cls(**{name: getattr(alert, name) for name in cls.model_fields})


class AlertPage(Body):
    """A page of alerts, the latest first; `nextCursor` is null on the last one."""

    alerts: list[AlertBody]
    next_cursor: str | None
