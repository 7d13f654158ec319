"""A template gives two jobs its schedules: both or neither, and once."""

import pytest

from callboard.control.actions.schedule_templates import apply_template
from callboard.control.actions.schedules import set_schedule_enabled
from callboard.control.auth import Principal, Role, Scope
from callboard.control.reads.schedules import find, schedules
from callboard.core.errors import BadInput, NotAllowed, NotFound
from callboard.core.templates import TEMPLATES
from helpers.declarations import audit, declare, job

JOBS = {"sync": "fetch", "totals": "sum"}


@pytest.fixture
def jobs(engine):
    needs = [{"name": "name", "kind": "positional_or_keyword", "type": "str", "required": True}]
    declare(engine, job("fetch", "*/30 * * * * @ Europe/Paris"), job("sum"), job("needy", signature=needs))


def on(context):
    return {each.name: f"{each.expr} {each.tz}" for each in schedules(context) if each.enabled}


def test_a_template_becomes_the_only_schedule_of_both_jobs(context, engine, operator, jobs):
    done = apply_template(context, operator, "Coordinated Hourly", **JOBS)

    assert on(context) == {
        "fetch/template:coordinated-hourly": "0 * * * * Europe/Paris",
        "sum/template:coordinated-hourly": "10 * * * * UTC",
    }
    assert [[step.what for step in change.steps] for change in done.jobs] == [["add", "disable"], ["add"]]
    assert [(len(c.edit.gone), len(c.edit.new), len(c.edit.kept)) for c in done.jobs] == [
        (168, 0, 168),
        (0, 168, 0),
    ]
    assert [(row["action"], row["target"]) for row in audit(engine)] == [
        ("add_schedule", "fetch/template:coordinated-hourly"),
        ("disable_schedule", "fetch/code:1"),
        ("add_schedule", "sum/template:coordinated-hourly"),
        ("apply_template", "coordinated-hourly"),
    ]


def test_another_template_takes_the_place_of_the_one_before(context, operator, jobs):
    apply_template(context, operator, "coordinated-hourly", **JOBS)
    before = find(context, "sum")

    done = apply_template(context, operator, "off-season", tz="Asia/Tokyo", **JOBS)

    assert on(context) == {
        "fetch/template:off-season": "0 */4 * * * Asia/Tokyo",
        "sum/template:off-season": "10 */4 * * * Asia/Tokyo",
    }
    assert find(context, "sum").id == before.id
    assert [[step.what for step in change.steps] for change in done.jobs] == [["edit"], ["edit"]]


def test_the_same_template_again_changes_nothing(context, engine, operator, jobs):
    apply_template(context, operator, "standard-operations", **JOBS)
    before = schedules(context)

    done = apply_template(context, operator, "standard-operations", **JOBS)

    assert [step.what for change in done.jobs for step in change.steps] == ["keep", "keep"]
    assert [each.changed_at for each in schedules(context)] == [each.changed_at for each in before]


def test_a_dry_run_says_the_same_and_changes_nothing(context, engine, operator, jobs):
    said = apply_template(context, operator, "competition-active", dry_run=True, **JOBS)
    assert schedules(context, job="sum") == ()
    assert audit(engine) == []

    done = apply_template(context, operator, "competition-active", **JOBS)

    assert [change.steps for change in said.jobs] == [change.steps for change in done.jobs]


def test_the_other_schedules_stay_on_where_that_is_asked_for(context, operator, jobs):
    apply_template(context, operator, "off-season", keep_others=True, **JOBS)

    assert len(on(context)) == 3


def test_a_schedule_that_a_template_switched_off_is_switched_on_again(context, operator, jobs):
    apply_template(context, operator, "off-season", **JOBS)
    code = find(context, "fetch/code:1")

    assert not code.enabled
    assert set_schedule_enabled(context, operator, code.id, True).enabled


@pytest.mark.parametrize("name", [each.title for each in TEMPLATES])
def test_every_template_can_be_applied(context, operator, jobs, name):
    apply_template(context, operator, name, **JOBS)

    assert len(on(context)) == 2


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"totals": "fetch"}, BadInput, "two jobs"),
        ({"totals": "smu"}, NotFound, "Did you mean sum"),
        ({"sync": "\0"}, NotFound, "no job named"),
        ({"totals": "needy"}, BadInput, "needs the argument"),
        ({"tz": "Mars"}, BadInput, "time zone"),
        ({"name": "Off Saison"}, NotFound, "competition-active"),
    ],
)
def test_what_fails_for_one_job_is_done_for_neither(context, engine, operator, jobs, change, error, said):
    before = on(context)
    given = {"name": "off-season", **JOBS} | change

    with pytest.raises(error, match=said):
        apply_template(context, operator, given.pop("name"), **given)

    assert on(context) == before


def test_both_jobs_must_be_allowed(context, engine, viewer, jobs):
    narrow = Principal("token:narrow", Role.ADMIN, "api", scope=Scope(jobs=frozenset({"fetch"})))
    before = on(context)

    for who in (viewer, narrow):
        for dry_run in (False, True):
            with pytest.raises(NotAllowed):
                apply_template(context, who, "off-season", dry_run=dry_run, **JOBS)

    assert on(context) == before
