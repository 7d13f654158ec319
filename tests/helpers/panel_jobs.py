"""The jobs of a business that never was, for tests and pictures of the panel."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DemoJob:
    """A job and how its runs tend to go: `typical_s` is their median duration, `failing` a share of them."""

    name: str
    category: str
    description: str
    schedules: tuple[tuple[str, str], ...]
    typical_s: float
    time_limit_s: int = 300
    max_attempts: int = 2
    failing: float = 0.004
    lately: float | None = None
    enabled: bool = True
    queue: str = "default"
    errors: tuple[tuple[str, str], ...] = (
        ("TimeLimitExceeded", "The time limit of {limit} s was exceeded."),
    )
    signature: tuple[dict[str, Any], ...] = ()
    notes: str | None = None
    quick_action: str | None = None
    limit: dict[str, Any] | None = None
    result: dict[str, Any] = field(default_factory=lambda: {"processed": 0, "failed": 0})


def _argument(name: str, kind: str, default: Any = None, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "positional_or_keyword",
        "type": kind,
        "default": default,
        "required": required,
    }


PARIS = "Europe/Paris"

JOBS = (
    DemoJob(
        "process-opportunity-offers",
        "opportunities",
        "Send automated offers for missed opportunities",
        (("0 8 * * *", PARIS),),
        94,
        time_limit_s=600,
        max_attempts=3,
        signature=(_argument("limit", "int", 500), _argument("dry_run", "bool", False)),
        quick_action="Send offers",
    ),
    DemoJob(
        "opportunity-reminders",
        "opportunities",
        "Send follow-up reminders for opportunities",
        (("15 8,14 * * 1-5", PARIS),),
        31,
    ),
    DemoJob(
        "process-promotion-deliveries",
        "promotions",
        "Deliver queued promotions to customers",
        (("*/30 * * * *", "UTC"),),
        12.5,
        queue="mail",
        quick_action="Deliver promotions",
        failing=0.012,
        errors=(
            ("SMTPServerDisconnected", "Connection unexpectedly closed by mail.example.org:587"),
            (
                "ReadTimeout",
                "HTTPSConnectionPool(host='api.mail.example.org'): Read timed out. (read timeout=10)",
            ),
        ),
    ),
    DemoJob(
        "calculate-promotion-analytics",
        "promotions",
        "Calculate promotion performance metrics",
        (("0 2 * * *", "UTC"),),
        186,
        max_attempts=1,
    ),
    DemoJob(
        "promotion-triggers",
        "promotions",
        "Check and trigger automated promotions",
        (("0 10 * * *", PARIS),),
        47,
        time_limit_s=600,
    ),
    DemoJob(
        "send-review-requests",
        "reviews",
        "Send review requests for completed jobs",
        (("0 */6 * * *", "UTC"),),
        22,
        queue="mail",
        limit={"key": "tenant:{tenant}", "concurrent": 4, "per_minute": 300},
        failing=0.34,
        errors=(
            (
                "HTTPStatusError",
                "Client error '429 Too Many Requests' for url 'https://reviews.example.org/v2/send'",
            ),
        ),
    ),
    DemoJob(
        "review-follow-ups",
        "reviews",
        "Send review reminders and handle escalations",
        (("0 9 * * *", PARIS),),
        18,
    ),
    DemoJob(
        "process-tier-upgrades",
        "loyalty",
        "Check and process customer tier upgrades",
        (("0 3 * * *", "UTC"),),
        64,
    ),
    DemoJob(
        "process-referrals",
        "loyalty",
        "Check referral conversions and award points",
        (("0 */4 * * *", "UTC"),),
        38,
        failing=0.05,
        lately=0.95,
        errors=(
            (
                "OperationalError",
                'connection to server at "10.4.1.12", port 5432 failed: FATAL: too many clients already',
            ),
            ("TimeLimitExceeded", "The time limit of 300 s was exceeded."),
        ),
    ),
    DemoJob(
        "process-achievements",
        "loyalty",
        "Check and award customer achievements",
        (("0 4 * * *", "UTC"),),
        29,
    ),
    DemoJob(
        "sync-coach-calendar",
        "sync",
        "Pull a coach's appointments from the calendar service",
        (("*/10 6-22 * * *", PARIS),),
        3.4,
        queue="sync",
        max_attempts=5,
        failing=0.006,
        signature=(
            _argument("coach_id", "int", required=True),
            _argument("since", "str", "today"),
            _argument("full", "bool", False),
            _argument("filters", "dict", None),
        ),
        errors=(("ConnectError", "[Errno -3] Temporary failure in name resolution"),),
    ),
    DemoJob(
        "health-check",
        "monitoring",
        "Monitor system health and uptime",
        (("*/5 * * * *", "UTC"),),
        0.28,
        time_limit_s=30,
        max_attempts=1,
        failing=0.0008,
    ),
    DemoJob(
        "cleanup-expired-sessions",
        "cleanup",
        "Remove expired authentication sessions",
        (("0 0 * * *", "UTC"),),
        1.9,
        max_attempts=1,
    ),
    DemoJob(
        "cleanup-old-logs",
        "cleanup",
        "Archive or delete old log entries",
        (("0 0 * * 0", "UTC"),),
        212,
        time_limit_s=600,
        max_attempts=1,
    ),
    DemoJob(
        "cleanup-old-alerts",
        "cleanup",
        "Remove resolved alerts older than 90 days",
        (("0 0 1 * *", "UTC"),),
        8.2,
        time_limit_s=600,
        max_attempts=1,
        enabled=False,
        notes="Off until the audit is over.",
    ),
    DemoJob(
        "export-ledger",
        "finance",
        "Write the day's ledger to the archive; run by hand at the end of a quarter",
        (),
        140,
        time_limit_s=1800,
        signature=(_argument("quarter", "str", required=True), _argument("currencies", "list", ["EUR"])),
    ),
)
