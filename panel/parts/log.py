"""A run's log: its lines as plain text, and when each was written in UTC to whoever points at it."""

from collections.abc import Sequence
from datetime import UTC
from html import escape

import streamlit as st

from callboard.control.auth import Principal
from callboard.control.context import Context
from callboard.control.reads.runs import LogLine
from callboard.control.reads.runs import run as read_run
from callboard.core import display
from callboard.panel.palette import ORANGE, RED
from callboard.panel.parts.heading import nothing, viewer_zone
from callboard.panel.parts.plain import ISOLATED, STYLES, shown
from callboard.panel.parts.taking import text_button

#: So many lines are shown at once.
SHOWN = 2_000
#: From so many on, they scroll in a box of their own.
FEW = 26
#: So many characters are sent, the log's end.
LONGEST = 200_000

COLOURS = {"WARNING": ORANGE, "ERROR": RED, "CRITICAL": RED}
#: What does not fit in a line goes on a little further in.
HANGING = "white-space:pre-wrap;overflow-wrap:anywhere;padding-left:2ch;text-indent:-2ch"


def log(run_id: str, found: Sequence[LogLine]) -> None:
    """Put it on the page, one line a row, the way it was written."""
    if not found:
        nothing("notes", "It logged nothing. What a job writes with logging or structlog appears here.")
        return
    sent = _end(found)
    st.caption(f"{'' if len(sent) == len(found) else 'The end of '}{display.many(len(found), 'line')}")
    # Whoever stands at the end of a long one stays there while lines come.
    few = len(sent) < FEW
    with st.container(height="content" if few else 520, border=True, autoscroll=not few, key="log_lines"):
        st.html(f'<div style="{STYLES["code"]};line-height:1.6;{HANGING}">{_lines(sent)}</div>')

    def whole(context: Context, _viewer: Principal) -> str:
        return written(read_run(context, run_id).logs)

    text_button("The log as a file", "log", whole, key="log_whole")


def written(found: Sequence[LogLine]) -> str:
    """The lines of a log as text, with their dates, in UTC."""
    many = _many(found)
    return "\n".join(
        f"{line.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3]
        + (f"  #{line.attempt}" if many else "")
        + f"  {line.level.upper():<8} {line.message}"
        for line in found
    )


def _end(found: Sequence[LogLine]) -> Sequence[LogLine]:
    room, first = LONGEST, len(found)
    while first and len(found) - first < SHOWN and (room := room - len(found[first - 1].message)) > 0:
        first -= 1
    return found[first:] or found[-1:]


def _lines(found: Sequence[LogLine]) -> str:
    here, many = display.zone(viewer_zone()), _many(found)
    return "".join(
        f'<div title="{display.utc(line.at)}" style="{ISOLATED}">'
        f'<span style="opacity:.6">{line.at.astimezone(here):%H:%M:%S}.{line.at:%f}'[:-3]
        + (f"  #{line.attempt}" if many else "")
        + f"</span>  {_level(line.level.upper())} {escape(shown(line.message, longest=LONGEST))}</div>"
        for line in found
    )


def _level(word: str) -> str:
    colour = COLOURS.get(word)
    text = escape(shown(f"{word:<8}"))
    return f'<span style="color:{colour};font-weight:600">{text}</span>' if colour else text


def _many(found: Sequence[LogLine]) -> bool:
    return len({line.attempt for line in found}) > 1
