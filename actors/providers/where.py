"""Where the services outside are, and by what credentials.

Those that the settings name; where they name none, the sandbox of this instance; where there is none, one
sentence about the setting that is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import SecretStr

from callboard.core.errors import BadSettings
from callboard.core.settings import Settings, load_settings
from callboard.core.words import joined

#: What stands for an account in the sandbox.
SANDBOX_ACCOUNT = "100000000000001"
SANDBOX_SENDER = "Callboard <callboard@sandbox.invalid>"


@dataclass(frozen=True, slots=True)
class Place:
    """A service's address, the token that it wants, and whatever it calls an account.

    Of mail, `base_url` is an smtp:// or smtps:// address with user and password in it, and `account` the
    sender.
    """

    base_url: str = field(repr=False)
    token: str = field(repr=False, default="")
    account: str = ""
    sandboxed: bool = False


def whatsapp() -> Place:
    """WhatsApp's Cloud API; the account is the phone number's id. Raises BadSettings."""
    settings = load_settings()
    own = Place(
        settings.whatsapp_url, _plain(settings.whatsapp_token), account=settings.whatsapp_phone_number_id
    )
    needs = {"WHATSAPP_TOKEN": own.token, "WHATSAPP_PHONE_NUMBER_ID": own.account}
    more = {"WHATSAPP_URL": "whatsapp_url" in settings.model_fields_set}
    return _own_or_sandbox(own, settings, "whatsapp/v23.0", needs, more)


def cloudflare() -> Place:
    """Cloudflare's API; the account is the account's id. Raises BadSettings."""
    settings = load_settings()
    own = Place(
        settings.cloudflare_url,
        _plain(settings.cloudflare_stream_api_token),
        account=settings.cloudflare_account_id,
    )
    needs = {"CLOUDFLARE_STREAM_API_TOKEN": own.token, "CLOUDFLARE_ACCOUNT_ID": own.account}
    more = {"CLOUDFLARE_URL": "cloudflare_url" in settings.model_fields_set}
    return _own_or_sandbox(own, settings, "cloudflare/client/v4", needs, more)


def open_meteo() -> Place:
    """Open-Meteo's air quality; the token is the key of a customer who pays, or empty. Raises BadSettings."""
    settings = load_settings()
    # It is free of charge, but nothing goes out unasked: the real one has to be named.
    own = Place(settings.open_meteo_url, _plain(settings.open_meteo_api_key))
    more = {"OPEN_METEO_API_KEY": bool(own.token)}
    return _own_or_sandbox(own, settings, "open-meteo", {"OPEN_METEO_URL": own.base_url}, more)


def game_platform() -> Place:
    """The game platform. Raises BadSettings."""
    settings = load_settings()
    own = Place(settings.game_platform_url, _plain(settings.game_platform_token))
    needs = {"GAME_PLATFORM_TOKEN": own.token, "GAME_PLATFORM_URL": own.base_url}
    return _own_or_sandbox(own, settings, "game", needs)


def external() -> Place:
    """The external service whose records are synchronised. Raises BadSettings."""
    settings = load_settings()
    own = Place(settings.external_url, _plain(settings.external_token))
    needs = {"EXTERNAL_TOKEN": own.token, "EXTERNAL_URL": own.base_url}
    return _own_or_sandbox(own, settings, "external", needs)


def mail() -> Place:
    """The SMTP server and the sender. Raises BadSettings."""
    settings = load_settings()
    needs = {"SMTP_URL": settings.smtp_url, "MAIL_FROM": settings.mail_from}
    if all(needs.values()):
        return Place(settings.smtp_url, account=settings.mail_from)
    if any(needs.values()) or not settings.callboard_sandbox_smtp_url:
        raise _missing(needs)
    return Place(settings.callboard_sandbox_smtp_url, account=SANDBOX_SENDER, sandboxed=True)


def _own_or_sandbox(
    own: Place,
    settings: Settings,
    path: str,
    needs: Mapping[str, str],
    more: Mapping[str, bool] = MappingProxyType({}),
) -> Place:
    """The service's own place if the settings name all that it needs, the sandbox's if they name nothing.

    Whoever names a part of it, be it one of the needs or one of `more`, means the real one.
    """
    if all(needs.values()):
        return own
    if any(needs.values()) or any(more.values()) or not settings.callboard_sandbox_url:
        raise _missing(needs, more)
    return Place(
        f"{settings.callboard_sandbox_url}/{path}",
        settings.callboard_sandbox_token,
        account=SANDBOX_ACCOUNT,
        sandboxed=True,
    )


def _missing(needs: Mapping[str, str], more: Mapping[str, bool] = MappingProxyType({})) -> BadSettings:
    names = joined([name for name, value in needs.items() if not value])
    if given := [name for name, value in (*needs.items(), *more.items()) if value]:
        have = "is" if len(given) == 1 else "are"
        return BadSettings(
            f"This job needs {names}, as {joined(given)} {have} set: set them all for the workers, or none."
        )
    return BadSettings(
        f"This job needs {names}, and no sandbox stands in: set them for the workers, "
        "or let `callboard up` start its sandbox."
    )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
