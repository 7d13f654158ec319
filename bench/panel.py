"""The panel on ten million runs: its queries, its pages, many viewers, and the recorder beside them."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq
import httpx
import psutil
import psycopg

from bench.harness import (
    ROOT,
    Servers,
    aim,
    console,
    cpu_seconds,
    percentile,
    process,
    recorder,
    servers,
    table,
    wait_until,
    worker,
)
from bench.panel_reads import NAMESPACE, TIMES, one_run, queries
from bench.viewers import Viewer
from bench.visible import watch
from callboard.control.addresses import choose_ports
from callboard.control.auth import Role, add_user, local_principal, log_in
from callboard.control.context import Context
from callboard.core.settings import load_settings
from callboard.middleware.broker import Broker

RUNS, JOBS, DAYS = 10_000_000, 60, 90
VIEWERS = 15
#: How long (s) viewers look.
LOOK_S = 60.0
#: How often each page is gone to.
NAVIGATED = 5
RATE, RATE_S = 2_000, 30
NAME, PASSWORD = "bench", "as-many-as-there-are"
#: The pages with what their addresses name; a page without a part that renders itself is looked at once.
PAGES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Overview", "", {}),
    ("Overview, 90 days", "", {"window": "90 days"}),
    ("Jobs", "jobs", {}),
    ("Job", "job", {"job": "job-07"}),
    ("Job, 90 days", "job", {"job": "job-07", "window": "90 days"}),
    ("Queues", "queues", {}),
    ("Queue", "queue", {"queue": "default"}),
    ("Runs", "runs", {}),
    ("Health", "health", {}),
    ("Health, 90 days", "health", {"queue": "default", "span": "90 days"}),
    ("Workers", "workers", {}),
    ("Alerts", "alerts", {}),
    ("Schedules", "schedules", {}),
    ("Schedules, calendar", "schedules", {"schedules_tab": "Calendar"}),
    ("Schedules, collisions", "schedules", {"schedules_tab": "Collisions"}),
    ("Schedules, ledger", "schedules", {"schedules_tab": "Ledger"}),
    ("Anomalies", "anomalies", {}),
    ("Dead letters", "dead-letters", {}),
    ("Run", "run", {"run": "{run}"}),
    ("Users", "users", {}),
    ("Tokens", "tokens", {}),
    ("Audit", "audit", {}),
)
#: All that the navigation names, to somebody who may see all of it.
NAVIGATION = (
    *("Jobs", "Queues", "Runs", "Health", "Anomalies", "Workers", "Schedules", "Dead letters", "Alerts"),
    *("Users", "Tokens", "Audit", "Overview"),
)


def main(*, quick: bool) -> None:
    """Fill the history, then measure what is seen of it."""
    runs = 500_000 if quick else RUNS
    with servers() as where:
        cookie = prepare(where, runs)
        queries(where, runs)
        with panel(where) as (url, serving):
            run = one_run(where)
            pages(url, cookie, run, runs)
            look_s = 15.0 if quick else LOOK_S
            viewers(where, url, cookie, run, serving, look_s)
            navigate(url, runs)
        if not quick:
            record(where)


def prepare(where: Servers, runs: int) -> str:
    """Make so many runs, and an administrator; returns the cookie of their session."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.million import fill

    begun = time.perf_counter()
    fill(where.database_url, runs=runs, jobs=JOBS, days=DAYS)
    console.print(f"  {runs:,} runs made in {time.perf_counter() - begun:.0f} s")
    settings = load_settings(where.environment(CALLBOARD_NAMESPACE=NAMESPACE))
    with Context(settings, application_name="bench") as context:
        add_user(context, local_principal(), NAME, Role.ADMIN, PASSWORD)
        return log_in(context, NAME, PASSWORD, address="127.0.0.1").token


@contextmanager
def panel(where: Servers) -> Iterator[tuple[str, psutil.Process]]:
    """A panel of its own process; its address."""
    unset = where.environment(CALLBOARD_NAMESPACE=NAMESPACE, CALLBOARD_API_PORT="0", CALLBOARD_PANEL_PORT="0")
    port = choose_ports(load_settings(unset)).callboard_panel_port
    url = f"http://127.0.0.1:{port}"
    environment = unset | {"CALLBOARD_PANEL_PORT": str(port)}
    with process(["-m", "callboard.panel.serve"], environment) as started:

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/healthz", timeout=1).status_code == 200
            except httpx.HTTPError:
                return False

        wait_until(answers, timeout=60, what="the panel", every=0.1)
        yield url, started


def filled(query: dict[str, str], run: str) -> dict[str, str]:
    """A page's query with the run to look at."""
    return {key: value.format(run=run) for key, value in query.items()}


def pages(url: str, cookie: str, run: str, runs: int) -> None:
    """Each page as a whole: until the last part of it has reached the viewer."""
    rows = []
    for name, page, query in PAGES:
        viewer = Viewer(url, cookie, page, filled(query, run))
        first = viewer.open()
        taken = [viewer.render() for _ in range(TIMES)]
        viewer.close()
        if viewer.errors:
            raise RuntimeError(f"The page {name} showed an error.")
        rows.append((name, first, percentile(taken, 0.5), percentile(taken, 0.95)))
    aim("panel, slowest page, warm, p95 ms", max(row[3] for row in rows), most=1_000)
    table(f"Whole pages, on {runs:,} runs, ms (warm p95 under 1,000)", ("", "first", "p50", "p95"), rows)


