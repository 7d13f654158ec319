"""Tells people of alerts: once when one opens, once when it is over, and now and then of a critical one.

What is to be told is planned and claimed in the database (`storage.alert_messages`), so that any number of
schedulers tell it once. Sending has a thread of its own, and no transaction is open meanwhile.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Engine

from callboard.core.logging import get_logger
from callboard.core.settings import Settings
from callboard.core.telling import Word, compose
from callboard.scheduler.courier import Courier, Duty
from callboard.scheduler.messenger import Place, find_places
from callboard.scheduler.outage import Outage
from callboard.storage.alert_messages import (
    AlertMessage,
    claim_messages,
    mark_told,
    mark_untold,
    plan_messages,
)

log = get_logger(__name__)

#: Seconds between two looks at what is to be told.
EVERY = 2.0
#: The severities that are told of, by the least of them.
SEVERITIES = {"warning": ("warning", "critical"), "critical": ("critical",)}


class Teller:
    """Tells what is to be told, to each place by itself."""

    def __init__(self, engine: Engine, places: Sequence[Place], settings: Settings) -> None:
        self._engine = engine
        self._places = places
        self._severities = SEVERITIES[settings.callboard_alert_severity]
        self._remind = timedelta(hours=settings.callboard_alert_reminder)
        self._environment = settings.callboard_env

    def tell(self) -> None:
        """Plan what is to be told, and send what is due.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: PostgreSQL does not answer; what was claimed is sent again later.
        """
        names = [place.name for place in self._places]
        with self._engine.begin() as connection:
            plan_messages(connection, names, self._severities, remind=self._remind)
        for place in self._places:
            with self._engine.begin() as connection:
                messages = claim_messages(connection, place.name)
            if messages:
                self._send(place, messages)

    def _send(self, place: Place, messages: Sequence[AlertMessage]) -> None:
        error = place.send(compose([_word(each) for each in messages], environment=self._environment))
        with self._engine.begin() as connection:
            if error is None:
                mark_told(connection, place.name, messages)
            else:
                mark_untold(connection, place.name, messages, error)
        about = {"place": place.name, "alerts": len(messages)}
        if error is None:
            log.info("People were told of alerts.", action="alerts_told", **about)
        else:
            log.warning(
                "People could not be told of alerts; it is tried again.",
                action="alerts_not_told",
                attempt=max(each.attempts for each in messages),
                error=error,
                **about,
            )


def telling_thread(engine: Engine, settings: Settings, database: Outage, redis: Outage) -> Courier | None:
    """The thread that tells people of alerts; None where the settings name nobody, or want none told.

    Raises:
        BadSettings: they name a place that makes no sense.
    """
    places = find_places(settings)
    if not places or not settings.cron_enable_alert_notifications:
        return None
    teller = Teller(engine, places, settings)
    return Courier([Duty("alerts", teller.tell, EVERY)], database, redis, name="callboard-teller")


def _word(message: AlertMessage) -> Word:
    return Word(
        message.what,  # type: ignore[arg-type]
        message.kind,
        message.subject,
        message.severity,
        message.message,
        message.opened_at,
        message.resolved_at,
    )
