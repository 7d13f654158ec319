"""How well a queue does, and why: pure arithmetic over what the rollups and the samples say of it.

`facts` is what is known, `score` the health score, `bottlenecks` the verdict, `recommend` what to do about
it, `held` what is held back on purpose, `minutes` since when something is amiss, `trends` how it came,
`baseline` what is usual, `forecast` where the backlog goes, `waits` what runs waited for, `alarms` what
somebody should hear of, `burning` whether a job keeps its objective, `causes` which alarms of a queue or job
are one, `together` which of several. Nothing here reads or writes anything.
"""

from callboard.core.health.alarms import Alarm, Recent, burn_alarms, job_alarms, queue_alarms
from callboard.core.health.baseline import usual
from callboard.core.health.bottlenecks import VERDICTS, Bottleneck, find_bottlenecks
from callboard.core.health.burning import Tally
from callboard.core.health.causes import one_for_each_cause
from callboard.core.health.facts import Facts, Held, JobFacts, Minute, Thresholds
from callboard.core.health.forecast import Forecast, forecast
from callboard.core.health.recommend import Recommendation, recommend
from callboard.core.health.score import Deduction, Score, score
from callboard.core.health.trends import Change, Point, Trend, Usual, trend
from callboard.core.health.waits import Blame, Waited, WaitPart, blame, wait_parts

__all__ = [
    "VERDICTS",
    "Alarm",
    "Blame",
    "Bottleneck",
    "Change",
    "Deduction",
    "Facts",
    "Forecast",
    "Held",
    "JobFacts",
    "Minute",
    "Point",
    "Recent",
    "Recommendation",
    "Score",
    "Tally",
    "Thresholds",
    "Trend",
    "Usual",
    "WaitPart",
    "Waited",
    "blame",
    "burn_alarms",
    "find_bottlenecks",
    "forecast",
    "job_alarms",
    "one_for_each_cause",
    "queue_alarms",
    "recommend",
    "score",
    "trend",
    "usual",
    "wait_parts",
]
