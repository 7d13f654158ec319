"""A run: what became of it, step by step, and everything that it left. The address names it: ?run=..."""

from datetime import timedelta

import streamlit as st

from callboard.core.clock import utcnow
from callboard.core.errors import BadInput, NotFound
from callboard.panel import access, loaders
from callboard.panel.charts import base, life
from callboard.panel.parts import run_detail
from callboard.panel.parts.flows import flows
from callboard.panel.parts.heading import card_title, nothing
from callboard.panel.parts.run_actions import run_actions

#: Within less than this, a moment needs its milliseconds.
BRIEF = timedelta(seconds=8)

viewer = access.require()
wanted = st.query_params.get("run", "")
try:
    first = loaders.run(wanted)
except (NotFound, BadInput) as error:
    access.trouble(error)
    st.page_link("views/jobs.py", label="All jobs", icon=":material/arrow_back:")
    st.stop()


def show(run_id: str) -> None:
    now = utcnow()
    detail = loaders.run(run_id)
    run_detail.head(detail, now)
    run_actions(detail, viewer)
    left, right = st.columns([4, 3], gap="small")
    with left.container(border=True, height="stretch"):
        steps = life.steps(detail, now)
        card_title("Steps", "each with how long it took")
        if steps:
            found = life.frame(steps)
            words = tuple(dict.fromkeys(found["word"]))
            base.draw(
                found,
                life.spec(words, len(steps), brief=steps[-1].end - steps[0].start < BRIEF),
                key="life",
                alt="What this run did, step by step",
            )
        else:
            nothing("hourglass_empty", "It has not begun.", height=120)
    with right.container(border=True, height="stretch"):
        run_detail.facts_of(detail, now)
    flows(detail.flows, detail.run.run_id)
    run_detail.body(detail)


if first.run.ended:
    show(wanted)
else:
    access.live("run", 2)(show)(wanted)
