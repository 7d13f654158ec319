"""WhatsApp's Cloud API: messages to customers.

`POST {base}/{phone number id}/messages`. Meta's API knows no idempotency key: what is sent twice is delivered
twice. So a message that it may have taken is not sent again, unless `WHATSAPP_REPEAT_UNCERTAIN` says so: for
a gateway that hears the header `Idempotency-Key`, as the sandbox does. `biz_opaque_callback_data` carries the
same key into the provider's webhooks, which say what has become of the message.
"""

from collections.abc import Sequence
from typing import Any, Final

from callboard.actors.providers import where
from callboard.actors.providers.errors import Denied, Refused, Unreachable
from callboard.actors.providers.http import Service
from callboard.core.settings import load_settings

#: What Graph calls too many requests: of an application, of an account, of a number.
BUSY: Final = frozenset({"4", "80007", "130429", "131048"})
#: Too many messages to this one recipient.
LATER: Final = frozenset({"131056"})
#: The credentials, the permission or the address are wrong, whatever the message: HTTP statuses, and Graph's
#: codes (permission, token, blocked, locked, denied, not paid, not registered).
DENIED_STATUSES: Final = frozenset({401, 403, 404})
DENIED_CODES: Final = frozenset({"10", "190", "200", "368", "131005", "131031", "131042", "133010"})
#: The most characters of a text message.
MAX_TEXT: Final = 4_096
#: Seconds that a message may take with all its repetitions; after that a later run tries it.
PATIENCE_S = 10.0
#: Messages a second that Meta takes from a number.
PER_SECOND: Final = 80.0


class WhatsApp:
    """Sends messages. Cheap to make for each run, and safe to share between threads."""

    def __init__(self) -> None:
        """Raises BadSettings: the settings name neither credentials nor a sandbox."""
        place = where.whatsapp()
        #: Whether a message may be sent again that may have been taken.
        self.repeatable = place.sandboxed or load_settings().whatsapp_repeat_uncertain
        self._path = f"/{place.account}/messages"
        self._service = Service(
            "WhatsApp",
            place.base_url,
            token=place.token,
            timeout_s=PATIENCE_S,
            patience_s=PATIENCE_S,
            per_second=None if place.sandboxed else PER_SECOND,
            busy_codes=BUSY,
            later_codes=LATER,
        )

    def send_text(self, to: str, text: str, *, key: str) -> str:
        """Send a text to a telephone number that has written within the last 24 hours.

        Returns the provider's id of the message.

        Raises:
            Denied: the credentials, the permission or the address are wrong.
            Refused: this message will never go out.
            Deferred: the recipient has had too many messages for now.
            Overloaded: there were too many requests.
            Unreachable: it did not answer, or failed.
        """
        return self._send(to, "text", {"body": text, "preview_url": False}, key)

    def send_template(
        self, to: str, name: str, parameters: Sequence[str] = (), *, language: str, key: str
    ) -> str:
        """Send a template that WhatsApp has approved, to whomever. Returns and raises as `send_text` does."""
        said: dict[str, Any] = {"name": name, "language": {"code": language}}
        if parameters:
            texts = [{"type": "text", "text": value} for value in parameters]
            said["components"] = [{"type": "body", "parameters": texts}]
        return self._send(to, "template", said, key)

    def _send(self, to: str, kind: str, content: dict[str, Any], key: str) -> str:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": to,
            "type": kind,
            kind: content,
            "biz_opaque_callback_data": key[:512],
        }
        try:
            answer = self._service.post(self._path, body, idempotency_key=key, repeatable=self.repeatable)
        except Refused as error:
            if _is_denied(error):
                raise Denied(
                    str(error), service=error.service, http_status=error.http_status, code=error.code,
                    said=error.said,
                ) from None  # fmt: skip
            raise
        return _message_id(answer)


def _is_denied(error: Refused) -> bool:
    # A telephone number of ours that does not exist has the code of any bad parameter.
    unknown = error.code == "100" and "Object with ID" in error.said
    return error.http_status in DENIED_STATUSES or error.code in DENIED_CODES or unknown


def _message_id(answer: Any) -> str:
    try:
        return str(answer["messages"][0]["id"])
    except (KeyError, IndexError, TypeError):
        raise Unreachable(
            "WhatsApp answered without a message's id.", service="WhatsApp", maybe_done=True
        ) from None
