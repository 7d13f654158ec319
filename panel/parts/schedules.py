"""A job's schedules: in words, as written, and when each is due next."""

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from callboard.control.reads.jobs import Schedule
from callboard.core.display import distance, moment, zone
from callboard.panel.parts.heading import card_title, viewer_zone
from callboard.panel.parts.links import open_schedule
from callboard.panel.parts.plain import plain


def schedules(found: Sequence[Schedule], now: datetime, *, enabled: bool) -> None:
    """Put them on the page, one below the other."""
    card_title("Schedule" if len(found) < 2 else "Schedules", f"times in {viewer_zone()}")
    if not found:
        st.caption("No schedule: it runs when somebody or some code asks for it.")
    for schedule in found:
        with st.container(gap="xsmall"):
            plain(schedule.words, style="strong")
            plain(f"{schedule.expr}   {schedule.tz}", style="code")
            plain(_next(schedule, now, enabled=enabled), style="quiet")
            if schedule.declared_expr and (schedule.declared_expr, schedule.declared_tz) != (
                schedule.expr,
                schedule.tz,
            ):
                plain(f"The code says {schedule.declared_expr} {schedule.declared_tz}.", style="quiet")
            st.button(
                "Open the schedule",
                key=f"schedule_{schedule.id}",
                type="tertiary",
                on_click=open_schedule,
                args=(schedule.id,),
            )


def _next(schedule: Schedule, now: datetime, *, enabled: bool) -> str:
    if not schedule.enabled:
        return "This schedule is off."
    if schedule.next_at is None:
        return "It never falls due again."
    when = f"{moment(schedule.next_at, zone(viewer_zone()), now)}, {distance(schedule.next_at, now)}"
    return f"Due {when}" if enabled else f"Would be due {when}; the job is off."
