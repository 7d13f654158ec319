"""Sends messages to places that people look at: mail, chat services, webhooks. By Apprise.

Apprise is loaded where something is sent, and nowhere else. Each place is a server of its own, so that what
one of them refuses the others have got.
"""

import logging
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from callboard.core.errors import BadSettings
from callboard.core.hiding import HIDDEN, hide, hide_secrets
from callboard.core.limits import cut
from callboard.core.places import addresses, place_names
from callboard.core.settings import Settings
from callboard.core.telling import Telling
from callboard.core.wording import one_line

#: The longest cause that is kept, in characters.
MAX_CAUSE = 300
#: Parts of a URL that are shorter are not taken for secrets.
SHORTEST = 6

_TONES = {"critical": "failure", "warning": "warning", "resolved": "success"}


@dataclass(frozen=True, slots=True)
class Place:
    """One place, by a name that may be shown."""

    name: str
    _server: Any = field(repr=False)
    _secrets: tuple[str, ...] = field(repr=False, default=())

    def send(self, telling: Telling) -> str | None:
        """Send a message; returns None, or why it could not be sent, without secrets.

        It may take as long as the place's own limits allow: seconds, with a mail server a minute.
        """
        import apprise

        with apprise.LogCapture(level=logging.WARNING) as heard:  # type: ignore[no-untyped-call]
            try:
                sent = self._server.notify(
                    body=hide(telling.body),
                    title=hide(telling.title),
                    notify_type=_TONES[telling.tone],
                    body_format=apprise.NotifyFormat.TEXT,
                )
            # Whatever a plugin trips over is the place's failure, and must not end the thread.
            except Exception as error:  # noqa: BLE001
                return self._cause(f"{type(error).__name__}: {error}")
            said = heard.getvalue() if heard else ""
        return None if sent else self._cause(said)

    def _cause(self, said: str) -> str:
        lines = [line.split(" - ", 2)[-1] for line in said.splitlines() if line.strip()]
        shown = "; ".join(dict.fromkeys(one_line(line, MAX_CAUSE) for line in lines)) or "it gave no reason"
        for secret in self._secrets:
            shown = shown.replace(secret, HIDDEN)
        return cut(hide(shown), MAX_CAUSE)


def find_places(settings: Settings) -> list[Place]:
    """The places of the setting CALLBOARD_ALERT_URLS, in its order.

    Raises:
        BadSettings: one of them makes no sense to Apprise; the sentence shows no secret.
    """
    secret = settings.callboard_alert_urls
    if secret is None:
        return []
    import apprise

    found = addresses(secret.get_secret_value())
    hide_secrets(found)
    asset = apprise.AppriseAsset(app_id="Callboard", app_desc="Callboard", app_url="", async_mode=False)
    places = []
    for number, (address, name) in enumerate(zip(found, place_names(found), strict=True), 1):
        server = apprise.Apprise(asset=asset)
        with apprise.LogCapture(level=logging.CRITICAL):  # type: ignore[no-untyped-call]
            known = server.add(address)
        if not known:
            raise BadSettings(
                f"The setting CALLBOARD_ALERT_URLS is wrong: Apprise cannot read the URL at place {number}"
                f" ({name}); see `apprise --help` for what it takes."
            )
        places.append(Place(name, server, _secret_parts(address, name)))
    return places


def _secret_parts(address: str, name: str) -> tuple[str, ...]:
    """What of a URL must not be shown: all of it that is neither its name nor short."""
    parts = {part for part in re.split(r"[/:@?&=#,]+", address) if len(part) >= SHORTEST and part not in name}
    return tuple(sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True))
