"""One alert for one cause, whatever else is found of it."""

from hypothesis import given
from hypothesis import strategies as st

from callboard.core.health import Alarm, Facts, JobFacts, Thresholds, one_for_each_cause, queue_alarms
from callboard.core.health.alarms import KINDS
from callboard.core.health.causes import FAMILIES

FAILING = Alarm("job_failures", "sync", "Three of five failed.", "warning")
BURNING = Alarm("burn_rate", "sync", "It burns.", "critical")


def test_of_a_job_that_fails_one_alert_is_opened() -> None:
    (found,) = one_for_each_cause([FAILING, BURNING], set())

    assert (found.kind, found.severity, found.message) == ("burn_rate", "critical", "It burns.")
    assert found.details["found"] == ["burn_rate", "job_failures"]


def test_an_open_alert_keeps_its_kind_and_hears_of_what_has_become_worse() -> None:
    opened = {("job_failures", "sync")}

    (both,) = one_for_each_cause([FAILING, BURNING], opened)
    (later,) = one_for_each_cause([BURNING], opened)

    assert (both.kind, both.severity, both.message) == ("job_failures", "critical", "It burns.")
    assert (later.kind, later.message) == ("job_failures", "It burns.")


def test_a_queue_that_nobody_serves_is_one_alert_with_all_that_was_found() -> None:
    facts = Facts("mail", 900, depth=200, oldest_due_ms=900_001)

    (found,) = one_for_each_cause(queue_alarms(facts, Thresholds()), set())

    assert (found.kind, found.severity) == ("queue_bottleneck", "critical")
    assert "no live worker serves the queue" in found.message
    assert "200 runs wait in the queue mail; the limit is 100." in found.message


def test_failures_that_are_told_of_as_a_jobs_are_not_told_again_as_a_queues() -> None:
    jobs = (JobFacts("sync", 100, 9.0),)
    facts = Facts("mail", 900, finished=100, failed=80, started=100, workers=1, slots=8, jobs=jobs)

    assert [each.kind for each in queue_alarms(facts, Thresholds())] == ["queue_bottleneck"]
    assert list(queue_alarms(facts, Thresholds(), told={"sync"})) == []


@given(
    st.lists(st.builds(Alarm, st.sampled_from(KINDS), st.sampled_from(["a", "b"]), st.just("Bad."))),
    st.sets(st.tuples(st.sampled_from(KINDS), st.sampled_from(["a", "b"]))),
)
def test_no_two_alerts_of_one_family_and_subject(found: list[Alarm], opened: set[tuple[str, str]]) -> None:
    settled = one_for_each_cause(found, opened)

    places = [(family, each.subject) for each in settled for family in FAMILIES if each.kind in family]
    assert len(places) == len(set(places)) == len(settled)
    assert {each.subject for each in settled} == {each.subject for each in found}
