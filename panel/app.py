"""The panel's frame: who is here, the pages, and what stands around each of them."""

from pathlib import Path

import streamlit as st

from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.administration import administration
from callboard.panel.parts.account import account
from callboard.panel.parts.open_alerts import critical_count
from callboard.panel.parts.pauses import paused_banner
from callboard.panel.parts.told import tell

HERE = Path(__file__).parent
VIEWS = HERE / "views"

st.set_page_config(
    page_title="Callboard",
    page_icon=str(HERE / "static" / "icon.svg"),
    layout="wide",
    initial_sidebar_state=204,
)
dark = st.context.theme.type == "dark"
st.logo(str(HERE / "static" / ("logo-dark.svg" if dark else "logo-light.svg")), size="large")

try:
    viewer = access.require()
    critical = critical_count()
    page = st.navigation(
        [
            st.Page(VIEWS / "overview.py", title="Overview", icon=":material/monitoring:", default=True),
            st.Page(VIEWS / "jobs.py", title="Jobs", icon=":material/event_repeat:", url_path="jobs"),
            st.Page(VIEWS / "queues.py", title="Queues", icon=":material/stacks:", url_path="queues"),
            st.Page(VIEWS / "runs.py", title="Runs", icon=":material/play_circle:", url_path="runs"),
            st.Page(VIEWS / "health.py", title="Health", icon=":material/monitor_heart:", url_path="health"),
            st.Page(
                VIEWS / "anomalies.py",
                title="Anomalies",
                icon=":material/troubleshoot:",
                url_path="anomalies",
            ),
            st.Page(VIEWS / "workers.py", title="Workers", icon=":material/memory:", url_path="workers"),
            st.Page(
                VIEWS / "schedules.py",
                title="Schedules",
                icon=":material/calendar_clock:",
                url_path="schedules",
            ),
            st.Page(
                VIEWS / "dead_letters.py",
                title="Dead letters",
                icon=":material/inbox:",
                url_path="dead-letters",
            ),
            st.Page(
                VIEWS / "alerts.py",
                title=f"Alerts ({critical})" if critical else "Alerts",
                icon=":material/notifications:",
                url_path="alerts",
            ),
            st.Page(
                VIEWS / "job.py",
                title="Job",
                icon=":material/event_repeat:",
                url_path="job",
                visibility="hidden",
            ),
            st.Page(
                VIEWS / "queue.py",
                title="Queue",
                icon=":material/stacks:",
                url_path="queue",
                visibility="hidden",
            ),
            st.Page(
                VIEWS / "run.py",
                title="Run",
                icon=":material/play_circle:",
                url_path="run",
                visibility="hidden",
            ),
            *administration(viewer),
        ],
        expanded=True,
    )
    st.set_page_config(page_title=f"{page.title} - Callboard")
    account(viewer)
    paused_banner(viewer)
    tell()
    page.run()
except CallboardError as error:
    access.trouble(error)
