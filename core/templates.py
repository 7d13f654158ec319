"""Ready-made schedules: patterns for a pair of jobs, and expressions that are often wanted for one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from callboard.core.errors import NotFound

#: What a job does in a template: `sync` fetches what is recent, `totals` then adds it up.
JobRole = Literal["sync", "totals"]


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern for two jobs that belong together: a cron expression for each."""

    slug: str
    title: str
    purpose: str
    expressions: Mapping[JobRole, str]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An expression that is often wanted."""

    title: str
    expr: str


TEMPLATES: Final = (
    Template(
        "competition-active",
        "Competition Active",
        "Every 15 minutes: for while much is going on.",
        {"sync": "*/15 * * * *", "totals": "10-59/15 * * * *"},
    ),
    Template(
        "standard-operations",
        "Standard Operations",
        "Sync every 30 minutes, totals every hour.",
        {"sync": "*/30 * * * *", "totals": "0 * * * *"},
    ),
    Template(
        "coordinated-hourly",
        "Coordinated Hourly",
        "Sync at the full hour, totals ten minutes later, when it is done.",
        {"sync": "0 * * * *", "totals": "10 * * * *"},
    ),
    Template(
        "off-season",
        "Off-Season",
        "Every 4 hours: for while little is going on.",
        {"sync": "0 */4 * * *", "totals": "10 */4 * * *"},
    ),
    Template(
        "business-hours-only",
        "Business Hours Only",
        "From 9 to 5 on weekdays: sync every 30 minutes, totals every hour.",
        {"sync": "*/30 9-16 * * 1-5", "totals": "10 9-17 * * 1-5"},
    ),
)

SUGGESTIONS: Final = (
    Suggestion("Every 5 minutes", "*/5 * * * *"),
    Suggestion("Hourly", "0 * * * *"),
    Suggestion("Daily at 08:00", "0 8 * * *"),
    Suggestion("Weekdays from 9 to 17", "0 9-17 * * 1-5"),
    Suggestion("Weekly, on Monday", "0 8 * * 1"),
    Suggestion("Monthly, on the 1st", "0 8 1 * *"),
)


def template(name: str) -> Template:
    """The template of that slug or title, however it is spelt.

    Raises:
        NotFound: there is none.
    """
    wanted = "-".join(name.casefold().replace("_", " ").replace("-", " ").split())
    for each in TEMPLATES:
        if each.slug == wanted:
            return each
    known = ", ".join(each.slug for each in TEMPLATES)
    raise NotFound(f"There is no template {name[:60]!r}; there are {known}.")
