"""What the runs of a queue waited for, and which jobs held the threads meanwhile."""

from collections.abc import Sequence

from callboard.control.reads.waits import Waits
from callboard.core.display import many, span
from callboard.core.health import Blame, WaitPart
from callboard.core.health.waits import EXPLAINED, PARTS
from callboard.panel.palette import GREY, ORANGE
from callboard.panel.parts.bars import Bar, bars
from callboard.panel.parts.heading import card_title, nothing

#: So many jobs are shown.
MOST = 8


def parts_card(waits: Waits, window: str) -> None:
    """Put the parts of the wait on the page, the longest first."""
    card_title("What runs waited for", f"on average, {many(waits.runs, 'run')}" if waits.parts else None)
    if not waits.parts:
        nothing("hourglass_empty", f"No run of the last {window} tells what it waited for.", height=180)
        return
    longest_first = sorted(waits.parts, key=lambda each: -each.mean_ms)
    bars([part_bar(each) for each in longest_first if each.mean_ms >= 0.5 or each is longest_first[0]])


def blame_card(waits: Waits, window: str) -> None:
    """Put the jobs that held the threads on the page, what did so more than usually first."""
    card_title("Who held the threads", "busy time of the queue, by job" if waits.blame else None)
    if not waits.blame:
        nothing("group", f"No run of this queue ended in the last {window}.", height=180)
        return
    bars(blame_bars(waits.blame), colour=GREY, over=ORANGE)


def part_bar(found: WaitPart) -> Bar:
    said = f"{span(found.mean_ms)} · {found.share:.0%}"
    return Bar(PARTS[found.part], said, found.mean_ms, more=EXPLAINED[found.part])


def blame_bars(found: Sequence[Blame]) -> list[Bar]:
    """A bar for each of the worst; what is notably more than usual is its end."""
    return [_bar(each) for each in found[:MOST]]


def _bar(each: Blame) -> Bar:
    if each.usual_s is None:
        more = "what is usual is not known yet"
    elif each.notable_s:
        more = f"{span(each.notable_s * 1000)} more than usual"
    else:
        more = f"usually {span(each.usual_s * 1000)}"
    said = f"{span(each.busy_s * 1000)} · {each.share:.0%}"
    return Bar(each.job, said, each.busy_s, over=each.notable_s, more=more)
