"""The panel's frame: who is here, the pages, and what stands around each of them."""

from pathlib import Path

import streamlit as st

from callboard.core.errors import CallboardError
from callboard.panel import access
from callboard.panel.administration import administration
from callboard.panel.parts.account import account
from callboard.panel.parts.pauses import paused_banner

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
    page = st.navigation(
        [
            st.Page(VIEWS / "overview.py", title="Overview", icon=":material/monitoring:", default=True),
            st.Page(VIEWS / "jobs.py", title="Jobs", icon=":material/event_repeat:", url_path="jobs"),
            st.Page(VIEWS / "queues.py", title="Queues", icon=":material/stacks:", url_path="queues"),
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
                VIEWS / "job.py",
                title="Job",
                icon=":material/event_repeat:",
                url_path="job",
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
        ]
    )
    st.set_page_config(page_title=f"{page.title} - Callboard")
    account(viewer)
    paused_banner(viewer)
    page.run()
except CallboardError as error:
    access.trouble(error)
