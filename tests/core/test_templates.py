import pytest

from callboard.core.cron import cron
from callboard.core.describe import describe
from callboard.core.errors import NotFound
from callboard.core.templates import SUGGESTIONS, TEMPLATES, template


@pytest.mark.parametrize("name", ["Off-Season", "off season", "OFF_SEASON", " off-season "])
def test_a_template_is_found_however_it_is_spelt(name: str) -> None:
    assert template(name).slug == "off-season"


def test_a_template_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(NotFound, match="standard-operations"):
        template("winter")


def test_slugs_follow_from_titles() -> None:
    assert [each.slug for each in TEMPLATES] == [each.title.lower().replace(" ", "-") for each in TEMPLATES]


@pytest.mark.parametrize(
    ("slug", "sync", "totals"),
    [
        ("competition-active", "Every 15 minutes", "Every 15 minutes from 10 past the hour"),
        ("standard-operations", "Every 30 minutes", "Every hour"),
        ("coordinated-hourly", "Every hour", "At 10 minutes past the hour"),
        ("off-season", "Every 4 hours", "At 00:10, 04:10, 08:10, 12:10, 16:10 and 20:10 every day"),
    ],
)
def test_a_template_says_what_its_title_promises(slug: str, sync: str, totals: str) -> None:
    found = template(slug).expressions

    assert [describe(found["sync"]), describe(found["totals"])] == [sync, totals]


def test_business_hours_are_nine_to_five_on_weekdays() -> None:
    found = template("business-hours-only").expressions

    assert describe(found["sync"]) == "Every 30 minutes from 09:00 to 16:30, Monday to Friday"
    assert "Monday to Friday" in describe(found["totals"])


@pytest.mark.parametrize("suggestion", SUGGESTIONS, ids=lambda each: each.title)
def test_every_suggestion_is_a_schedule(suggestion) -> None:
    assert cron(suggestion.expr).expr == suggestion.expr
