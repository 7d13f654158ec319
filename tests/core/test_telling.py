"""What people read of alerts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from callboard.core.telling import Word, compose, harmless

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
FULL = Word("opened", "health", "disk", "critical", "The disk is full.", NOON)
SLOW = replace(FULL, kind="queue_slow", subject="mail", severity="warning", message="Runs take long.")


def test_one_alert_is_told_by_its_name_and_its_words() -> None:
    told = compose([FULL], environment="uat")

    assert told.title == "Callboard (uat): critical: health disk"
    assert told.body == "CRITICAL: health disk\nThe disk is full.\nsince 04 Mar 12:00 UTC"
    assert told.tone == "critical"


def test_several_are_one_message_in_the_tone_of_the_worst_that_is_open() -> None:
    over = replace(FULL, what="resolved", resolved_at=NOON + timedelta(minutes=5))

    told = compose([SLOW, replace(SLOW, what="reminder"), over], environment="uat")

    assert told.title == "Callboard (uat): 1 alert opened, 1 alert still open, 1 resolved"
    assert told.body.count("\n\n") == 2
    assert (
        "RESOLVED: health disk\nThe disk is full.\nsince 04 Mar 12:00 UTC, over after 5 min 00 s" in told.body
    )
    assert told.tone == "warning"
    assert compose([over], environment="uat").tone == "resolved"


def test_no_error_calls_a_whole_channel_or_goes_on_for_pages() -> None:
    told = compose([replace(FULL, message="<!channel> @everyone\n" + "x" * 5_000)], environment="uat")

    assert "<!channel>" not in told.body
    assert "@everyone" not in told.body
    assert len(told.body) < 600
    assert harmless("a@b.org <- all") == "a@b.org <- all"
