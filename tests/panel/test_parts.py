"""What the parts of pages compute, apart from any page."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import altair as alt
import pytest

from callboard.control.marks import mark
from callboard.control.reads.ledger import UNDECIDED
from callboard.control.reads.runs import Attempt, Run, RunDetail
from callboard.control.reads.trends import OutcomeBucket, Outcomes
from callboard.core.errors import BadInput
from callboard.core.states import Disposition, RunState
from callboard.panel import home, palette
from callboard.panel.charts import base, life, outcomes
from callboard.panel.parts import figures, ledger, plain, running, tables
from callboard.panel.parts.run_dialog import arguments, base_type

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def bucket(at: datetime, **counts: int) -> OutcomeBucket:
    nothing = dict.fromkeys(("started", "succeeded", "failed", "dead", "cancelled", "skipped", "retried"), 0)
    unknown = dict.fromkeys(("average_ms", "maximum_ms", "average_wait_ms", "maximum_wait_ms"))
    return OutcomeBucket(at=at, **unknown, **nothing | counts)


def run(**values: Any) -> Run:
    return Run(**dict.fromkeys(Run.__slots__) | {"run_id": uuid4(), "attempt": 1, "max_attempts": 3} | values)


def parameter(name: str, kind: str | None = None, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "type": kind, "kind": "positional_or_keyword", "required": required}


def test_every_state_and_disposition_has_a_look() -> None:
    assert set(palette.LOOKS) == set(RunState)
    assert set(ledger.LOOKS) == {*Disposition, UNDECIDED}
    assert set(palette.MARKS) == {mark(rate) for rate in (None, 10, 90, 99)}


def test_streamlits_own_colours_are_those_of_the_palette() -> None:
    folder = Path(home.__file__).resolve().parent
    theme = tomllib.loads((folder / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]

    for name in ("GREEN", "RED", "ORANGE", "YELLOW", "BLUE", "VIOLET"):
        assert theme[f"{name.lower()}Color"] == getattr(palette, name)
    assert theme["grayColor"] == palette.GREY
    assert len(theme["light"]["chartSequentialColors"]) == len(theme["dark"]["chartSequentialColors"]) == 10
    for face in theme["fontFaces"]:
        assert (folder / face["url"].removeprefix("app/")).is_file()


def test_a_click_names_the_row_that_was_sent_and_no_other() -> None:
    sent = ["first", "second"]

    assert tables.row_of(SimpleNamespace(row=1, label="Run"), sent) == "second"
    for click in (SimpleNamespace(row=2), SimpleNamespace(row=-1), SimpleNamespace(row="1"), None):
        assert tables.row_of(click, sent) is None


def test_arguments_are_sent_by_name_with_their_types_and_the_empty_ones_left_out() -> None:
    asked = [
        parameter("coach_id", "int", required=True),
        parameter("since", "str"),
        parameter("filters", "dict"),
        parameter("anything"),
        parameter("place", "str") | {"kind": "positional_only"},
    ]

    args, kwargs = arguments(
        asked, {"coach_id": 7, "since": "", "filters": '{"a": [1]}', "anything": "3", "place": "here"}
    )

    assert args == ["here"]
    assert kwargs == {"coach_id": 7, "filters": {"a": [1]}, "anything": 3}


@pytest.mark.parametrize(
    ("asked", "entered", "said"),
    [
        (parameter("coach_id", "int", required=True), None, "coach_id is needed"),
        (parameter("filters", "dict"), "{not json", "filters is no JSON"),
        (parameter("anything"), "bare text", "anything is no JSON"),
    ],
)
def test_arguments_that_cannot_be_sent_are_named(asked: Mapping[str, Any], entered: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        arguments([asked], {asked["name"]: entered})


@pytest.mark.parametrize(
    ("declared", "base_of"),
    [("int", "int"), ("int | None", "int"), ("list[str]", "list"), ("int | str", ""), (None, "")],
)
def test_a_field_follows_the_declared_type(declared: str | None, base_of: str) -> None:
    assert base_type(parameter("x", declared)) == base_of


def test_progress_is_what_the_run_reports_or_else_where_it_usually_is_but_never_done() -> None:
    assert running.progress({"done": 3, "total": 4, "note": "mail"}, 10, 10) == (0.75, "3 of 4, mail")
    assert running.progress({"done": 9, "total": 4}, None, None) == (1.0, "9 of 4")
    assert running.progress({"done": 3, "total": 0}, 10_000, 20_000) == (0.5, "")
    assert running.progress(None, 90_000, 20_000) == (0.95, "")
    assert running.progress({"done": "x", "total": "y"}, None, None) == (0.0, "")


def test_a_bar_is_stacked_from_the_bottom_and_the_unfinished_bucket_left_out() -> None:
    hours = [NOW - timedelta(hours=age) for age in (2, 1, 0)]
    found = Outcomes(3_600, tuple(bucket(at, succeeded=5, failed=2) for at in hours))

    frame = outcomes.frame(found)

    assert len(frame) == 4
    assert list(zip(frame["state"], frame["low"], frame["high"], strict=True))[:2] == [
        ("Succeeded", 0, 5),
        ("Failed", 5, 7),
    ]
    assert frame["upto"].max() < NOW
    assert outcomes.width_word(found) == "hour"


def test_figures_compare_a_window_with_the_one_before() -> None:
    assert figures.change(12, 10) == "+20%"
    assert figures.change(0, 0) == 0
    assert figures.change(1_001, 1_000) == 0
    assert figures.change(5, 0) == "+5"
    assert figures.change(900, 3) == "x 300"
    assert figures.points(99.0, 98.0) == "+1.0 points"
    assert figures.points(99.0, 99.01) == 0
    assert figures.points(None, 99.0) is None
    assert figures.tally([bucket(NOW, succeeded=8, failed=1, dead=1, skipped=40)]).rate == 80.0


def test_a_label_says_what_it_was_given_and_nothing_in_it_is_markdown() -> None:
    assert plain.label("a_*b*_ ![x](y) :red[z]") == r"a\_\*b\*\_ \!\[x\](y) \:red\[z\]"
    assert plain.label("calculate-promotion_analytics") == "calculate-promotion_analytics"
    assert plain.label("first\n# second") == r"first \# second"
    assert plain.label("https://a.example www.b.example c@d.example").count("\u2060") == 3
    assert plain.badge_label("![x](y)") == r"\![x](y)"
    assert len(plain.label("x" * 500)) < 130


def test_the_steps_of_a_run_follow_each_other_without_a_gap() -> None:
    moments = [NOW + timedelta(seconds=each) for each in (0, 1, 4, 9, 12)]
    attempts = tuple(
        Attempt(
            attempt=number,
            state=state,
            started_at=start,
            finished_at=end,
            **dict.fromkeys(("duration_ms", "worker", "error_type", "error", "traceback", "reason")),
        )
        for number, (state, start, end) in enumerate(
            (("failed", moments[1], moments[2]), ("succeeded", moments[3], moments[4])), 1
        )
    )
    ended = run(state="succeeded", attempt=2, enqueued_at=moments[0], finished_at=moments[4])
    detail = RunDetail(ended, [], {}, None, None, attempts, ())

    found = life.steps(detail, NOW)

    assert [(step.name, step.word) for step in found] == [
        ("Queued", "Waiting"),
        ("Attempt 1", "Failed"),
        ("Retry wait", "Waiting"),
        ("Attempt 2", "Succeeded"),
    ]
    assert [step.start for step in found] == moments[:4]
    assert [step.end for step in found] == moments[1:]


def test_an_unfinished_run_reaches_up_to_now() -> None:
    waiting = run(state="pending", enqueued_at=NOW - timedelta(minutes=1))
    detail = RunDetail(waiting, [], {}, None, None, (), ())

    (step,) = life.steps(detail, NOW)

    assert (step.name, step.end) == ("Queued", NOW)


@pytest.mark.parametrize(
    ("longest", "unit"), [(0, "ms"), (900, "ms"), (1_600, "s"), (80_000, "s"), (95_000, "min"), (6e6, "h")]
)
def test_a_chart_is_drawn_in_the_unit_that_reads_best(longest: float, unit: str) -> None:
    assert base.unit_of(longest) == unit


def test_a_specification_is_built_once_and_holds_no_data() -> None:
    first = outcomes.spec(("Succeeded", "Failed"), 168)

    assert outcomes.spec(("Succeeded", "Failed"), 168) is first
    assert "datasets" not in first
    assert all("data" not in layer for layer in first["layer"])


def test_a_chart_turns_to_utc_wherever_it_shows_a_moment() -> None:
    given = {
        "encoding": {"x": {"field": "at", "type": "temporal", "scale": {"nice": False}}},
        "layer": [{"encoding": {"tooltip": [{"field": "at", "type": "temporal"}, {"type": "nominal"}]}}],
    }

    assert base.in_utc(given) == {
        "encoding": {"x": {"field": "at", "type": "temporal", "scale": {"nice": False, "type": "utc"}}},
        "layer": [
            {
                "encoding": {
                    "tooltip": [
                        {"field": "at", "type": "temporal", "scale": {"type": "utc"}},
                        {"type": "nominal"},
                    ]
                }
            }
        ],
    }
    assert "type" not in given["encoding"]["x"]["scale"]  # type: ignore[call-overload, index]


def test_a_chart_tells_whoever_points_at_it_a_moment_in_utc_as_well() -> None:
    given = base.finished(
        alt.layer(
            alt.Chart().mark_bar().encode(x="at:T", tooltip=[alt.Tooltip("at:T", title="From"), "runs:Q"])
        ),
        height=90,
    )

    (layer,) = base.with_utc(given)["layer"]

    assert layer["encoding"]["x"] == {"field": "at", "type": "temporal"}
    assert layer["encoding"]["tooltip"] == [
        {"field": "at", "type": "temporal", "title": "From"},
        {"field": "at", "type": "temporal", "title": "From (UTC)", "scale": {"type": "utc"}},
        {"field": "runs", "type": "quantitative"},
    ]


def test_foreign_text_has_one_way_to_each_kind_of_element() -> None:
    """Tables, charts and texts go through the parts that clean what they are given."""
    ways = {"dataframe": {"tables.py"}, "vega_lite_chart": {"base.py"}, "table": set(), "write": set(),
            "json": set(), "altair_chart": set(), "error": set(), "toast": set()}  # fmt: skip
    folder = Path(home.__file__).resolve().parent
    found: dict[str, set[str]] = {name: set() for name in ways}
    for file in folder.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        for name in ways:
            if f"st.{name}(" in text:
                found[name].add(file.name)

    assert found == ways
