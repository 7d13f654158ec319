"""What the health check does for circuit breakers: it speaks of open ones, and closes those of nobody.

A breaker opens, tries and closes by itself, and the recorder opens and closes the alert that stands for it.
What that misses is made good here: a Redis that has lost what it knew, a job that is gone.
"""

from redis import Redis
from sqlalchemy import Connection

from callboard.actors.alerting import alert
from callboard.actors.probes import Finding
from callboard.core.keys import Keys
from callboard.storage.alerts import resolve_others
from callboard.storage.breakers import KIND, close_breaker, not_closed
from callboard.storage.queries.health import breakers

#: Seconds that the recorder has for its own part.
GRACE_S = 60.0
UNUSED = "no job names it any more"


def tend_breakers(connection: Connection, client: Redis, keys: Keys) -> Finding:
    """How many breakers are open. Those that no job names are closed; alerts follow what is so."""
    with connection.begin():
        named = {row["breaker"] for row in breakers(connection)}
        found = []
        for each in not_closed(client, keys):
            if each.name in named:
                found.append(each)
            else:
                close_breaker(client, keys, each.name, UNUSED)
        for each in found:
            if each.open_s >= GRACE_S:
                alert(connection, KIND, each.name, each.sentence, cause=each.cause)
        resolve_others(connection, KIND, [each.name for each in found], age_s=GRACE_S)
    if not found:
        return Finding("healthy", "No circuit breaker is open.", 0)
    return Finding("degraded", " ".join(each.sentence for each in found[:5]), len(found))
