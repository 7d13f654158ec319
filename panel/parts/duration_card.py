"""How long a job's runs took: each of them where they are few, percentiles where they are many."""

from callboard.control.reads.jobs import Job
from callboard.panel import loaders
from callboard.panel.charts import base, dots, durations
from callboard.panel.palette import LOOKS, OUTCOMES
from callboard.panel.parts.heading import card_title, days_of, nothing


def duration_card(job: Job, hours: int) -> None:
    """Put the chart on the page."""
    if job.stats.executions <= dots.MOST:
        card_title("Duration", "each run, of its last attempt")
        runs = loaders.history(job.name, days_of(hours), dots.MOST)
        found = dots.frame(runs)
        if len(found):
            seen = set(found["state"])
            words = tuple(LOOKS[state].word for state in OUTCOMES if LOOKS[state].word in seen)
            spec = dots.spec(words, hours, dots.unit(runs))
            base.draw(found, spec, key="dots", alt="Duration of each run of this job")
            return
    else:
        card_title("Duration", "median, and 10th to 95th percentile")
        percentiles = loaders.durations(hours, job.name)
        found = durations.frame(percentiles)
        if len(found):
            spec = durations.spec(hours, durations.unit(percentiles))
            base.draw(found, spec, key="durations", alt="Percentiles of this job's durations over time")
            return
    nothing("show_chart", "Nothing to draw yet. Choose a longer window.", height=232)
