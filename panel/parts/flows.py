"""The chain and the group that a run is a part of, part by part."""

from uuid import UUID

import streamlit as st

from callboard.control.reads.flows import Flow, Part
from callboard.panel.palette import look
from callboard.panel.parts.heading import card_title
from callboard.panel.parts.links import open_run
from callboard.panel.parts.plain import label, plain

TITLES = {"chain": ("Chain", "one after the other"), "group": ("Group", "side by side")}


def flows(found: tuple[Flow, ...], shown: UUID) -> None:
    """A card for each, with a way to every part that has become a run."""
    for flow in found:
        with st.container(border=True, key=f"flow_{flow.kind}", gap="xsmall"):
            card_title(*TITLES[flow.kind])
            for number, part in enumerate(flow.parts, start=1):
                _part(part, f"{flow.kind}_{number}", f"{number}", current=part.run_id == shown)
            for number, part in enumerate(flow.then, start=1):
                _part(part, f"{flow.kind}_then_{number}", "then", current=part.run_id == shown)


def _part(part: Part, key: str, mark: str, *, current: bool) -> None:
    how = look(part.state)
    word = {"waiting": "Not yet", "not run": "Not run"}.get(part.state, how.word)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(mark, width=36)
        st.badge(word, icon=how.icon, color=how.named)
        if part.run_id is None or current:
            plain(part.job, style="strong" if current else "plain")
        else:
            st.button(
                label(part.job),
                key=f"part_{key}",
                type="tertiary",
                on_click=open_run,
                args=(str(part.run_id),),
            )
        if part.reason:
            said = f"because {part.reason}" if part.state == "not run" else part.reason
            plain(said, style="quiet", lines=1)
