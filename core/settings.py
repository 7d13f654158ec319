"""Settings, from the environment, validated when they are read.

A secret `NAME` may also be given as `NAME_FILE`, the path of a file that holds it. Where the environment
names no server, the running instance under `CALLBOARD_HOME` does (see `core.instance`).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, ValidationError

from callboard.core.errors import BadSettings
from callboard.core.instance import read_instance
from callboard.core.places import addresses
from callboard.core.settings_cron import CronSettings
from callboard.core.settings_oidc import OidcSettings

SECRETS = (
    "DATABASE_URL",
    "REDIS_URL",
    "BULL_REDIS_PASSWORD",
    "SENTRY_DSN",
    "CALLBOARD_API_TOKEN",
    "CALLBOARD_ADMIN_PASSWORD",
    "CALLBOARD_OIDC_CLIENT_SECRET",
    "CRON_SECRET",
    "JOB_RUNNER_TOKEN",
    "JOB_QUEUE_RUNNER_SECRET",
    "WHATSAPP_TOKEN",
    "CLOUDFLARE_STREAM_API_TOKEN",
    "OPEN_METEO_API_KEY",
    "GAME_PLATFORM_TOKEN",
    "EXTERNAL_TOKEN",
    "SMTP_URL",
    "CALLBOARD_ALERT_URLS",
)

#: Names that other job systems have for settings; where both are set, Callboard's own counts.
ALIASES = {"LOG_LEVEL": "CALLBOARD_LOG_LEVEL", "METRICS_ENABLED": "CRON_ENABLE_METRICS_COLLECTION"}

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def _database_url(value: str) -> str:
    if value and not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
        raise ValueError("must begin with postgresql://")
    scheme, _, rest = value.partition("://")
    return f"postgresql://{rest}" if scheme else value


def _redis_url(value: str) -> str:
    if value and not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _http_url(value: str) -> str:
    if value and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    if value and not urlsplit(value).hostname:
        raise ValueError("names no host")
    return value.rstrip("/")


def _smtp_url(value: str) -> str:
    if value and not value.startswith(("smtp://", "smtps://")):
        raise ValueError("must begin with smtp:// or smtps://")
    if value and not urlsplit(value).hostname:
        raise ValueError("names no host")
    return value


def _addresses(value: str) -> str:
    for address in value.split(","):
        name, at, domain = address.strip().rpartition("@")
        if address.strip() and not (name and at and domain):
            raise ValueError("must be e-mail addresses, apart by commas")
    return value


def _level(value: str) -> str:
    level = {"WARN": "WARNING"}.get(value.upper(), value.upper())
    if level not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return level


def _modules(value: str) -> str:
    if not any(name.strip() for name in value.split(",")):
        raise ValueError("must name at least one module")
    return value


def _home(value: Path) -> Path:
    try:
        value.expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder {value.parts[0]}") from None
    return value


def _secret(value: SecretStr | None) -> SecretStr | None:
    return value if value is not None and value.get_secret_value() else None


def _alert_urls(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        addresses(value.get_secret_value())
    return value


Secret = Annotated[SecretStr | None, AfterValidator(_secret)]
Port = Annotated[int, Field(ge=0, le=65535)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
SmtpUrl = Annotated[str, AfterValidator(_smtp_url)]


class Settings(CronSettings, OidcSettings):
    """What the environment says. Field names are the variables' names in lower case."""

    model_config = ConfigDict(extra="ignore", frozen=True, validate_default=True)

    database_url: Annotated[str, AfterValidator(_database_url)] = ""
    redis_url: Annotated[str, AfterValidator(_redis_url)] = ""
    sentry_dsn: Secret = None
    callboard_home: Annotated[Path, AfterValidator(_home)] = Path(".callboard")
    callboard_actors: Annotated[str, AfterValidator(_modules)] = "callboard.actors,callboard.actors.business"
    #: Which of the environments this is that schedules may differ by.
    callboard_env: Annotated[str, Field(min_length=1, max_length=63)] = "local"
    callboard_namespace: Annotated[str, Field(min_length=1)] = "dramatiq"
    callboard_host: str = "127.0.0.1"
    callboard_api_port: Port = 8000
    callboard_panel_port: Port = 8501
    #: Where browsers find the panel, if a proxy stands before it: providers send them back to it.
    callboard_panel_url: HttpUrl = ""
    callboard_log_level: Annotated[str, AfterValidator(_level)] = "INFO"
    #: Days that runs and their logs are kept.
    callboard_retention_days: Annotated[int, Field(ge=1)] = 90
    #: Days that dead letters can be requeued.
    callboard_dead_letter_days: Annotated[int, Field(ge=1)] = 30
    #: Ms of silence after which a worker counts as dead, and what it was working on goes to others.
    callboard_worker_timeout: Annotated[int, Field(ge=10_000, le=3_600_000)] = 15_000
    #: For jobs that say nothing else: consecutive failures that open a circuit breaker, ms until a probe may
    #: try, ms after which a failure counts anew.
    circuit_breaker_failure_threshold: Annotated[int, Field(ge=1)] = 5
    circuit_breaker_timeout: Annotated[int, Field(ge=1)] = 300_000
    circuit_breaker_monitoring_window: Annotated[int, Field(ge=1)] = 60_000
    #: Seconds that an SQL command of a schedule may take.
    callboard_sql_timeout: Annotated[int, Field(ge=1, le=3_500)] = 60
    callboard_api_token: Secret = None
    callboard_admin_password: Secret = None
    cron_secret: Secret = None
    job_runner_token: Secret = None
    job_queue_runner_secret: Secret = None
    #: Whether `?token=` is taken where it may be: an address ends up in logs and histories.
    callboard_query_token: bool = True
    #: The services outside that jobs call. What has no credentials here is the sandbox's, where one runs.
    whatsapp_url: HttpUrl = "https://graph.facebook.com/v23.0"
    whatsapp_token: Secret = None
    whatsapp_phone_number_id: str = ""
    #: Whether a message is sent again that may have been taken: for a gateway that hears Idempotency-Key.
    whatsapp_repeat_uncertain: bool = False
    cloudflare_url: HttpUrl = "https://api.cloudflare.com/client/v4"
    cloudflare_account_id: str = ""
    cloudflare_stream_api_token: Secret = None
    open_meteo_url: HttpUrl = ""
    open_meteo_api_key: Secret = None
    game_platform_url: HttpUrl = ""
    game_platform_token: Secret = None
    external_url: HttpUrl = ""
    external_token: Secret = None
    smtp_url: SmtpUrl = ""
    mail_from: str = ""
    #: `auto` has `callboard up` start the sandbox where a service has no credentials.
    callboard_sandbox: Literal["auto", "on", "off"] = "auto"
    callboard_sandbox_port: Port = 8100
    callboard_sandbox_smtp_port: Port = 8125
    #: Where a sandbox runs, and the token that it takes.
    callboard_sandbox_url: HttpUrl = ""
    callboard_sandbox_smtp_url: SmtpUrl = ""
    callboard_sandbox_token: Annotated[str, Field(min_length=1)] = "sandbox"  # noqa: S105 - opens nothing
    #: Whether a first start on servers of its own, with nothing but the sandbox outside, makes up data.
    callboard_demo: bool = True
    #: Who is told of alerts: URLs of Apprise, apart by commas; from which severity on; and hours after which
    #: they are told again of a critical one that nobody has acknowledged.
    callboard_alert_urls: Annotated[Secret, AfterValidator(_alert_urls)] = None
    callboard_alert_severity: Literal["warning", "critical"] = "warning"
    callboard_alert_reminder: Annotated[float, Field(ge=0, le=8_760, allow_inf_nan=False)] = 4
    #: Whether Sentry is told when scheduled runs begin and how they end, where a DSN is set.
    callboard_sentry_crons: bool = True
    #: Who is told of reports: e-mail addresses, apart by commas.
    report_recipients: Annotated[str, AfterValidator(_addresses)] = ""

    @property
    def actor_modules(self) -> list[str]:
        """The modules that declare actors, in the order given."""
        return [name.strip() for name in self.callboard_actors.split(",") if name.strip()]

    @property
    def unnamed_services(self) -> list[str]:
        """The services outside that have no credentials here, by the names that the sandbox gives them."""
        return [service for service, by in self._services.items() if not by]

    @property
    def nothing_real(self) -> bool:
        """Whether no service outside has credentials here, so that nothing real can be met."""
        return not any(self._services.values())

    @property
    def _services(self) -> dict[str, object]:
        return {
            "whatsapp": self.whatsapp_token or self.whatsapp_phone_number_id,
            "cloudflare": self.cloudflare_stream_api_token or self.cloudflare_account_id,
            "open-meteo": self.open_meteo_url or self.open_meteo_api_key,
            "game": self.game_platform_token or self.game_platform_url,
            "external": self.external_token or self.external_url,
            "mail": self.smtp_url or self.mail_from,
        }

    @property
    def wants_sandbox(self) -> bool:
        """Whether an instance is to start a sandbox: where it stands in for something, and no other does."""
        if self.callboard_sandbox == "off" or self.callboard_sandbox_url:
            return False
        return self.callboard_sandbox == "on" or bool(self.unnamed_services)

    @property
    def recipients(self) -> list[str]:
        """Who is told of reports."""
        return [address.strip() for address in self.report_recipients.split(",") if address.strip()]

    @property
    def home(self) -> Path:
        """The absolute path of the instance's folder."""
        return self.callboard_home.expanduser().resolve()


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; where no server is named, take those of the instance running in the home.

    Raises:
        BadSettings: one sentence that names the variable and what is wrong with it.
    """
    given = os.environ if environ is None else environ
    settings = _validated(_environment(given), _aliases(given))
    if not settings.redis_url and settings.bull_redis_url:
        settings = settings.model_copy(update={"redis_url": settings.bull_redis_url})
    if settings.callboard_sandbox == "off":
        settings = settings.model_copy(update={"callboard_sandbox_url": "", "callboard_sandbox_smtp_url": ""})
    if settings.database_url and settings.redis_url and settings.callboard_sandbox_url:
        return settings
    running = read_instance(settings.home)
    if running is None:
        return settings
    found = {
        "database_url": settings.database_url or running.database_url,
        "redis_url": settings.redis_url or running.redis_url,
    }
    # What works on other servers is no part of the instance, and its sandbox not theirs.
    same = found == {"database_url": running.database_url, "redis_url": running.redis_url}
    if same and settings.callboard_sandbox != "off" and not settings.callboard_sandbox_url:
        found["callboard_sandbox_url"] = running.sandbox_url
        found["callboard_sandbox_smtp_url"] = running.sandbox_smtp_url
    return settings.model_copy(update=found)


def _aliases(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that are given by another name only, and that name."""
    return {name: alias for alias, name in ALIASES.items() if environ.get(alias) and not environ.get(name)}


def _validated(values: Mapping[str, Any], aliases: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        name = aliases.get(name, name)
        what = first["msg"].removeprefix("Value error, ")
        raise BadSettings(f"The setting {name} is wrong: {what[:1].lower()}{what[1:]}.") from None


def _environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {name.upper() for name in Settings.model_fields}
    values: dict[str, Any] = {
        name.lower(): value for name, value in environ.items() if name in known and value
    }
    values |= {name.lower(): environ[alias] for name, alias in _aliases(environ).items()}
    for name in SECRETS:
        path = environ.get(f"{name}_FILE")
        if not path:
            continue
        if name.lower() in values:
            raise BadSettings(f"Both {name} and {name}_FILE are set; keep one of them.")
        try:
            values[name.lower()] = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSettings(f"The file named by {name}_FILE cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise BadSettings(
                f"The file named by {name}_FILE cannot be read: it is not UTF-8 text."
            ) from None
    return values
