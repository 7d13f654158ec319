"""Settings from the environment: what they default to, what overrides what, and what is refused."""

import fcntl
import os
from pathlib import Path

import pytest

from callboard.core.errors import BadSettings
from callboard.core.instance import LOCK, Instance, write_instance
from callboard.core.settings import SECRETS, Settings, load_settings

NOWHERE = {"CALLBOARD_HOME": "/nonexistent/home"}


def refusal(environ: dict[str, str]) -> str:
    with pytest.raises(BadSettings) as caught:
        load_settings({**NOWHERE, **environ})
    return str(caught.value)


def test_an_empty_environment_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    settings = load_settings({})

    assert settings.home == tmp_path / ".callboard"
    assert settings.database_url == settings.redis_url == ""
    assert settings.callboard_host == "127.0.0.1"
    assert (settings.callboard_api_port, settings.callboard_panel_port) == (8000, 8501)
    assert settings.actor_modules == ["callboard.actors", "callboard.actors.business"]
    assert settings.callboard_api_token is None


def test_without_an_argument_the_process_own_environment_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLBOARD_HOME", str(tmp_path))
    monkeypatch.setenv("CALLBOARD_API_PORT", "9000")

    assert load_settings().callboard_api_port == 9000


def test_an_empty_variable_is_as_good_as_none() -> None:
    settings = load_settings({**NOWHERE, "CALLBOARD_API_PORT": "", "DATABASE_URL": "", "CRON_SECRET": ""})

    assert settings.callboard_api_port == 8000
    assert settings.cron_secret is None


def test_names_of_modules_are_taken_apart_at_commas() -> None:
    settings = load_settings({**NOWHERE, "CALLBOARD_ACTORS": " shop.jobs, shop.mail ,,"})

    assert settings.actor_modules == ["shop.jobs", "shop.mail"]


@pytest.mark.parametrize("url", ["postgres://u@h/db", "postgresql://u@h/db", "postgresql+psycopg://u@h/db"])
def test_a_database_url_has_one_form_inside(url: str) -> None:
    assert load_settings({**NOWHERE, "DATABASE_URL": url}).database_url == "postgresql://u@h/db"


