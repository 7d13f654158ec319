"""Jobs that fail with one error, and queues held up by one cause, have one alert."""

from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Alarm
from callboard.core.health.alarms import KINDS
from callboard.core.health.together import Error, Failure, errors_of, one_for_all

WORDS = "OperationalError: connection to port <n> failed"
REFUSED = Error("OperationalError", WORDS)
NOTHING: dict[tuple[str, str], frozenset[str]] = {}
ALONE: frozenset[str] = frozenset()


def fails(job: str, severity: str = "warning") -> Alarm:
    return Alarm("job_failures", job, f"{job} fails.", severity)  # type: ignore[arg-type]


def held_up(queue: str, cause: str, *pool: str) -> Alarm:
    details = {"cause": cause, "pool": list(pool)} if pool else {"cause": cause}
    return Alarm("queue_bottleneck", queue, f"{queue} is held up.", "critical", details)


def failure(job: str, error: str, error_type: str = "OperationalError", mark: str = "f0") -> Failure:
    return Failure(job, error_type, error, mark)


def test_forty_jobs_that_one_error_fails_are_one_alert() -> None:
    jobs = [f"job-{number}" for number in range(40)]
    errors = errors_of(
        failure(job, f"connection to port {5000 + number} failed\nIs the server running?")
        for number, job in enumerate(jobs)
    )

    (alert,) = one_for_all([fails(job) for job in jobs[:-1]] + [fails(jobs[-1], "critical")], NOTHING, errors)

    assert (alert.kind, alert.subject, alert.severity) == ("job_failures", WORDS, "critical")
    assert alert.message.startswith(
        f"40 jobs fail with {WORDS}: job-0, job-1, job-2, job-3, job-4 and 35 oth"
    )
    assert alert.message.endswith("job-39 fails.")
    assert alert.details == {"error_type": "OperationalError", "jobs": jobs}


def test_jobs_that_different_errors_fail_have_an_alert_each() -> None:
    errors = errors_of(
        [failure("a", "no money"), failure("b", "no time"), failure("c", "no money", "KeyError")]
    )

    found = one_for_all([fails("a"), fails("b"), fails("c")], NOTHING, errors)

    assert [each.subject for each in found] == ["a", "b", "c"]


def test_what_a_job_fails_with_is_what_most_of_its_failures_say() -> None:
    said = [
        failure("a", "no 1"),
        failure("a", "no 2"),
        failure("a", "other"),
        failure("b", "x"),
        failure("b", "y"),
    ]

    assert errors_of(said) == {"a": Error("OperationalError", "OperationalError: no <n>")}


def test_errors_without_words_are_told_apart_by_where_they_came_from() -> None:
    said = [failure("a", "", mark="aa"), failure("b", "\n", mark="bb"), Failure("c", None, None, None)]

    assert {job: error.words for job, error in errors_of(said).items()} == {
        "a": "OperationalError: (aa)",
        "b": "OperationalError: (bb)",
    }


def test_a_secret_in_an_error_does_not_name_an_alert() -> None:
    (error,) = errors_of([failure("a", "no postgresql://me:hunter-two@db/x")]).values()

    assert "hunter" not in error.words


def test_jobs_that_have_an_alert_keep_it_and_the_others_have_one_together() -> None:
    errors = dict.fromkeys("abcd", REFUSED)
    alarms = [fails(job) for job in "abcd"]

    opened = {("job_failures", "a"): ALONE, ("burn_rate", "b"): ALONE}

    found = one_for_all(alarms, opened, errors)

    assert [each.subject for each in found] == ["a", WORDS]
    assert found[1].details["jobs"] == ["b", "c", "d"]


def test_an_alert_of_several_stays_until_the_last_of_them_is_well() -> None:
    opened = {("job_failures", WORDS): frozenset("abc")}

    (found,) = one_for_all([fails("c")], opened, {"c": REFUSED})

    assert (found.subject, found.details["jobs"]) == (WORDS, ["c"])
    assert found.message == f"c fails. It failed with {WORDS}, as others did."
    assert one_for_all([], opened, {}) == []


def test_whoever_is_a_part_of_an_alert_stays_in_it_whatever_is_amiss_there_meanwhile() -> None:
    opened = {
        ("job_failures", WORDS): frozenset("ab"),
        ("queue_bottleneck", "no workers"): frozenset(["mail", "sync"]),
    }
    now = [
        Alarm("burn_rate", "a", "a burns."),
        fails("b"),
        fails("c"),
        held_up("mail", "backlog"),
        Alarm("queue_backlog", "sync", "sync is full."),
        held_up("new", "backlog"),
    ]

    found = one_for_all(now, opened, {"b": Error("KeyError", "KeyError: id")})

    assert {each.subject: each.details.get("jobs", each.details.get("queues")) for each in found} == {
        WORDS: ["a", "b"],
        "no workers": ["mail", "sync"],
        "c": None,
        "new": None,
    }


def test_two_jobs_with_one_error_may_still_be_chance() -> None:
    found = one_for_all([fails("a"), fails("b")], NOTHING, dict.fromkeys("ab", REFUSED))

    assert [each.subject for each in found] == ["a", "b"]


def test_queues_that_nobody_serves_are_one_alert() -> None:
    queues = ["air", "mail", "sync", "web", "x", "y"]

    (alert,) = one_for_all([held_up(queue, "no_consumer") for queue in queues], NOTHING, {})

    assert (alert.kind, alert.subject, alert.severity) == ("queue_bottleneck", "no workers", "critical")
    expected = "6 queues are held up together: air, mail, sync, web, x and 1 other. air is held up."
    assert alert.message == expected
    assert alert.details == {"cause": "no_consumer", "queues": queues}


def test_queues_on_the_same_workers_that_have_too_few_of_them_are_one_alert() -> None:
    alarms = [held_up(queue, "capacity", "a", "b") for queue in "ab"] + [held_up("c", "capacity", "c", "d")]

    found = one_for_all(alarms, NOTHING, {})

    assert [each.subject for each in found] == ["a, b", "c"]


def test_queues_with_causes_of_their_own_have_an_alert_each() -> None:
    alarms = [held_up(queue, "paused", "a", "b") for queue in "ab"]

    assert one_for_all(alarms, NOTHING, {}) == alarms


ALARMS = st.lists(
    st.builds(
        Alarm,
        st.sampled_from(KINDS),
        st.sampled_from(["a", "b", "c", "d", "workers"]),
        st.just("Bad."),
        st.sampled_from(["warning", "critical"]),
        st.sampled_from([{}, {"cause": "no_consumer"}, {"cause": "capacity", "pool": ["a", "b"]}]),
    ),
    unique_by=lambda alarm: (alarm.kind, alarm.subject),
)


@given(
    ALARMS,
    st.dictionaries(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b", "a, b", "no workers", "E: x"])),
        st.frozensets(st.sampled_from("abcd")),
    ),
    st.dictionaries(st.sampled_from("abcd"), st.just(Error("E", "E: x"))),
)
def test_nothing_found_is_left_out_and_nothing_is_told_twice(
    alarms: list[Alarm], opened: dict[tuple[str, str], frozenset[str]], errors: dict[str, Error]
) -> None:
    found = one_for_all(alarms, opened, errors)

    places = [(each.kind, each.subject) for each in found]
    assert len(places) == len(set(places))
    members = [
        name
        for each in found
        for name in each.details.get("jobs", each.details.get("queues", [each.subject]))
    ]
    assert sorted(members) == sorted(each.subject for each in alarms)
    critical = [each.severity for each in found].count("critical")
    assert (critical > 0) == any(each.severity == "critical" for each in alarms)
