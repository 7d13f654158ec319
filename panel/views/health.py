"""Health: how each queue does; and of the one that ?queue=... names, what is amiss and how it came."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from callboard.control.reads.figure_sheets import backlog_sheet, trend_sheet, waits_sheet
from callboard.control.reads.health import unknown_queue, worst_first
from callboard.control.reads.spans import Span
from callboard.core.clock import utcnow
from callboard.panel import access, loaders
from callboard.panel.parts import findings, health_tiles, trend_cards, wait_bars
from callboard.panel.parts.heading import foot, nothing, page, updated
from callboard.panel.parts.plain import plain
from callboard.panel.parts.taking import csv_button
from callboard.panel.parts.trend_cards import SPANS

with page("Health"):
    st.caption("Queues, the worst first", width="content")

found = loaders.health()
if not found:
    nothing("monitor_heart", "No queue is known yet: queues appear when a worker that serves them starts.")
    st.stop()
names = [each.name for each in worst_first(found)]
chosen = st.query_params.get("queue") or names[0]


def cards(*widths: int) -> list[DeltaGenerator]:
    """Empty cards beside each other, in those proportions; of one number, so many of one width."""
    columns = st.columns(widths if len(widths) > 1 else widths[0], gap="small")
    return [column.container(border=True, height="stretch") for column in columns]


def choose(name: str) -> None:
    st.query_params["queue"] = name


@access.live("health_tiles_live", 5)
def tiles(chosen: str) -> None:
    if st.query_params.get("queue", chosen) != chosen:
        st.rerun()
    health_tiles.tiles(loaders.health(), loaders.depths(), choose, chosen=chosen)


@access.live("health_verdict", 5)
def verdict(chosen: str) -> None:
    queue = next((each for each in loaders.health() if each.name == chosen), None)
    if queue is None:
        raise unknown_queue(chosen, [each.name for each in loaders.health()])
    now = utcnow()
    score, bottlenecks, figures = cards(5, 7, 6)
    with score:
        findings.score_card(queue)
    with bottlenecks:
        findings.bottlenecks_card(queue, now)
    with figures:
        findings.facts_card(queue)
    updated(now)


@access.live("health_trends", 15)
def trends(chosen: str, job: str | None, over: Span) -> None:
    trend, window = loaders.trend(chosen, job, over), trend_cards.window_word(over)
    ended, failed = cards(2)
    with ended:
        trend_cards.throughput_card(trend, over)
    with failed:
        trend_cards.failures_card(trend, over)
    waited, took = cards(2)
    with waited:
        trend_cards.percentiles_card(trend, over, "wait", "Wait", "from ready to start")
    with took:
        trend_cards.percentiles_card(trend, over, "duration", "Duration", "of runs that ended")
    backlog = loaders.backlog(chosen, over)
    waiting, threads = cards(2)
    with waiting:
        trend_cards.backlog_card(backlog, over)
    with threads:
        trend_cards.threads_card(backlog, over)
    waits = loaders.waits(chosen, over)
    parts, blame = cards(2)
    with parts:
        wait_bars.parts_card(waits, window)
    with blame:
        wait_bars.blame_card(waits, window)
    with foot(f"What ended within the last {window}", utcnow()):
        csv_button(
            "health",
            lambda context, _viewer: trend_sheet(context, chosen, job, over),
            key="health_csv",
            what="What ended, failed, waited and took, with what is usual",
            label="Trends",
        )
        csv_button(
            "backlog",
            lambda context, _viewer: backlog_sheet(context, chosen, over),
            key="health_backlog_csv",
            what="What waited and was held back, and how many threads there were and were busy",
            label="Backlog",
        )
        csv_button(
            "waits",
            lambda context, _viewer: waits_sheet(context, chosen, over),
            key="health_waits_csv",
            what="What runs waited for, and which jobs held the threads",
            label="Waits",
        )


tiles(chosen)
plain(chosen, style="title")
verdict(chosen)
if chosen not in names:
    st.stop()
with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
    jobs = sorted(each.name for each in loaders.jobs(30) if each.queue == chosen)
    job = st.selectbox(
        "Job",
        jobs,
        index=None,
        key=f"health_job_{chosen}",
        bind="query-params",
        placeholder="All jobs of this queue",
        label_visibility="collapsed",
        width=300,
    )
    span = st.segmented_control(
        "Time window",
        list(SPANS),
        default="Day",
        key="span",
        label_visibility="collapsed",
        bind="query-params",
        required=True,
        width="content",
    )
trends(chosen, job, SPANS[span or "Day"])