def viewers(where: Servers, url: str, cookie: str, run: str, serving: psutil.Process, look_s: float) -> None:
    """One viewer of the overview, fifteen of it, and fifteen of one page each.

    What they cost the database is compared for the overview alone: pages of others ask for other things.
    """
    spread = [PAGES[number * len(PAGES) // VIEWERS] for number in range(VIEWERS)]
    rows = []
    for what, chosen in (
        ("1 viewer of the overview", PAGES[:1]),
        (f"{VIEWERS} viewers of the overview", PAGES[:1] * VIEWERS),
        (f"{VIEWERS} viewers of as many pages", spread),
    ):
        with looking(
            [Viewer(url, cookie, page, filled(query, run)) for _, page, query in chosen]
        ) as watching:
            cpu, load, begun = cpu_seconds(serving), busy_ms(where), time.monotonic()
            before = [len(viewer.ticks) for viewer in watching]
            time.sleep(look_s)
            length = time.monotonic() - begun
            share, load = (cpu_seconds(serving) - cpu) / length, (busy_ms(where) - load) / length
            ticks = [
                tick for viewer, known in zip(watching, before, strict=True) for tick in viewer.ticks[known:]
            ]
        p50, p95 = percentile(ticks, 0.5), percentile(ticks, 0.95)
        rows.append((what, len(ticks), p50, p95, share * 100, load, serving.memory_info().rss / 1e6))
    aim(f"panel, {VIEWERS} viewers, tick p95, ms", max(row[3] for row in rows[1:]), most=60)
    aim(f"panel, {VIEWERS} viewers, % of a core", max(row[4] for row in rows[1:]), most=15)
    aim(
        f"panel, database load of {VIEWERS} viewers of the overview, x one", rows[1][5] / rows[0][5], most=1.5
    )
    table(
        f"Viewers, for {look_s:.0f} s each (tick p95 under 60, under 15 % of a core)",
        ("", "ticks", "p50 ms", "p95 ms", "% of a core", "database, ms/s", "RSS MB"),
        rows,
    )


@contextmanager
def looking(watching: list[Viewer]) -> Iterator[list[Viewer]]:
    """Have viewers look within the block, all of them from its beginning on."""
    gone = threading.Event()
    broken: list[str] = []

    def watch(viewer: Viewer) -> None:
        try:
            viewer.watch(3_600, gone)
        except Exception as error:  # noqa: BLE001 - it is raised below
            broken.append(f"{viewer.page or 'overview'}: {error!r}")

    threads = [threading.Thread(target=watch, args=(viewer,)) for viewer in watching]
    for viewer, thread in zip(watching, threads, strict=True):
        viewer.open()
        thread.start()
        # People do not come in one moment, and the timers of their pages run apart from then on.
        time.sleep(0.37)
    try:
        yield watching
    finally:
        gone.set()
        for viewer, thread in zip(watching, threads, strict=True):
            thread.join()
            viewer.close()
            if viewer.errors:
                broken.append(f"{viewer.page or 'overview'}: it showed an error")
    if broken:
        raise RuntimeError("; ".join(broken))


def busy_ms(where: Servers) -> float:
    """The ms that the database has spent on statements so far."""
    # What a session has done is counted once a second.
    time.sleep(1.1)
    with psycopg.connect(where.database_url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT active_time FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    return float(row[0])


def navigate(url: str, runs: int) -> None:
    """From the click on a page's name to the page standing still, in Chromium."""
    from playwright.sync_api import expect

    from helpers.browser import READY, Visitor, open_browser

    rows = []
    with open_browser() as browser:
        visitor = Visitor(browser.new_context(viewport={"width": 1440, "height": 900}), url)
        page = visitor.sign_in(NAME, PASSWORD)
        visitor.ready()
        links = page.get_by_test_id("stSidebar")
        for name in NAVIGATION:
            taken = []
            for _ in range(NAVIGATED):
                links.get_by_role("link", name="Jobs" if name != "Jobs" else "Overview").click()
                visitor.ready()
                page.wait_for_timeout(1_000)
                begun = time.perf_counter()
                links.get_by_role("link", name=name).click()
                expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
                page.wait_for_selector(READY)
                taken.append((time.perf_counter() - begun) * 1000)
            rows.append((name, percentile(taken, 0.5), max(taken)))
    aim("panel, slowest navigation, median ms", max(row[1] for row in rows), most=1_500)
    table(f"From a click to the page, on {runs:,} runs, ms (under 1,500)", ("", "p50", "worst"), rows)


def record(where: Servers) -> None:
    """Two thousand runs a second for half a minute on top of that history."""
    taken = []
    with recorder(where, NAMESPACE), worker(where, "callboard", NAMESPACE):
        broker = Broker(url=where.redis_url, namespace=NAMESPACE)
        actor = dramatiq.actor(actor_name="noop", queue_name="bench", broker=broker)(lambda: None)
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            for _ in range(RATE_S * 10):
                begun = time.monotonic()
                messages = [actor.message() for _ in range(RATE // 10)]
                broker.enqueue_many(messages)
                taken.append(watch(connection, messages[-1].message_id))
                time.sleep(max(0.0, begun + 0.1 - time.monotonic()))
            row = connection.execute(
                "SELECT count(*) FROM callboard.runs WHERE job = 'noop' AND state = 'succeeded'"
            ).fetchone()
        broker.close()
    sent = RATE * RATE_S
    aim(f"recorder at {RATE:,} runs/s, p99 ms until visible", percentile(taken, 0.99), most=500)
    aim("recorder, share of the runs recorded", (row[0] if row else 0) / sent, least=1.0)
    table(
        f"{RATE:,} runs a second for {RATE_S} s, ms from a run's end to its row",
        ("sent", "recorded", "p50", "p99", "worst"),
        [(f"{sent:,}", f"{row[0] if row else 0:,}", *(percentile(taken, q) for q in (0.5, 0.99, 1.0)))],
    )
