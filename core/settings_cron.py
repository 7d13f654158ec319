"""Settings of schedules and of the health of queues, by the names that earlier job systems gave them."""

from typing import Annotated

from pydantic import BaseModel, Field

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class CronSettings(BaseModel):
    """The part of the settings that is about the health of queues. Times are in ms, shares 0 to 1."""

    #: How often the queues' health is looked at, and how long what was found is kept.
    queue_health_check_interval: Annotated[int, Field(ge=1_000, le=86_400_000)] = 60_000
    queue_health_retention_period: Annotated[int, Field(ge=60_000)] = 604_800_000
    #: A queue is reported whose health score is below the first, or whose failures (a share), waiting
    #: messages, or duration of runs exceed the others.
    queue_health_alert_threshold: Share = 0.5
    queue_health_failure_rate: Share = 0.1
    queue_health_waiting_jobs: Annotated[int, Field(ge=0)] = 100
    queue_health_processing_time: Annotated[int, Field(ge=1)] = 30_000
