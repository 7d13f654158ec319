"""What a first start shows to whoever has nothing of his own yet: made-up data, and every job once.

Only where nothing real can be met: on servers of its own, with the sandbox for all services outside, and in a
database whose business tables have never held anything.
"""

import time
from collections import deque
from collections.abc import Sequence

from callboard.control.actions import demo
from callboard.control.actions.run_job import run_job
from callboard.control.context import Context
from callboard.control.principal import Principal, Role
from callboard.core.errors import Disabled, NotFound
from callboard.core.logging import get_logger
from callboard.core.settings import Settings

log = get_logger(__name__)

#: How many customers are made up, and what all chance comes of.
CUSTOMERS, SEED = 500, 7
#: The package of the jobs that work on them.
BUSINESS = "callboard.actors.business"
#: Seconds from one run to the next: a job's work is there before another goes on with it.
PAUSE_S = 0.5
#: Who asks for the runs, as the panel shows it.
CALLER = Principal("first start", Role.ADMIN, "cli")
#: The jobs, in an order in which some go on with what others have done.
JOBS = (
    # Half a minute passes within it.
    "game_platform_full_sync",
    "process-tier-upgrades",
    "process-referrals",
    "process-achievements",
    "promotion-triggers",
    "process-opportunity-offers",
    "opportunity-reminders",
    "send-review-requests",
    "review-follow-ups",
    "process-promotion-deliveries",
    "run-outbound-jobs",
    "process-streaming-video-queue",
    "sync-external-data",
    "fetch-paris-data",
    "hourly-aggregations",
    "daily-statistics",
    "calculate-promotion-analytics",
    "aggregate-portal-analytics",
    "aggregate-opportunity-analytics",
    "generate-daily-reports",
    "process-email-queue",
    "health-check",
    "cleanup-expired-portal-sessions",
    "cleanup-expired-sessions",
    "cleanup-old-alerts",
    "cleanup-old-uptime-logs",
    "cleanup-old-logs",
    "cleanup-old-dead-letters",
    "job_queue_cleanup",
    "weekly-cleanup",
)


def welcomed(settings: Settings, embedded: Sequence[str], *, sandbox: bool) -> bool:
    """Whether a start with these settings may make up data: nothing that it meets is anybody else's.

    Args:
        embedded: the servers that were started here.
        sandbox: whether a sandbox is started too.
    """
    wanted = settings.callboard_demo and BUSINESS in settings.actor_modules
    return wanted and sandbox and settings.nothing_real and len(embedded) == 2


def fill(context: Context) -> int:
    """Make up data, unless there are or have been business data. Returns how many customers."""
    if not demo.untouched(context):
        return 0
    return demo.seed(context, CALLER, CUSTOMERS, SEED).customers


class WarmUp:
    """Asks for one run of each job, one after the other, so that all are seen at work."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context: Context | None = None
        self._left = deque(JOBS)
        self._due = 0.0

    def look(self) -> bool:
        """Ask for the next run, if it is time. Returns whether there are others to ask for."""
        if time.monotonic() < self._due:
            return True
        self._due = time.monotonic() + PAUSE_S
        if self._context is None:
            self._context = Context(self._settings, application_name="callboard up")
        try:
            run_job(self._context, CALLER, self._left.popleft())
        except (NotFound, Disabled):
            # Switched off by a setting: that one is not shown.
            self._due = 0.0
        except Exception as error:  # noqa: BLE001 - it is only a show, and everything else goes on
            log.warning("The first runs were given up.", action="warm_up_failed", error=str(error))
            self._left.clear()
        if self._left:
            return True
        self._context.close()
        return False