@pytest.mark.parametrize("url", ["redis://h:1/0", "rediss://h:1/0", "unix:///tmp/redis.sock"])
def test_a_redis_url_is_kept_as_it_is(url: str) -> None:
    assert load_settings({**NOWHERE, "REDIS_URL": url}).redis_url == url


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("DATABASE_URL", "mysql://h/db", "must begin with postgresql://"),
        ("DATABASE_URL", "localhost", "must begin with postgresql://"),
        ("REDIS_URL", "localhost:6379", "must begin with redis://, rediss:// or unix://"),
        ("CALLBOARD_API_PORT", "eighty", "valid integer"),
        ("CALLBOARD_API_PORT", "65536", "less than or equal to 65535"),
        ("CALLBOARD_PANEL_PORT", "-1", "greater than or equal to 0"),
        ("CALLBOARD_ACTORS", " , ", "must name at least one module"),
        ("LOG_LEVEL", "loud", "must be one of DEBUG, INFO"),
        ("METRICS_ENABLED", "perhaps", "valid boolean"),
        ("BULL_REDIS_HOST", "redis://cache", "must be the name or the address of a host"),
        ("BULL_REDIS_PORT", "0", "greater than or equal to 1"),
        ("BULL_REDIS_DB", "-1", "greater than or equal to 0"),
        ("QUEUE_HEALTH_CHECK_INTERVAL", "60", "greater than or equal to 1000"),
        ("QUEUE_HEALTH_ALERT_THRESHOLD", "50", "less than or equal to 1"),
        ("QUEUE_HEALTH_ALERT_THRESHOLD", "nan", "number"),
        ("QUEUE_HEALTH_FAILURE_RATE", "-0.1", "greater than or equal to 0"),
        ("QUEUE_HEALTH_WAITING_JOBS", "many", "valid integer"),
        ("QUEUE_HEALTH_PROCESSING_TIME", "0", "greater than or equal to 1"),
        ("QUEUE_HEALTH_WAITING_TIME", "0", "greater than or equal to 1"),
        ("QUEUE_HEALTH_RETENTION_PERIOD", "0", "greater than or equal to 60000"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(name: str, value: str, what: str) -> None:
    text = refusal({name: value})

    assert text.startswith(f"The setting {name} is wrong: ")
    assert what in text
    assert text.endswith(".")
    assert "\n" not in text


def test_a_refusal_does_not_repeat_what_may_be_secret() -> None:
    assert "hunter2" not in refusal({"DATABASE_URL": "mysql://u:hunter2@h/db"})
    assert "hunter2" not in refusal({"REDIS_URL": "http://:hunter2@h"})


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_stand_in_a_file(tmp_path: Path, name: str) -> None:
    urls = {"DATABASE_URL": "postgresql://u:p@h/db", "REDIS_URL": "redis://h", "SMTP_URL": "smtps://u:p@h"}
    urls["CALLBOARD_ALERT_URLS"] = "json://u:p@h"
    value = urls.get(name, "hunter2")
    path = tmp_path / "secret"
    path.write_text(f"{value}\n")

    found = getattr(load_settings({**NOWHERE, f"{name}_FILE": str(path)}), name.lower())

    assert (found if isinstance(found, str) else found.get_secret_value()) == value


def test_a_secret_and_its_file_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("two")

    text = refusal({"CRON_SECRET": "one", "CRON_SECRET_FILE": str(tmp_path / "secret")})

    assert text == "Both CRON_SECRET and CRON_SECRET_FILE are set; keep one of them."


def test_a_file_that_cannot_be_read_is_named_by_its_variable(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    missing = refusal({"CRON_SECRET_FILE": str(tmp_path / "missing")})

    assert missing == "The file named by CRON_SECRET_FILE cannot be read: No such file or directory."
    assert refusal({"CRON_SECRET_FILE": str(tmp_path)}).startswith(
        "The file named by CRON_SECRET_FILE cannot"
    )
    assert refusal({"CRON_SECRET_FILE": str(tmp_path / "binary")}) == (
        "The file named by CRON_SECRET_FILE cannot be read: it is not UTF-8 text."
    )


def test_an_empty_file_is_as_good_as_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("\n")

    assert load_settings({**NOWHERE, "CRON_SECRET_FILE": str(tmp_path / "secret")}).cron_secret is None


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = load_settings({**NOWHERE, "CALLBOARD_API_TOKEN": "hunter2", "CRON_SECRET": "hunter2"})

    assert "hunter2" not in f"{settings!r} {settings}"


def test_a_running_instance_names_the_servers_that_the_environment_does_not(tmp_path: Path) -> None:
    write_instance(tmp_path, Instance(os.getpid(), "postgresql://own/db", "redis://own", "", ""))
    home = {"CALLBOARD_HOME": str(tmp_path)}

    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = load_settings(home)
        other = load_settings({**home, "REDIS_URL": "redis://other"})

    assert (own.database_url, own.redis_url) == ("postgresql://own/db", "redis://own")
    assert (other.database_url, other.redis_url) == ("postgresql://own/db", "redis://other")
    assert load_settings(home).database_url == "", "none is running any more"


def test_the_sandbox_of_the_running_instance_is_found_by_whoever_works_on_its_servers(tmp_path: Path) -> None:
    sandbox = {"sandbox_url": "http://127.0.0.1:1", "sandbox_smtp_url": "smtp://127.0.0.1:2"}
    write_instance(tmp_path, Instance(os.getpid(), "postgresql://own/db", "redis://own", "", "", **sandbox))
    home = {"CALLBOARD_HOME": str(tmp_path)}

    with (tmp_path / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        own = load_settings(home)
        named = load_settings({**home, "DATABASE_URL": "postgresql://own/db", "REDIS_URL": "redis://own"})
        other = load_settings({**home, "DATABASE_URL": "postgresql://other/db"})
        told = load_settings({**home, "CALLBOARD_SANDBOX_URL": "http://127.0.0.1:3/"})
        off = load_settings({**home, "CALLBOARD_SANDBOX": "off"})

    for found in (own, named):
        assert found.callboard_sandbox_url == "http://127.0.0.1:1"
        assert found.callboard_sandbox_smtp_url == "smtp://127.0.0.1:2"
    assert (other.callboard_sandbox_url, other.callboard_sandbox_smtp_url) == ("", "")
    assert told.callboard_sandbox_url == "http://127.0.0.1:3"
    assert (off.callboard_sandbox_url, off.callboard_sandbox_smtp_url) == ("", "")


def test_redis_may_be_named_by_its_parts() -> None:
    parts = {"BULL_REDIS_HOST": "cache", "BULL_REDIS_PORT": "6380", "BULL_REDIS_DB": "2"}

    def named(**more: str) -> str:
        return load_settings({**NOWHERE, **parts, **more}).redis_url

    assert named() == "redis://cache:6380/2"
    assert named(BULL_REDIS_PASSWORD="p@ss/word") == "redis://:p%40ss%2Fword@cache:6380/2"
    assert named(BULL_REDIS_HOST="::1") == "redis://[::1]:6380/2"
    assert named(REDIS_URL="redis://other") == "redis://other", "the whole address comes first"
    assert load_settings({**NOWHERE, "BULL_REDIS_PORT": "6380"}).redis_url == "", (
        "without a host they say nothing"
    )


def test_what_other_systems_call_a_setting_is_heard_where_its_own_name_is_not_set() -> None:
    def level(**names: str) -> str:
        return load_settings({**NOWHERE, **names}).callboard_log_level

    assert level(LOG_LEVEL="warn") == "WARNING"
    assert level(LOG_LEVEL="debug", CALLBOARD_LOG_LEVEL="error") == "ERROR"
    assert level(LOG_LEVEL="") == "INFO"
    metrics = load_settings({**NOWHERE, "METRICS_ENABLED": "false"}).cron_enable_metrics_collection
    assert metrics is False


def test_a_password_of_redis_does_not_show_when_settings_are_printed() -> None:
    given = {
        **NOWHERE,
        "BULL_REDIS_HOST": "cache",
        "BULL_REDIS_PASSWORD": "hunter2",
        "REDIS_URL": "redis://other",
    }

    assert "hunter2" not in f"{load_settings(given)!r}"


def test_features_are_on_until_they_are_switched_off() -> None:
    names = [name for name in Settings.model_fields if name.startswith("cron_enable_")]

    assert len(names) == 5
    for name in names:
        assert getattr(load_settings(NOWHERE), name) is True
        assert getattr(load_settings({**NOWHERE, name.upper(): "false"}), name) is False
        assert "valid boolean" in refusal({name.upper(): "perhaps"})


def test_an_address_without_a_scheme_or_a_host_is_refused() -> None:
    assert refusal({"EXTERNAL_URL": "example.org"}) == (
        "The setting EXTERNAL_URL is wrong: must begin with http:// or https://."
    )
    assert refusal({"SMTP_URL": "smtp://"}) == "The setting SMTP_URL is wrong: names no host."


def test_a_service_without_credentials_is_told() -> None:
    named = {"WHATSAPP_TOKEN": "t", "OPEN_METEO_URL": "https://air-quality-api.open-meteo.com"}

    unnamed = load_settings({**NOWHERE, **named}).unnamed_services

    assert unnamed == ["cloudflare", "game", "external", "mail"]


def test_a_sandbox_is_wanted_where_it_stands_in_for_something() -> None:
    secrets = ("WHATSAPP_TOKEN", "CLOUDFLARE_STREAM_API_TOKEN", "GAME_PLATFORM_TOKEN", "EXTERNAL_TOKEN")
    every = dict.fromkeys(secrets, "t") | {"OPEN_METEO_URL": "https://a.example", "SMTP_URL": "smtp://a"}

    assert load_settings(NOWHERE).wants_sandbox
    assert load_settings({**NOWHERE, "WHATSAPP_TOKEN": "t"}).wants_sandbox
    assert not load_settings({**NOWHERE, **every}).wants_sandbox
    assert load_settings({**NOWHERE, **every, "CALLBOARD_SANDBOX": "on"}).wants_sandbox
    assert not load_settings({**NOWHERE, "CALLBOARD_SANDBOX": "off"}).wants_sandbox
    assert not load_settings({**NOWHERE, "CALLBOARD_SANDBOX_URL": "http://127.0.0.1:1"}).wants_sandbox


def test_the_home_of_a_user_is_found_and_that_of_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/nonexistent/user")

    assert load_settings({"CALLBOARD_HOME": "~/boards"}).home == Path("/nonexistent/user/boards")
    with pytest.raises(BadSettings, match=r"^The setting CALLBOARD_HOME is wrong: there is no home folder"):
        load_settings({"CALLBOARD_HOME": "~nobody-of-that-name/boards"})


def test_settings_are_values() -> None:
    settings = load_settings(NOWHERE)

    assert settings == load_settings(NOWHERE)
    with pytest.raises(ValueError, match="frozen"):
        settings.callboard_host = "0.0.0.0"


def test_every_secret_is_a_setting() -> None:
    assert {name.lower() for name in SECRETS} <= Settings.model_fields.keys()
