"""What the doctor says of the services outside."""

from pathlib import Path

import pytest

from callboard.control.checkup.services import services
from callboard.core.settings import load_settings

CREDENTIALS = {
    "WHATSAPP_TOKEN": "t",
    "CLOUDFLARE_STREAM_API_TOKEN": "t",
    "OPEN_METEO_URL": "https://air-quality-api.open-meteo.com",
    "GAME_PLATFORM_TOKEN": "t",
    "EXTERNAL_TOKEN": "t",
    "SMTP_URL": "smtp://mail.example",
}
SOME = {name: value for name, value in CREDENTIALS.items() if name not in ("WHATSAPP_TOKEN", "SMTP_URL")}


@pytest.mark.parametrize(
    ("given", "status", "detail"),
    [
        (CREDENTIALS, "ok", "all have credentials"),
        (
            SOME | {"CALLBOARD_SANDBOX_URL": "http://127.0.0.1:1"},
            "ok",
            "the sandbox at http://127.0.0.1:1 stands in for whatsapp and mail",
        ),
        (SOME, "warn", "whatsapp and mail have no credentials, and no sandbox runs"),
        (
            {name: value for name, value in CREDENTIALS.items() if name != "SMTP_URL"},
            "warn",
            "mail has no credentials, and no sandbox runs",
        ),
        (SOME | {"CALLBOARD_ACTORS": "shop.jobs"}, "ok", "no job here calls them"),
    ],
    ids=["real", "sandbox", "neither", "one of neither", "not called"],
)
def test_each_is_real_or_played_or_missed(
    tmp_path: Path, given: dict[str, str], status: str, detail: str
) -> None:
    found = services(load_settings({"CALLBOARD_HOME": str(tmp_path), **given}))

    assert (found.name, found.status, found.detail) == ("Services", status, detail)
    assert bool(found.advice) == (status == "warn")
