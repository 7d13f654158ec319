"""What the panel's pages ask of the database, each by itself."""

import gc
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import streamlit

from bench.harness import Servers, aim, percentile, table
from callboard.control.reads.run_search import Wanted
from callboard.core.settings import load_settings

NAMESPACE = "panel"
#: How often each is asked, after once to warm it.
TIMES = 20


def queries(where: Servers, runs: int) -> None:
    """What the pages ask of the database, each by itself and with nothing kept from before."""
    os.environ.update(where.environment(CALLBOARD_NAMESPACE=NAMESPACE))
    from callboard.panel import home, loaders

    home.settle(load_settings(dict(os.environ)))
    # As the panel does once it is warm.
    gc.collect()
    gc.freeze()
    run = one_run(where)
    asked: dict[str, Callable[[], Any]] = {
        "jobs, figures of 30 days": lambda: loaders.jobs(30),
        "jobs, figures of 90 days": lambda: loaders.jobs(90),
        "a job": lambda: loaders.job("job-07", 30),
        "what runs": lambda: loaders.running(),
        "outcomes of a day": lambda: loaders.outcomes(24),
        "outcomes of a week and the one before": lambda: loaders.compared(168),
        "outcomes of 90 days": lambda: loaders.outcomes(2160),
        "outcomes of a job, 90 days": lambda: loaders.outcomes(2160, "job-07"),
        "durations of a job, a week": lambda: loaders.durations(168, "job-07"),
        "durations of a job, 90 days": lambda: loaders.durations(2160, "job-07"),
        "p95 of all jobs by day": lambda: loaders.trends(),
        "failures of a week": lambda: loaders.failures(168, 20),
        "runs of a day": lambda: loaders.runs_found(Wanted(""), 50),
        "runs of a day by state": lambda: loaders.run_states(Wanted("queue:default")),
        "runs that failed, 90 days": lambda: loaders.runs_found(Wanted("state:failed", 2160), 50),
        "runs by an error's words, a day": lambda: loaders.runs_found(Wanted('error:~"answered 3"'), 50),
        **searches(),
        "executions of a job, 90 days": lambda: loaders.history("job-07", 90, 200),
        "slots of a job": lambda: loaders.ledger("job-07", 200),
        "schedules": lambda: loaders.schedules(),
        "dead letters by fingerprint": lambda: loaders.letter_groups(None, None),
        "a run": lambda: loaders.run(run),
        "queues": lambda: loaders.queues(),
        "breakers": lambda: loaders.breakers(),
        "limits": lambda: loaders.limits(),
        "quick actions": lambda: loaders.quick_actions(),
        "health of all queues": lambda: loaders.health(),
        "trend of a queue, a day": lambda: loaders.trend("default", None, "day"),
        "trend of a queue, 90 days": lambda: loaders.trend("default", None, "90days"),
        "depths of all queues, an hour": lambda: loaders.depths(),
        "backlog of a queue, a day": lambda: loaders.backlog("default", "day"),
        "backlog of a queue, a week": lambda: loaders.backlog("default", "week"),
        "backlog of a queue, 90 days": lambda: loaders.backlog("default", "90days"),
        "waits of a queue, a day": lambda: loaders.waits("default", "day"),
        "waits of a queue, 90 days": lambda: loaders.waits("default", "90days"),
        "waits of a queue, a week": lambda: loaders.waits("default", "week"),
        "anomalies": lambda: loaders.anomalies(),
        "collisions of a week": lambda: loaders.collisions(),
        "slots of the coming days": lambda: loaders.coming_days("UTC"),
        "the fleet": lambda: loaders.fleet(),
        "open alerts": lambda: loaders.open_alerts(),
    }
    rows = []
    for name, ask in asked.items():
        taken = []
        for _ in range(TIMES + 1):
            streamlit.cache_resource.clear()
            begun = time.perf_counter()
            ask()
            taken.append((time.perf_counter() - begun) * 1000)
        rows.append((name, percentile(taken[1:], 0.5), percentile(taken[1:], 0.95)))
    home.context().close()
    aim("panel, slowest query, p95 ms", max(row[2] for row in rows), most=100)
    table(f"What pages ask, on {runs:,} runs, ms (p95 under 100)", ("", "p50", "p95"), rows)


#: Searches that are hard: for what is rare, or not there at all.
SEARCHES = (
    "args.coach_id:7",
    "args.nothing:1",
    "queue:nowhere",
    "job:nowhere",
    "error:~timeout",
    "state:failed job:job-07 args.coach_id:7 error:~answered",
)


def searches() -> dict[str, Callable[[], Any]]:
    """The page of runs and the counts of its tabs, of a day and of 90."""
    from callboard.panel import loaders

    asked: dict[str, Callable[[], Any]] = {}
    for hours, window in ((24, "a day"), (2160, "90 days")):
        for words in SEARCHES:
            wanted = Wanted(words, hours)
            asked[f"{words}, {window}"] = partial(loaders.runs_found, wanted, 50)
            asked[f"{words}, {window}, by state"] = partial(loaders.run_states, wanted)
    return asked


def one_run(where: Servers) -> str:
    """The id of a run that failed."""
    with psycopg.connect(where.database_url) as connection:
        row = connection.execute(
            "SELECT run_id FROM callboard.runs WHERE state = 'failed' ORDER BY finished_at DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return str(row[0])
