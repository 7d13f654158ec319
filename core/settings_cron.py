"""Settings of schedules and of the health of queues, by the names that earlier job systems gave them."""

from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator, BaseModel, Field, SecretStr

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _host(value: str) -> str:
    if any(character in value for character in "/@ "):
        raise ValueError("must be the name or the address of a host, and nothing else")
    return value


class CronSettings(BaseModel):
    """The part of the settings that is about schedules and queues. Times are in ms, shares 0 to 1."""

    #: Redis by its parts, for environments that have them; REDIS_URL comes first.
    bull_redis_host: Annotated[str, AfterValidator(_host)] = ""
    bull_redis_port: Annotated[int, Field(ge=1, le=65535)] = 6379
    bull_redis_password: SecretStr | None = None
    bull_redis_db: Annotated[int, Field(ge=0)] = 0

    #: Whether jobs keep to their option `mutex`; without it, runs of one job may overlap.
    cron_enable_duplicate_prevention: bool = True
    #: Whether the scheduler samples the queues and judges their health.
    cron_enable_performance_monitoring: bool = True
    #: Whether failed runs are tried again, and open breakers try again, by themselves.
    cron_enable_automatic_recovery: bool = True
    #: Whether the recorder adds up figures for trends, percentiles and health.
    cron_enable_metrics_collection: bool = True
    #: Whether alerts are opened of what is found amiss.
    cron_enable_alert_notifications: bool = True

    #: How often the queues' health is looked at, and how long what was found is kept.
    queue_health_check_interval: Annotated[int, Field(ge=1_000, le=86_400_000)] = 60_000
    queue_health_retention_period: Annotated[int, Field(ge=60_000)] = 604_800_000
    #: A queue is reported whose health score is below the first, or whose failures (a share), waiting
    #: messages, duration of runs or wait (ms) exceed the others.
    queue_health_alert_threshold: Share = 0.5
    queue_health_failure_rate: Share = 0.1
    queue_health_waiting_jobs: Annotated[int, Field(ge=0)] = 100
    queue_health_processing_time: Annotated[int, Field(ge=1)] = 30_000
    queue_health_waiting_time: Annotated[int, Field(ge=1)] = 60_000
    #: The share of a job's runs that should succeed: failures that use up what it leaves are reported.
    callboard_success_objective: Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)] = 0.95

    @property
    def bull_redis_url(self) -> str:
        """The address that the parts make; empty where they name no host."""
        if not self.bull_redis_host:
            return ""
        password = self.bull_redis_password.get_secret_value() if self.bull_redis_password else ""
        host = f"[{self.bull_redis_host}]" if ":" in self.bull_redis_host else self.bull_redis_host
        login = f":{quote(password, safe='')}@" if password else ""
        return f"redis://{login}{host}:{self.bull_redis_port}/{self.bull_redis_db}"
