"""Viewers who go from page to page for an hour, while runs go on: the panel's memory has to stay flat."""

import threading
import time
from itertools import pairwise

import dramatiq
import psutil

from bench.harness import Servers, aim, recorder, servers, table, worker
from bench.panel import PAGES, VIEWERS, filled, panel, prepare
from bench.panel_reads import NAMESPACE, one_run
from bench.viewers import Viewer
from callboard.middleware.broker import Broker

RUNS, LENGTH_S = 500_000, 3_600.0
#: How long (s) a viewer stays on a page before opening the next one in a session of its own.
STAY_S = 60.0
#: How many runs end in a second meanwhile.
RATE = 20
#: In how many equal parts the time is told; what is shared by all viewers is loaded in the first.
PARTS = 6


def main(*, quick: bool) -> None:
    """Let them look, and weigh the panel's process once a second."""
    length_s = 360.0 if quick else LENGTH_S
    with servers() as where:
        cookie, run = prepare(where, RUNS), one_run(where)
        with (
            recorder(where, NAMESPACE),
            worker(where, "callboard", NAMESPACE),
            panel(where) as (url, serving),
        ):
            weighed = weigh(where, url, cookie, run, serving, length_s)
    cuts = [len(weighed) * part // PARTS for part in range(PARTS + 1)]
    means = [sum(weighed[one:other]) / (other - one) for one, other in pairwise(cuts)]
    minutes = length_s / 60
    aim(f"panel, memory of minute {minutes:.0f}, x minute {minutes / 3:.0f}", means[-1] / means[1], most=1.05)
    table(
        f"Memory of the panel while {VIEWERS} viewers go from page to page, MB (RSS)",
        ("until minute", *(f"{minutes * (part + 1) / PARTS:.0f}" for part in range(PARTS)), "most"),
        [("mean", *means, max(weighed))],
    )


def weigh(
    where: Servers, url: str, cookie: str, run: str, serving: psutil.Process, length_s: float
) -> list[float]:
    """The MB of the panel's process, once a second, while viewers wander and runs end."""
    until = time.monotonic() + length_s
    broken: list[str] = []

    def wander(number: int) -> None:
        while (left := until - time.monotonic()) > 0:
            name, page, query = PAGES[number % len(PAGES)]
            viewer = Viewer(url, cookie, page, filled(query, run))
            viewer.open()
            viewer.watch(min(left, STAY_S))
            viewer.close()
            if viewer.errors:
                broken.append(name)
            number += 1

    threads = [threading.Thread(target=wander, args=(number,)) for number in range(VIEWERS)]
    broker = Broker(url=where.redis_url, namespace=NAMESPACE)
    actor = dramatiq.actor(actor_name="noop", queue_name="bench", broker=broker)(lambda: None)
    weighed = []
    for thread in threads:
        thread.start()
        time.sleep(STAY_S / VIEWERS)
    while time.monotonic() < until:
        broker.enqueue_many(actor.message() for _ in range(RATE))
        weighed.append(serving.memory_info().rss / 1e6)
        time.sleep(1.0)
    for thread in threads:
        thread.join()
    broker.close()
    if broken:
        raise RuntimeError(f"These pages showed an error: {', '.join(sorted(set(broken)))}.")
    return weighed
