"""Where services are: the settings' place, the sandbox's, or a sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from callboard.actors.providers import where
from callboard.actors.providers.where import Place
from callboard.core.errors import BadSettings
from callboard.core.settings import Settings

SANDBOX = {
    "CALLBOARD_SANDBOX_URL": "http://127.0.0.1:1",
    "CALLBOARD_SANDBOX_SMTP_URL": "smtp://127.0.0.1:2",
}
OWN = {
    "WHATSAPP_TOKEN": "t",
    "WHATSAPP_PHONE_NUMBER_ID": "42",
    "CLOUDFLARE_STREAM_API_TOKEN": "t",
    "CLOUDFLARE_ACCOUNT_ID": "42",
    "OPEN_METEO_URL": "https://air-quality-api.open-meteo.com/",
    "GAME_PLATFORM_URL": "https://game.example",
    "GAME_PLATFORM_TOKEN": "t",
    "EXTERNAL_URL": "https://external.example",
    "EXTERNAL_TOKEN": "t",
    "SMTP_URL": "smtps://u:p@mail.example",
    "MAIL_FROM": "us@example.org",
}
PARTS = OWN | {
    "WHATSAPP_URL": "https://gateway.example",
    "CLOUDFLARE_URL": "https://gateway.example",
    "OPEN_METEO_API_KEY": "k",
}
EVERY = [
    where.whatsapp,
    where.cloudflare,
    where.open_meteo,
    where.game_platform,
    where.external,
    where.mail,
]
every = pytest.mark.parametrize("place", EVERY, ids=lambda place: place.__name__)


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[dict[str, str]], None]:
    """Nothing set but what the test sets."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path))

    def set_all(values: dict[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


@every
def test_what_has_credentials_is_the_real_one_even_beside_a_sandbox(
    environ: Callable[[dict[str, str]], None], place: Callable[[], Place]
) -> None:
    environ(OWN | SANDBOX)

    assert not place().sandboxed
    assert "127.0.0.1" not in place().base_url


@every
def test_what_has_none_is_the_sandbox(
    environ: Callable[[dict[str, str]], None], place: Callable[[], Place]
) -> None:
    environ(SANDBOX)

    assert place().sandboxed
    assert "127.0.0.1" in place().base_url


@every
def test_where_there_is_no_sandbox_either_the_missing_settings_are_named(place: Callable[[], Place]) -> None:
    with pytest.raises(BadSettings, match=r"^This job needs [A-Z_]+( and [A-Z_]+)?, and no sandbox"):
        place()


@every
def test_a_sandbox_that_is_switched_off_stands_in_for_nothing(
    environ: Callable[[dict[str, str]], None], place: Callable[[], Place]
) -> None:
    environ(SANDBOX | {"CALLBOARD_SANDBOX": "off"})

    with pytest.raises(BadSettings):
        place()


@pytest.mark.parametrize(
    ("given", "place", "missing"),
    [
        ("WHATSAPP_TOKEN", where.whatsapp, "WHATSAPP_PHONE_NUMBER_ID"),
        ("WHATSAPP_PHONE_NUMBER_ID", where.whatsapp, "WHATSAPP_TOKEN"),
        ("WHATSAPP_URL", where.whatsapp, "WHATSAPP_TOKEN and WHATSAPP_PHONE_NUMBER_ID"),
        ("CLOUDFLARE_STREAM_API_TOKEN", where.cloudflare, "CLOUDFLARE_ACCOUNT_ID"),
        ("CLOUDFLARE_ACCOUNT_ID", where.cloudflare, "CLOUDFLARE_STREAM_API_TOKEN"),
        ("CLOUDFLARE_URL", where.cloudflare, "CLOUDFLARE_STREAM_API_TOKEN and CLOUDFLARE_ACCOUNT_ID"),
        ("OPEN_METEO_API_KEY", where.open_meteo, "OPEN_METEO_URL"),
        ("GAME_PLATFORM_TOKEN", where.game_platform, "GAME_PLATFORM_URL"),
        ("GAME_PLATFORM_URL", where.game_platform, "GAME_PLATFORM_TOKEN"),
        ("EXTERNAL_TOKEN", where.external, "EXTERNAL_URL"),
        ("EXTERNAL_URL", where.external, "EXTERNAL_TOKEN"),
        ("SMTP_URL", where.mail, "MAIL_FROM"),
        ("MAIL_FROM", where.mail, "SMTP_URL"),
    ],
)
def test_a_part_of_the_credentials_is_a_mistake_and_not_the_sandbox(
    environ: Callable[[dict[str, str]], None], given: str, place: Callable[[], Place], missing: str
) -> None:
    environ(SANDBOX | {given: PARTS[given]})

    with pytest.raises(BadSettings, match=rf"^This job needs {missing}, as {given} is set: "):
        place()


def test_tokens_and_passwords_do_not_show(environ: Callable[[dict[str, str]], None]) -> None:
    environ(OWN | {"WHATSAPP_TOKEN": "hunter2", "SMTP_URL": "smtp://u:hunter2@mail.example"})

    assert "hunter2" not in f"{where.whatsapp()!r} {where.mail()!r}"
