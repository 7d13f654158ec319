"""The fleet as figures, warnings and tables."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import streamlit as st
from pandas import DataFrame

from callboard.control.auth import Principal
from callboard.control.reads.fleet import Doing, Fleet, Process
from callboard.core import display
from callboard.core.sizes import size_word
from callboard.panel.palette import BLUE, GREEN, ORANGE, RED, Look
from callboard.panel.parts import tables
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import label, plain

LIVES = {
    "alive": Look("Alive", GREEN, "green", ":material/check_circle:"),
    "silent": Look("Silent", ORANGE, "orange", ":material/hearing_disabled:"),
    "dead": Look("Dead", RED, "red", ":material/dangerous:"),
}
PARTS = {
    "worker": "Worker",
    "scheduler": "Scheduler",
    "recorder": "Recorder",
    "api": "API",
    "panel": "Panel",
}
#: So many of the runs that a worker executes are named in its row, and so many warnings are shown.
NAMED, WARNED = 3, 8


def figures(fleet: Fleet) -> None:
    """How many live, how busy they are, what they weigh, and whether they are of one version."""
    workers = [each for each in fleet.processes if each.part == "worker"]
    alive = sum(each.life == "alive" for each in workers)
    gone = len(workers) - alive
    stuck = sum(each.stuck for each in fleet.living)
    with st.grid(4, min_column_width=150, gap="small", key="fleet_figures"):
        st.metric(
            "Worker processes alive",
            alive,
            f"{gone} silent or dead" if gone else None,
            delta_color="red",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric(
            "Threads busy",
            f"{fleet.busy} of {fleet.threads}",
            f"{stuck} lost" if stuck else None,
            delta_color="red",
            delta_arrow="off",
            border=True,
            height="stretch",
        )
        st.metric("Memory of all", size_word(fleet.memory), border=True, height="stretch")
        st.metric(
            "Version",
            label(fleet.versions[-1], longest=24) if fleet.versions else display.DASH,
            f"{len(fleet.versions)} versions run" if len(fleet.versions) > 1 else None,
            delta_color="red",
            delta_arrow="off",
            border=True,
            height="stretch",
        )


def warnings(fleet: Fleet) -> None:
    """What is not as it should be, one sentence a line; nothing where all is well."""
    found = [(each, said) for each in fleet.processes for said in each.warnings]
    if not found:
        return
    with st.container(border=True, gap="xsmall", key="fleet_warnings"):
        for process, said in found[:WARNED]:
            with st.container(horizontal=True, gap="small"):
                st.markdown(":orange[:material/warning:]", width="content")
                with st.container(gap=None, width="stretch"):
                    plain(f"{PARTS[process.part]} {named(process)}", style="strong", lines=2)
                    plain(said)
        if len(found) > WARNED:
            st.caption(f"and {len(found) - WARNED} more")


def workers_table(found: Sequence[Process], now: datetime) -> None:
    """One row a worker process."""
    states = [_marks(each) for each in found]
    frame = DataFrame(
        {
            "process": [named(each) for each in found],
            "state": [[look.word for look in row] for row in states],
            "load": [100 * each.busy / each.threads if each.threads else 0.0 for each in found],
            "threads": [f"{each.busy} of {each.threads}" for each in found],
            "doing": [_doing(each, now) for each in found],
            "queues": [", ".join(each.queues) for each in found],
            "memory": [size_word(each.memory) for each in found],
            "up": [_up(each, now) for each in found],
            "seen": [_seen(each) for each in found],
            "version": [_version(each) for each in found],
        }
    )
    tables.table(
        frame,
        key="fleet_workers",
        hide_index=True,
        height="content" if len(found) < 14 else 500,
        placeholder="",
        alt="Worker processes",
        column_config={
            "process": st.column_config.TextColumn("Process", width=150),
            "state": tables.badges(
                "State",
                [look for row in states for look in row],
                width=92 if all(len(row) == 1 for row in states) else 206,
            ),
            "load": st.column_config.ProgressColumn(
                "Busy", min_value=0.0, max_value=100.0, format="%.0f%%", width=108
            ),
            "threads": st.column_config.TextColumn("Threads", width=64),
            "doing": st.column_config.TextColumn("Does now", width=220),
            "queues": st.column_config.TextColumn("Queues", width=104),
            "memory": st.column_config.TextColumn("Memory", width=70),
            "up": st.column_config.TextColumn("Up", width=76),
            "seen": st.column_config.TextColumn("Last seen", width=84),
            "version": st.column_config.TextColumn("Version, Python", width=104),
        },
    )


def runs_table(found: Sequence[Process], now: datetime, viewer: Principal) -> None:
    """One row a run that is being executed; a click on it opens it, another asks where it is."""
    rows = sorted(
        ((process, run) for process in found for run in process.runs), key=lambda each: each[1].since
    )
    ids = [run.run_id for _, run in rows]
    told = {
        "run": [run_id[:8] for run_id in ids],
        "job": [run.job for _, run in rows],
        "for": [_elapsed(run, now) for _, run in rows],
        "stack": ["Where it is"] * len(rows),
        "process": [named(process) for process, _ in rows],
        "attempt": [run.attempt for _, run in rows],
        "state": [["Lost" if run.lost else "Running"] for _, run in rows],
    }
    if not viewer.may("workers:inspect"):
        del told["stack"]
    frame = DataFrame(told)
    tables.table(
        frame,
        key="fleet_runs",
        hide_index=True,
        height="content" if len(rows) < 14 else 500,
        placeholder="",
        alt="Runs that are being executed",
        column_config={
            "run": tables.opener("Run", "fleet_run_open", open_run, ids, width=92),
            "job": st.column_config.TextColumn("Job", width=210),
            "for": st.column_config.TextColumn("For", width=80),
            "stack": tables.opener("Stack", "fleet_stack_open", _ask, ids, width=110),
            "process": st.column_config.TextColumn("Process", width=180),
            "attempt": st.column_config.NumberColumn("Attempt", width=72),
            "state": tables.badges("State", [], width=90, more={"Running": BLUE, "Lost": RED}),
        },
    )


def others_table(found: Sequence[Process], now: datetime) -> None:
    """One row a process that is no worker."""
    states = [_marks(each) for each in found]
    frame = DataFrame(
        {
            "part": [PARTS[each.part] for each in found],
            "process": [named(each) for each in found],
            "state": [[look.word for look in row] for row in states],
            "does": [each.does or "" for each in found],
            "memory": [size_word(each.memory) for each in found],
            "up": [_up(each, now) for each in found],
            "seen": [_seen(each) for each in found],
            "version": [_version(each) for each in found],
        }
    )
    tables.table(
        frame,
        key="fleet_others",
        hide_index=True,
        height="content",
        placeholder="",
        alt="Schedulers, recorders, APIs and panels",
        column_config={
            "part": st.column_config.TextColumn("Part", width=90),
            "process": st.column_config.TextColumn("Process", width=190),
            "state": tables.badges("State", [look for row in states for look in row], width=110),
            "does": st.column_config.TextColumn("Does now", width=170),
            "memory": st.column_config.TextColumn("Memory", width=76),
            "up": st.column_config.TextColumn("Up", width=86),
            "seen": st.column_config.TextColumn("Last seen", width=90),
            "version": st.column_config.TextColumn("Version, Python", width=130),
        },
    )


def named(process: Process) -> str:
    """A process by its host and its id there."""
    return f"{process.host or 'host unknown'}:{process.pid or '?'}"


def asked() -> str | None:
    """The run that somebody has asked the place of, once."""
    found: str | None = st.session_state.pop("stack_asked", None)
    return found


def _ask(run_id: str) -> None:
    st.session_state["stack_asked"] = run_id


def _marks(process: Process) -> list[Look]:
    """How it stands, and what is amiss with it, as badges."""
    marks = [LIVES[process.life]]
    if process.outdated:
        marks.append(Look("Old version", ORANGE, "orange", ":material/update:"))
    if process.stuck and process.life != "dead":
        marks.append(Look(f"{process.stuck} lost", RED, "red", ":material/link_off:"))
    return marks


def _doing(process: Process, now: datetime) -> str:
    if process.life == "dead":
        return ""
    if not process.runs:
        return "waits for work"
    said = [f"{run.job} {_elapsed(run, now)}" for run in process.runs[:NAMED]]
    more = process.busy - len(said)
    return ", ".join([*said, *([f"{more} more"] if more > 0 else [])])


def _elapsed(run: Doing, now: datetime) -> str:
    return display.clock(max(0.0, (now - run.since).total_seconds() * 1000))


def _up(process: Process, now: datetime) -> str:
    if process.started_at is None:
        return display.DASH
    return display.span(max(0.0, (now - process.started_at).total_seconds() * 1000))


def _seen(process: Process) -> str:
    return display.distance(process.last_seen, process.last_seen + timedelta(milliseconds=process.silence_ms))


def _version(process: Process) -> str:
    return f"{process.version or display.DASH}, {process.python or display.DASH}"
