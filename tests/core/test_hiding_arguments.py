"""Secrets in what a job was given."""

from callboard.core.hiding import HIDDEN, has_marks, hide_arguments, hide_secrets, hide_value, put_back


def test_secrets_are_masked_by_the_names_of_parameters_and_fields_at_any_depth() -> None:
    args, kwargs = hide_arguments(
        ["mara", "hunter2", {"headers": [{"Authorization": "Bearer abc.def"}]}, 7],
        {"api_key": "k", "retries": 3, "max_tokens": 5, "tokens": ["a", "b"], "note": "", "url": "a://u:p@h"},
        ["user", "password", "request"],
    )

    assert args == ["mara", HIDDEN, {"headers": [{"Authorization": HIDDEN}]}, 7]
    assert kwargs == {
        "api_key": HIDDEN,
        "retries": 3,
        "max_tokens": 5,
        "tokens": [HIDDEN, HIDDEN],
        "note": "",
        "url": f"a://u:{HIDDEN}@h",
    }


def test_secrets_of_the_settings_are_masked_wherever_they_stand() -> None:
    hide_secrets(["correct-horse"])
    assert hide_value({"said": ["it was correct-horse", None, True]}) == {
        "said": [f"it was {HIDDEN}", None, True]
    }


def test_what_was_shown_and_comes_back_changed_keeps_its_secrets_and_its_changes() -> None:
    raw = {"password": "hunter2", "hosts": ["a://u:p@h", "b"], "more": {"tokens": ["x", "y"]}, "on": True}
    shown = hide_value(raw)

    assert put_back(shown, shown, raw) == raw
    assert put_back({**shown, "on": 1, "new": "n", "hosts": ["a://u:***@h", "c"]}, shown, raw) == {
        **raw, "on": 1, "new": "n", "hosts": ["a://u:p@h", "c"],
    }  # fmt: skip
    shorter = put_back({"more": {"tokens": [HIDDEN]}}, shown, raw)
    assert has_marks(shorter)
    assert not has_marks(raw)
