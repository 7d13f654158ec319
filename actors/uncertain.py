"""The alert of messages that may have gone out or not: somebody has to say what is to become of them."""

from typing import Final

from sqlalchemy import Connection

from callboard.actors.alerting import alert, all_clear
from callboard.core.display import many
from callboard.storage.business import outbound

KIND: Final = "uncertain_messages"
SUBJECT: Final = "WhatsApp"


def tell_uncertain(connection: Connection) -> None:
    """Open it, or bring it up to date."""
    count = outbound.count_uncertain(connection)
    text = (
        f"{many(count, 'message')} may have gone out or not, and no run sends them again; the rows of"
        " OutboundJob with the status uncertain say why."
    )
    alert(connection, KIND, SUBJECT, text, messages=count)


def clear_uncertain(connection: Connection) -> None:
    """Close it once all have been seen to."""
    if not outbound.count_uncertain(connection):
        all_clear(connection, KIND, SUBJECT)
