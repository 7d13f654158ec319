"""URLs of places, and what is shown of them."""

import pytest

from callboard.core.places import addresses, place_names


def test_commas_and_lines_stand_between_urls_and_may_stand_within_them() -> None:
    text = " mailto://u:p@mail.example.org?to=a@x.org,b@x.org,slack://A/B/C ,\n json://127.0.0.1:8100/hook,"

    assert addresses(text) == [
        "mailto://u:p@mail.example.org?to=a@x.org,b@x.org",
        "slack://A/B/C",
        "json://127.0.0.1:8100/hook",
    ]
    assert addresses("") == []


@pytest.mark.parametrize("text", ["hunter2", "mailto:ada@example.org", "slack://", "json://a b"])
def test_what_is_no_url_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="what stands at place 1 is no URL") as caught:
        addresses(text)
    assert "hunter2" not in str(caught.value)


def test_a_place_is_shown_without_what_may_be_a_token() -> None:
    found = [
        "mailto://u:hunter2@mail.example.org:587?to=a@x.org",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ",
        "slack://T1JJ3T3L2/other",
        "jsons://user:hunter2@hooks.example.org/secret",
        "json://[::1",
    ]

    assert place_names(found) == [
        "mailto://mail.example.org:587",
        "slack",
        "slack 2",
        "jsons://hooks.example.org",
        "json",
    ]
