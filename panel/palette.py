"""One colour, one word and one icon for each state, on every page, chart and badge.

The colours are middle tones that read on the light and on the dark background alike, so a chart's
specification is the same in both; `.streamlit/config.toml` gives Streamlit's named colours the same values.
"""

from dataclasses import dataclass
from typing import Literal

from callboard.control.marks import Mark
from callboard.core.states import RunState

GREEN = "#2E9E6B"
RED = "#E5484D"
ORANGE = "#E5822A"
YELLOW = "#D9A21B"
BLUE = "#3E7BFA"
VIOLET = "#9A5CD0"
GREY = "#8B919E"
PALE = "#B9BEC9"
ACCENT = "#6574E8"

#: The names Streamlit knows the colours by, for badges and metrics.
Named = Literal["green", "red", "orange", "yellow", "blue", "violet", "gray"]


@dataclass(frozen=True, slots=True)
class Look:
    """How a state looks."""

    word: str
    colour: str
    named: Named
    icon: str


LOOKS: dict[str, Look] = {
    RunState.SUCCEEDED: Look("Succeeded", GREEN, "green", ":material/check_circle:"),
    RunState.FAILED: Look("Failed", RED, "red", ":material/cancel:"),
    RunState.DEAD: Look("Dead", VIOLET, "violet", ":material/dangerous:"),
    RunState.CANCELLED: Look("Cancelled", ORANGE, "orange", ":material/do_not_disturb_on:"),
    RunState.SKIPPED: Look("Skipped", PALE, "gray", ":material/redo:"),
    RunState.PROCESSING: Look("Running", BLUE, "blue", ":material/play_circle:"),
    RunState.PENDING: Look("Waiting", GREY, "gray", ":material/schedule:"),
}

#: The states that a chart of outcomes stacks, from the bottom up.
OUTCOMES = (RunState.SUCCEEDED, RunState.SKIPPED, RunState.CANCELLED, RunState.DEAD, RunState.FAILED)

#: How a success rate reads at a glance (see `control.marks`).
MARKS: dict[Mark, Look] = {
    "ok": Look("Healthy", GREEN, "green", ":material/check_circle:"),
    "warning": Look("Unsteady", YELLOW, "yellow", ":material/warning:"),
    "bad": Look("Failing", RED, "red", ":material/cancel:"),
    "none": Look("No runs", GREY, "gray", ":material/remove:"),
}


#: How a queue does (`control.reads.health`).
HEALTH: dict[str, Look] = {
    "healthy": Look("Healthy", GREEN, "green", ":material/check_circle:"),
    "degraded": Look("Degraded", ORANGE, "orange", ":material/warning:"),
    "critical": Look("Critical", RED, "red", ":material/error:"),
    "unknown": Look("Too little data", GREY, "gray", ":material/hourglass_empty:"),
}

#: How bad a finding is.
SEVERITIES: dict[str, Look] = {
    "critical": Look("Critical", RED, "red", ":material/error:"),
    "high": Look("High", ORANGE, "orange", ":material/warning:"),
    "medium": Look("Medium", YELLOW, "yellow", ":material/warning:"),
    "low": Look("Low", GREY, "gray", ":material/info:"),
}

#: The same colours in charts, where much succeeds and what does not must stand out.
CHART = {each.word: each.colour for each in LOOKS.values()} | {"Succeeded": "rgba(46, 158, 107, 0.62)"}


def look(state: str) -> Look:
    """How a run's state looks; a state that is not known looks like one that waits."""
    return LOOKS.get(state, LOOKS[RunState.PENDING])
