"""The tree of errors: what it says of itself, and the statuses that the faces answer with."""

import inspect
import re

import pytest

from callboard.core import errors
from callboard.core.errors import BadInput, BadSchedule, BadSettings, CallboardError, Disabled, NotFound

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if inspect.isclass(kind) and issubclass(kind, CallboardError)
}


def drawn() -> dict[str, tuple[str, str]]:
    """The tree as it is drawn at the top of the module: each name's parent, and what stands in brackets."""
    found, parents = {}, {-1: ""}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"(?P<lead>[│├└─ ]*)(?P<name>[A-Z]\w+)(?:\s.*\((?P<status>.*)\))?$", line)
        if match:
            depth = len(match["lead"]) // 4
            parents[depth] = match["name"]
            found[match["name"]] = (parents[depth - 1], match["status"] or "")
    return found


def test_the_tree_is_drawn_as_it_is() -> None:
    tree = drawn()

    assert tree.keys() == CLASSES.keys()
    for name, (parent, _) in tree.items():
        assert not parent or CLASSES[name].__bases__[0] is CLASSES[parent]


def test_the_drawn_statuses_are_those_answered() -> None:
    for name, (_, status) in drawn().items():
        if status.isdigit():
            assert CLASSES[name].status == int(status)
    assert BadSettings.exit_code == 2


@pytest.mark.parametrize("kind", CLASSES.values())
def test_every_error_has_a_status_a_failing_exit_code_and_says_what_it_was_told(
    kind: type[CallboardError],
) -> None:
    assert 400 <= kind.status < 600
    assert 0 < kind.exit_code < 126
    assert str(kind("The job x is unknown.")) == "The job x is unknown."


def test_errors_are_also_what_python_calls_such_things() -> None:
    assert issubclass(BadInput, ValueError)
    assert issubclass(BadSchedule, BadInput)
    assert issubclass(NotFound, LookupError)
    assert issubclass(Disabled, errors.Conflict)
