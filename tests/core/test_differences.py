"""What an action changed, in words."""

import pytest

from callboard.core.differences import differences


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"enabled": True}, {"enabled": False}, "enabled: yes → no"),
        ({"enabled": None}, {"enabled": True}, "enabled: none → yes"),
        (None, {"role": "viewer", "life_s": None}, "role: viewer, life_s: none"),
        (
            {"expr": "0 2 * * *", "tz": "UTC"},
            {"expr": "0 3 * * *", "tz": "UTC"},
            "expr: 0 2 * * * → 0 3 * * *",
        ),
        ({"args": [1, {"a": 2}]}, {"args": []}, 'args: [1,{"a":2}] → []'),
        ({"n": 1, "only": "before"}, {"n": 2}, "n: 1 → 2"),
        ({"role": "admin"}, {}, "role: admin → gone"),
        ({"reason": ""}, {"reason": "why"}, 'reason: "" → why'),
        (None, None, ""),
    ],
)
def test_what_differs_is_said_and_what_stayed_is_not(before, after, said) -> None:
    assert differences(before, after) == said


def test_an_action_that_takes_something_away_says_what_it_was() -> None:
    assert differences({"expr": "0 2 * * *"}, None) == "expr: 0 2 * * * → gone"
