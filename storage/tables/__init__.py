"""The declared tables. Migrations make them; a test holds both equal."""

from callboard.storage.tables import business
from callboard.storage.tables.alerting import alert_messages, silences
from callboard.storage.tables.base import SCHEMA, metadata
from callboard.storage.tables.control import breaker_changes, pauses
from callboard.storage.tables.health import alerts, queue_sample_hours, queue_samples, uptime_checks
from callboard.storage.tables.jobs import cron_job_config, jobs, schedules
from callboard.storage.tables.letters import bulk_actions
from callboard.storage.tables.people import audit, sessions, tokens, users
from callboard.storage.tables.runs import attempts, log_lines, queue_rollups, rollups, runs, schema_state
from callboard.storage.tables.slots import occurrences, outbox, signals, stream_position

__all__ = [
    "SCHEMA",
    "alert_messages",
    "alerts",
    "attempts",
    "audit",
    "breaker_changes",
    "bulk_actions",
    "business",
    "cron_job_config",
    "jobs",
    "log_lines",
    "metadata",
    "occurrences",
    "outbox",
    "pauses",
    "queue_rollups",
    "queue_sample_hours",
    "queue_samples",
    "rollups",
    "runs",
    "schedules",
    "schema_state",
    "sessions",
    "signals",
    "silences",
    "stream_position",
    "tokens",
    "uptime_checks",
    "users",
]
