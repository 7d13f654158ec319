"""The dialog that applies a template to two jobs, after showing what that does."""

import streamlit as st
from pandas import DataFrame

from callboard.control.actions.schedule_templates import Applied, apply_template
from callboard.control.reads.jobs import Job
from callboard.core.errors import CallboardError
from callboard.core.templates import TEMPLATES
from callboard.core.zones import zone_names
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import preview, tables, told
from callboard.panel.parts.heading import viewer_zone
from callboard.panel.parts.plain import plain

_WORDS = {"add": "Add", "edit": "Change", "keep": "Keep", "disable": "Switch off", "remove": "Delete"}
_BY_SLUG = {each.slug: each for each in TEMPLATES}


@st.dialog("Apply a template", icon=":material/dashboard_customize:", width="medium")
def template_dialog(jobs: tuple[Job, ...], *, sync: str | None = None) -> None:
    """Choose a pattern and the two jobs that it is for; both are changed, or neither.

    `sync` is the job that is chosen to begin with.
    """
    names = [job.name for job in jobs]
    first = names.index(sync) if sync in names else None
    slug = st.selectbox(
        "Template", list(_BY_SLUG), key="template", format_func=lambda slug: _BY_SLUG[slug].title
    )
    st.caption(_BY_SLUG[slug].purpose)
    left, right = st.columns(2)
    with left:
        sync = st.selectbox("Sync: fetches what is recent", names, index=first, key="template_sync")
    with right:
        totals = st.selectbox("Totals: adds it up", names, index=None, key="template_totals")
    zones = list(zone_names())
    tz = st.selectbox("Time zone", zones, index=zones.index(viewer_zone()), key="template_tz")
    keep = st.checkbox("Leave the other schedules of these jobs on", key="template_keep")
    if not sync or not totals:
        st.caption("Choose the two jobs to see what changes.")
        return

    def applied(*, dry_run: bool) -> Applied:
        return apply_template(
            context(),
            access.require(),
            slug,
            sync=sync,
            totals=totals,
            tz=tz,
            keep_others=keep,
            dry_run=dry_run,
        )

    try:
        _show(applied(dry_run=True))
        if not st.button(
            "Apply", type="primary", key="template_confirm", width="stretch", shortcut="Mod+Enter"
        ):
            return
        done = applied(dry_run=False)
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    told.done(f"{done.template.title} is applied to {sync} and {totals}.")
    st.rerun()


def _show(tried: Applied) -> None:
    for change in tried.jobs:
        plain(change.job, style="strong")
        rows = [
            {
                "what": _WORDS[step.what],
                "schedule": step.key,
                "before": step.expr_before or "",
                "after": step.expr if step.what in ("add", "edit", "keep") else "",
            }
            for step in change.steps
        ]
        tables.table(
            DataFrame(rows),
            key=f"template_steps_{change.role}",
            hide_index=True,
            height="content",
            column_config={
                "what": st.column_config.TextColumn("What", width=84),
                "schedule": st.column_config.TextColumn("Schedule", width=210),
                "before": st.column_config.TextColumn("Before"),
                "after": st.column_config.TextColumn("After"),
            },
        )
        preview.changes(change.edit, change.steps[0].tz)
