"""Tables as CSV: read back as they were written, and never a formula."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.core.sheets import COMMANDS, records, sheet


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_values_are_written_as_a_spreadsheet_takes_them() -> None:
    at = datetime(2026, 11, 26, 8, tzinfo=UTC)
    written = sheet(["a", "b"], [[None, 'say "hi",\nthen'], [-5, 1.5], [at, {"done": 1}]])
    assert written == (
        'a,b\r\n,"say ""hi"",\nthen"\r\n-5,1.5\r\n2026-11-26T08:00:00+00:00,"{""done"":1}"\r\n'
    )


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")'])
def test_a_text_that_would_be_a_formula_is_none(text: str) -> None:
    assert read(sheet(["a"], [[text]]))[1] == [f"'{text}"]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2)))
def test_every_text_comes_back_and_no_cell_is_a_formula(rows: list[list[str]]) -> None:
    found = read(sheet(["a", "b"], rows))[1:]
    assert [[cell.removeprefix("'") if cell[1:].startswith(COMMANDS) else cell for cell in row]
            for row in found] == rows  # fmt: skip
    assert not any(cell.startswith(COMMANDS) for row in found for cell in row)


@dataclass(frozen=True)
class Inner:
    value: int


@dataclass(frozen=True)
class Outer:
    name: str
    first: Inner | None
    rest: tuple[Inner, ...]
    more: Mapping[str, object]


def test_what_is_within_a_row_has_columns_of_its_own() -> None:
    written = records(Outer, [Outer("=a", Inner(1), (Inner(2),), {"x": 1}), Outer("b", None, (), {})])

    assert read(written) == [
        ["name", "first.value", "rest", "more"],
        ["'=a", "1", '[{"value":2}]', '{"x":1}'],
        ["b", "", "[]", "{}"],
    ]
