"""What is out of the ordinary: runs that took unusually long or short, slots that nobody decided, and so on.

`baseline` is what is usual, `runs` judges those that have ended, `running` those under way, `slots` when a
job ran. Pure arithmetic; whoever reads the history hands it in.
"""

from callboard.core.anomalies.baseline import Baseline, Usual
from callboard.core.anomalies.finding import KINDS, Finding, Kind, in_order
from callboard.core.anomalies.running import longest_ms, running_long
from callboard.core.anomalies.runs import Ended, Success, half, judge_run, plain, unusual, usual_of
from callboard.core.anomalies.slots import grace, missed, too_often

__all__ = [
    "KINDS",
    "Baseline",
    "Ended",
    "Finding",
    "Kind",
    "Success",
    "Usual",
    "grace",
    "half",
    "in_order",
    "judge_run",
    "longest_ms",
    "missed",
    "plain",
    "running_long",
    "too_often",
    "unusual",
    "usual_of",
]
