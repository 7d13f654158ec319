"""The dialogs that make, change and delete a schedule, with a preview of what it would do as one types."""

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from callboard.control.actions import schedules as actions
from callboard.control.actions.schedule_fields import MISFIRES
from callboard.control.auth import Principal
from callboard.control.reads import previews
from callboard.control.reads.jobs import Job
from callboard.control.reads.schedules import Schedule
from callboard.core.errors import BadInput, CallboardError
from callboard.core.templates import SUGGESTIONS
from callboard.core.zones import zone_names
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import preview, told
from callboard.panel.parts.heading import viewer_zone
from callboard.panel.parts.plain import plain
from callboard.panel.parts.run_dialog import ASKED, arguments, field

_EXPRS = {each.title: each.expr for each in SUGGESTIONS}
#: What becomes of slots that are found late, as people say it.
POLICIES = {
    "run_once": "run once for all of them",
    "run_all": "run each of them",
    "skip": "do not run them",
}
#: So many coming runs are shown.
SHOWN = 50


@st.dialog("Edit schedule", icon=":material/edit_calendar:", width="medium")
def edit_dialog(schedule: Schedule) -> None:
    """Change what a schedule says, seeing which of its slots go and come. It is of the version shown."""
    plain(schedule.name, style="strong")
    expr = _expression(schedule.expr, key=f"edit_expr_{schedule.id}")
    tz = _zone(schedule.tz, key=f"edit_tz_{schedule.id}")
    changes: dict[str, Any] = {"expr": expr, "tz": tz}
    with st.expander("Slots found late, arguments"):
        changes |= _policy(schedule.misfire, schedule.misfire_limit, schedule.grace_ms, key="edit")
        written = st.text_area(
            "Arguments by name, as JSON", value=json.dumps(schedule.kwargs), key="edit_kwargs", height=80
        )
    try:
        found = previews.preview_edit(context(), schedule.id, expr=expr, tz=tz, count=SHOWN)
    except CallboardError as error:
        access.trouble(error)
        return
    st.caption(found.after.words)
    preview.changes(found.edit, tz)
    preview.coming(found.after, key="edit_coming")
    if st.button("Save", type="primary", key="edit_confirm", width="stretch", shortcut="Mod+Enter"):

        def save(caller: Principal) -> Schedule:
            kwargs = _object(written)
            if kwargs != schedule.kwargs:
                changes["kwargs"] = kwargs
            return actions.edit_schedule(context(), caller, schedule.id, changes, version=schedule.changed_at)

        _do(save, f"{schedule.name} is changed.")


@st.dialog("Add a schedule", icon=":material/more_time:", width="medium")
def new_dialog(jobs: tuple[Job, ...]) -> None:
    """Ask for a job, when it is to run and with what, and show when that is."""
    by_name = {job.name: job for job in jobs}
    name = st.selectbox("Job", list(by_name), key="new_job")
    if name is None:
        st.caption("No job is known yet: jobs appear when a worker that has them starts.")
        return
    st.pills("Often wanted", list(_EXPRS), key="new_often", on_change=_take_often)
    expr = _expression("0 8 * * *", key="new_expr")
    tz = _zone(viewer_zone(), key="new_tz")
    asked = [each for each in by_name[name].signature if each.get("kind", ASKED[1]) in ASKED]
    entered = {each["name"]: field(each, key=f"new_argument_{name}_{each['name']}") for each in asked}
    with st.expander("Name, slots found late"):
        key = st.text_input("Name within its job", key="new_key", placeholder="operator-1")
        policy = _policy("run_once", 100, 60_000, key="new")
    try:
        found = previews.preview(expr, tz, count=SHOWN)
    except CallboardError as error:
        access.trouble(error)
        return
    st.caption(found.words)
    preview.coming(found, key="new_coming")
    if st.button("Add", type="primary", key="new_confirm", width="stretch", shortcut="Mod+Enter"):

        def add(caller: Principal) -> Schedule:
            args, kwargs = arguments(asked, entered)
            return actions.add_schedule(
                context(), caller, name, expr, key=key or None, tz=tz, args=args, kwargs=kwargs, **policy
            )

        _do(add, f"{name} has one more schedule.")


@st.dialog("Delete schedule", icon=":material/delete:")
def delete_dialog(schedule: Schedule) -> None:
    """Delete a schedule after a second look."""
    plain(schedule.name, style="strong")
    st.caption("It fires no more. What became of its slots stays in the ledger.")
    if st.button("Delete", type="primary", key="delete_confirm", width="stretch", shortcut="Mod+Enter"):
        _do(
            lambda caller: actions.remove_schedule(
                context(), caller, schedule.id, version=schedule.changed_at
            ),
            f"{schedule.name} is deleted.",
            leave=True,
        )


def switch_now(schedule: Schedule) -> None:
    """Switch a schedule off or on; from a callback, so a refusal is kept for the page to show."""
    word = "off" if schedule.enabled else "on"
    _now(
        lambda caller: actions.set_schedule_enabled(context(), caller, schedule.id, not schedule.enabled),
        f"{schedule.name} is switched {word}.",
    )


def reset_now(schedule: Schedule) -> None:
    """Let a schedule be what its code says; from a callback."""
    _now(
        lambda caller: actions.reset_schedule(context(), caller, schedule.id, version=schedule.changed_at),
        f"{schedule.name} is as its code says.",
    )


def _expression(value: str, *, key: str) -> str:
    return st.text_input(
        "Cron expression", value=value, key=key, live=True, help="minute hour day month weekday"
    )


def _zone(value: str, *, key: str) -> str:
    names = list(zone_names())
    place = names.index(value) if value in names else 0
    return st.selectbox("Time zone", names, index=place, key=key) or "UTC"


def _policy(misfire: str, limit: int, grace_ms: int, *, key: str) -> dict[str, Any]:
    chosen = st.selectbox(
        "Slots found late",
        MISFIRES,
        index=MISFIRES.index(misfire),
        key=f"{key}_misfire",
        format_func=lambda name: POLICIES[name],
    )
    most = st.number_input("At most so many", 0, 500, min(limit, 500), key=f"{key}_limit")
    grace_s = st.number_input("On time for (s)", 0, 604_800, grace_ms // 1000, key=f"{key}_grace")
    return {
        "misfire": chosen,
        "misfire_limit": limit if most == min(limit, 500) else most,
        "grace_ms": grace_ms if grace_s == grace_ms // 1000 else grace_s * 1000,
    }


def _object(written: str) -> dict[str, Any]:
    try:
        found = json.loads(written or "{}")
    except ValueError as error:
        raise BadInput(f"The arguments are no JSON ({error}).") from None
    if not isinstance(found, dict):
        raise BadInput('The arguments by name are an object, such as {"name": "Ada"}.')
    return found


def _take_often() -> None:
    chosen = st.session_state.get("new_often")
    if chosen in _EXPRS:
        st.session_state["new_expr"] = _EXPRS[chosen]


def _do(action: Callable[[Principal], Any], sentence: str, *, leave: bool = False) -> None:
    try:
        action(access.require())
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    told.done(sentence)
    if leave:
        st.query_params.pop("schedule", None)
    st.rerun()


def _now(action: Callable[[Principal], Any], sentence: str) -> None:
    try:
        action(access.require())
    except CallboardError as error:
        told.refused(error)
        return
    loaders.forget()
    told.done(sentence)
