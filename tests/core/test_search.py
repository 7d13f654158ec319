"""Searching runs in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callboard.core.errors import BadInput
from callboard.core.search import TRIGGERS, Argument, Search, parse_search
from callboard.core.states import RunState

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_the_words_of_an_example_mean_what_they_say() -> None:
    found = parse_search("state:failed job:sync args.coach_id:7 error:~timeout since:2h", NOW)

    assert found == Search(
        states=("failed",),
        jobs=("sync",),
        errors=("timeout",),
        arguments=(Argument(("coach_id",), ("7", '"7"')),),
        since=NOW - timedelta(hours=2),
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", Search()),
        ("  \t ", Search()),
        ("state:failed,dead state:failed", Search(states=("failed", "dead"))),
        ('job:~"a b" job:c', Search(jobs=("c",), job_parts=("a b",))),
        ('job:"a,b"', Search(jobs=("a,b",))),
        ("queue:mail trigger:sql", Search(queues=("mail",), triggers=("sql",))),
        ("error:TimeoutError", Search(error_types=("TimeoutError",))),
        (r'error:~"say \"no\" \\"', Search(errors=(r'say "no" \ '.strip(),))),
        ('args.id:"7"', Search(arguments=(Argument(("id",), ('"7"',)),))),
        ("args.0:true", Search(arguments=(Argument(("0",), ("true", '"true"')),))),
        ("args.filter.tenant:x", Search(arguments=(Argument(("filter", "tenant"), ('"x"',)),))),
        ("args.x:1e999", Search(arguments=(Argument(("x",), ('"1e999"',)),))),
        ("args.x:[1]", Search(arguments=(Argument(("x",), ('"[1]"',)),))),
        ("until:2026-11-26T08:00Z", Search(until=datetime(2026, 11, 26, 8, tzinfo=UTC))),
        ("since:08:00", Search(since=datetime(2026, 11, 26, 7, tzinfo=UTC))),
        ("since:1.5d", Search(since=NOW - timedelta(hours=36))),
    ],
)
def test_each_filter_is_read(text: str, meant: Search) -> None:
    assert parse_search(text, NOW, ZoneInfo("Europe/Paris")) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("timeout", "'timeout' is no filter; write one such as job:timeout"),
        ("stat:failed", "Did you mean state?"),
        ("state:done", "There is no state 'done'; the states are pending, "),
        ("trigger:me", "There is no trigger 'me'; the triggers are schedule, "),
        ("state:~failed", "A ~ is for job and error only; write state:failed."),
        ("state:", "The filter state: has no value"),
        ("state:,", "The filter state: has no value"),
        ('job:""', "The filter job: has no value"),
        ('error:~"open', "do not close"),
        ("args.:7", "names no argument"),
        ("args:7", "the filters are state, job"),
        ("since:2h since:3h", "The filter since is given twice"),
        ("since:soon", "'soon' is no moment"),
        ("since:0h", "no span of time"),
        ("job:a " * 41, "The search has 41 filters; the most is 40."),
        ("x" * 2001, "The search has 2001 characters; the most is 2000."),
    ],
)
def test_what_is_no_search_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_search(text, NOW)

    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def tuples(values: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(values, unique=True, max_size=3).map(tuple)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
moments = st.none() | st.integers(0, 7 * 10**9).map(lambda s: datetime.fromtimestamp(s, UTC))
paths = st.lists(st.from_regex(r"[a-z_0-9]{1,6}", fullmatch=True), min_size=1, max_size=3).map(".".join)
scalars = st.integers() | st.booleans() | st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        Search,
        states=tuples(st.sampled_from(RunState).map(str)),
        jobs=tuples(texts),
        job_parts=tuples(texts),
        queues=tuples(texts),
        triggers=tuples(st.sampled_from(TRIGGERS)),
        errors=tuples(texts),
        error_types=tuples(texts),
        since=moments,
        until=moments,
    )
)
def test_a_search_written_as_words_is_read_as_the_same(search: Search) -> None:
    assert parse_search(str(search), NOW) == search


@given(paths, scalars | texts)
@example("id", "7")
@example("id", "~")
def test_an_argument_written_as_words_is_read_as_the_same(path: str, value: object) -> None:
    quoted = str(value).replace("\\", "\\\\").replace('"', '\\"')
    word = f'"{quoted}"' if isinstance(value, str) else str(value).replace("None", "null").lower()
    search = parse_search(f"args.{path}:{word}", NOW)

    assert parse_search(str(search), NOW) == search


@given(st.text(max_size=60))
@example('a:"\\')
@example("args.x:" + "[" * 1000)
@example("args.x:" + "9" * 1900)
def test_whatever_is_written_is_a_search_or_one_sentence(text: str) -> None:
    said, found = "", None
    try:
        found = parse_search(text, NOW)
    except BadInput as refused:
        said = str(refused)

    assert said.endswith((".", "?")) if found is None else parse_search(str(found), NOW) == found
