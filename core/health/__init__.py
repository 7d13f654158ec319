"""How well a queue does, and why: pure arithmetic over what the rollups and the samples say of it.

`facts` is what is known, `score` the health score, `bottlenecks` the verdict, `recommend` what to do about
it, `trends` how it came, `alarms` what somebody should hear of. Nothing here reads or writes anything.
"""

from callboard.core.health.alarms import Alarm, Recent, job_alarms, queue_alarms
from callboard.core.health.bottlenecks import Bottleneck, find_bottlenecks
from callboard.core.health.facts import Facts, JobFacts, Thresholds
from callboard.core.health.recommend import Recommendation, recommend
from callboard.core.health.score import Deduction, Score, score
from callboard.core.health.trends import Change, Point, Trend, trend

__all__ = [
    "Alarm",
    "Bottleneck",
    "Change",
    "Deduction",
    "Facts",
    "JobFacts",
    "Point",
    "Recent",
    "Recommendation",
    "Score",
    "Thresholds",
    "Trend",
    "find_bottlenecks",
    "job_alarms",
    "queue_alarms",
    "recommend",
    "score",
    "trend",
]
