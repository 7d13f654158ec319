"""What jobs of one kind have in common: how often they are tried again, and who goes first.

Actor options, to be given with `**`: `@dramatiq.actor(**DATA_FETCH)`. What a job says beside them holds.
"""

from typing import Any, Final

from callboard.core.backoff import exponential, fixed

Options = dict[str, Any]

#: Jobs that fetch what somebody else has: three attempts, after 5 and 10 seconds (less, by chance).
DATA_FETCH: Final[Options] = {"max_retries": 2, "backoff": exponential(min_ms=5_000)}
#: Jobs that add up what is here: two attempts, ten seconds apart.
ANALYTICS: Final[Options] = {"max_retries": 1, "backoff": fixed(10_000)}
#: Jobs that tell somebody something: five attempts, after 15, 30, 60 and 120 seconds (less by chance).
NOTIFICATIONS: Final[Options] = {"max_retries": 4, "backoff": exponential()}

#: The option `priority`: of what waits in one worker, the lowest number goes first. Dramatiq's default is 0.
HIGH: Final = -10
NORMAL: Final = 0
LOW: Final = 10
