"""A queue: how much waits in it, its jobs, and its runs. The address names it: ?queue=..."""

import streamlit as st

from callboard.core.errors import NotFound
from callboard.panel import access, loaders
from callboard.panel.parts import quick_actions
from callboard.panel.parts.open_alerts import open_alerts
from callboard.panel.parts.queue_head import queue_head
from callboard.panel.parts.run_browser import run_browser

viewer = access.require()
try:
    detail = loaders.queue(st.query_params.get("queue", ""))
except NotFound as error:
    access.trouble(error)
    st.page_link("views/queues.py", label="All queues", icon=":material/arrow_back:")
    st.stop()

st.set_page_config(page_title=f"{detail.queue.name} - Callboard")
queue_head(detail, viewer)
open_alerts(queue=detail.queue.name)
if actions := [each for each in loaders.quick_actions() if each.job in detail.jobs]:
    quick_actions.card(actions, viewer)
run_browser(viewer, detail.queue.name)
