"""Dead letters and their groups as tables."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from callboard.cli.tables import listing, moment
from callboard.core.display import DASH

if TYPE_CHECKING:
    from callboard.control.reads.letters import Group, Letter


def letters_table(found: "tuple[Letter, ...]") -> Table:
    """One row a dead letter."""
    table = listing("ENDED", "JOB", "RUN", "FINGERPRINT", "ERROR")
    for letter in found:
        table.add_row(
            moment(letter.finished_at),
            Text(letter.job, style="bold"),
            Text(str(letter.run_id), style="dim"),
            letter.fingerprint or DASH,
            _error(letter.error_type, letter.error or letter.reason),
        )
    return table


def groups_table(found: "tuple[Group, ...]") -> Table:
    """One row a fingerprint."""
    table = listing("FINGERPRINT", "LETTERS", "JOBS", "FIRST", "LAST", "LATEST ERROR")
    table.columns[1].justify = "right"
    for group in found:
        table.add_row(
            group.fingerprint or DASH,
            str(group.letters),
            ", ".join(group.jobs),
            moment(group.first_at),
            moment(group.last_at),
            _error(group.error_type, group.error),
        )
    return table


def _error(kind: str | None, words: str | None) -> Text:
    text = ": ".join(each for each in (kind, words) if each)
    return Text(" ".join(text.split()), style="red", overflow="ellipsis", no_wrap=True)
