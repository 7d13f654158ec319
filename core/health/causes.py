"""One alert for one cause.

A queue that nobody serves also grows, and its score falls; a job that fails uses up its objective. Of all
that is found of one queue, or of one job, one alert is opened: under the kind that says most of the cause.
It stays under that kind as long as anything is amiss there, whatever else is found meanwhile.
"""

from collections.abc import Collection, Iterable

from callboard.core.health.alarms import (
    BACKLOG,
    BOTTLENECK,
    BURNING,
    FAILING,
    LOW_SCORE,
    SLOW,
    Alarm,
    Kind,
    Severity,
)

#: Kinds that may have one cause, those first that say most of it.
FAMILIES: tuple[tuple[Kind, ...], ...] = ((BOTTLENECK, SLOW, BACKLOG, LOW_SCORE), (BURNING, FAILING))


def one_for_each_cause(found: Iterable[Alarm], opened: Collection[tuple[str, str]]) -> list[Alarm]:
    """The alarms to be told. `opened`: the kind and subject of alerts that are open."""
    alarms = list(found)
    settled = []
    for family in FAMILIES:
        of_family = sorted(
            (each for each in alarms if each.kind in family), key=lambda each: family.index(each.kind)
        )
        for subject in dict.fromkeys(each.subject for each in of_family):
            together = [each for each in of_family if each.subject == subject]
            kept = next((kind for kind in family if (kind, subject) in opened), together[0].kind)
            settled.append(_together(kept, together))
    return settled


def _together(kind: Kind, alarms: list[Alarm]) -> Alarm:
    first = alarms[0]
    # The score repeats what the others say, and so does the share of the last failures.
    said = [first.message, *(each.message for each in alarms[1:] if each.kind in (SLOW, BACKLOG))]
    worst: Severity = "critical" if any(each.severity == "critical" for each in alarms) else "warning"
    details = {**first.details, "found": [each.kind for each in alarms]} if len(alarms) > 1 else first.details
    return Alarm(kind, first.subject, " ".join(said), worst, details)
