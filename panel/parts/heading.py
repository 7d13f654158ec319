"""Headings of pages and cards, and what stands where there is nothing to show."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import streamlit as st

from callboard.core.display import zone
from callboard.panel.parts.plain import plain

#: Windows of time that a page can look at: the word, hours, and days for figures that are counted in days.
WINDOWS: dict[str, int] = {"24 hours": 24, "7 days": 168, "30 days": 720, "90 days": 2160}


@contextmanager
def page(title: str) -> Iterator[None]:
    """The head of a page: its title, and at the right what the block puts there."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(title, width="content")
        yield


def window_control(key: str = "window", default: str = "7 days") -> int:
    """The choice of a window, kept in the address; returns its hours."""
    chosen = st.segmented_control(
        "Time window",
        list(WINDOWS),
        default=default,
        key=key,
        label_visibility="collapsed",
        bind="query-params",
        required=True,
        width="content",
    )
    return WINDOWS[chosen or default]


def window_word(hours: float) -> str:
    """The window of that many hours, in words."""
    return next((word for word, length in WINDOWS.items() if length == hours), f"{hours:g} hours")


def days_of(hours: float) -> int:
    """Whole days, for figures that are counted in days."""
    return max(1, round(hours / 24))


def card_title(title: str, note: str | None = None) -> None:
    """The title of a card, and beside it in small what its numbers are."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.markdown(f"**{title}**", width="content")
        if note:
            st.caption(note, width="content")


def nothing(icon: str, sentence: str, *, height: int | None = None) -> None:
    """An empty state: an icon and a sentence that says what to do. The sentence is our own text."""
    with st.container(
        horizontal_alignment="center",
        vertical_alignment="center",
        gap="xsmall",
        height=height or "content",
        border=False,
    ):
        st.markdown(f"## :gray[:material/{icon}:]", text_alignment="center")
        st.caption(sentence, text_alignment="center")


#: Where it is kept that somebody wants times in UTC, whatever their browser's zone is.
IN_UTC = "times_in_utc"


def in_utc() -> bool:
    """Whether the viewer has asked for times in UTC."""
    return bool(st.session_state.get(IN_UTC))


def viewer_zone() -> str:
    """The zone that times are shown in: the browser's, or UTC where that is asked for or none is known."""
    return "UTC" if in_utc() else browser_zone()


def browser_zone() -> str:
    """The browser's time zone; UTC where it names none that is known."""
    return str(zone(st.context.timezone))


@contextmanager
def foot(said: str, at: datetime) -> Iterator[None]:
    """The foot of a live part: what it shows, and at the right what the block puts there and how old it is.

    `said` is our own text.
    """
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(said, width="content")
        with st.container(horizontal=True, vertical_alignment="center", width="content", gap="small"):
            yield
            updated(at)


def updated(at: datetime) -> None:
    """When a live part was last rendered."""
    said = f"Updated {at.astimezone(zone(viewer_zone())):%H:%M:%S}"
    plain(said, style="quiet", at=at, width="content")
