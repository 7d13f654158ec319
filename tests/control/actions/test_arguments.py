import pytest

from callboard.control.actions.arguments import check_arguments
from callboard.core.errors import BadInput


def parameter(name, type_=None, *, kind="positional_or_keyword", required=True):
    return {"name": name, "kind": kind, "type": type_, "default": None, "required": required}


CITY = parameter("city", "str")
DAYS = parameter("days", "int", required=False)
RATE = parameter("rate", "float | None", required=False)
FLAG = parameter("dry", "bool", kind="keyword_only", required=False)
REST = parameter("rest", kind="var_positional", required=False)
MORE = parameter("more", kind="var_keyword", required=False)
ODD = parameter("odd", "collections.abc.Mapping[str, int]", required=False)
QUOTED = parameter("quoted", "'list[int]'", required=False)


@pytest.mark.parametrize(
    ("signature", "args", "kwargs"),
    [
        ([], [], {}),
        ([CITY, DAYS], ["Paris"], {}),
        ([CITY, DAYS], [], {"city": "Paris", "days": 3}),
        ([CITY, RATE], ["Paris", None], {}),
        ([CITY, RATE], ["Paris", 3], {}),
        ([CITY, FLAG], ["Paris"], {"dry": True}),
        ([CITY, REST], ["Paris", 1, 2, 3], {}),
        ([CITY, MORE], ["Paris"], {"anything": [1]}),
        ([ODD], [{"a": 1}], {}),
        ([ODD], ["whatever it may be"], {}),
        ([QUOTED], [[1, 2]], {}),
        ([parameter("a", kind="positional_only"), MORE], [1], {"a": 2}),
    ],
)
def test_what_the_function_would_take_is_taken(signature, args, kwargs):
    check_arguments("report", signature, args, kwargs)


@pytest.mark.parametrize(
    ("signature", "args", "kwargs", "message"),
    [
        ([], [1], {}, "report takes no positional arguments, not 1"),
        ([CITY], ["a", "b"], {}, "takes at most 1 positional argument, not 2"),
        ([CITY, FLAG], ["a", True], {}, "takes at most 1 positional argument, not 2"),
        ([CITY, DAYS], [], {"days": 3}, "needs the argument 'city'"),
        ([CITY], ["Paris"], {"citty": "x"}, "takes no argument 'citty'; those that it takes by name: city"),
        ([], [], {"x": 1}, "takes no argument 'x'; those that it takes by name: none"),
        ([CITY], ["Paris"], {"city": "Rome"}, "'city' of report is given twice"),
        ([CITY, DAYS], ["Paris", "7"], {}, "'days' of report must be int, not \"7\""),
        ([CITY, DAYS], ["Paris", True], {}, "'days' of report must be int, not true"),
        ([CITY, DAYS], ["Paris", 1.5], {}, "'days' of report must be int, not 1.5"),
        ([CITY], [None], {}, "'city' of report must be str, not null"),
        ([RATE], ["x"], {}, "'rate' of report must be float"),
        ([CITY, FLAG], ["Paris"], {"dry": 1}, "'dry' of report must be bool, not 1"),
        ([parameter("a", kind="positional_only")], [], {"a": 2}, "takes no argument 'a'"),
        ([CITY], ["x" * 70_000], {}, "at most 65536"),
        ([CITY], ["a\0b"], {}, "NUL"),
        ([MORE], [], {"k\0": 1}, "NUL"),
        ([REST], [{"deep": [["a\0"]]}], {}, "NUL"),
        ([CITY], ["\ud800"], {}, "cannot be written as JSON"),
        ([REST], [float("nan")], {}, "no JSON number"),
        ([REST], [2**70], {}, "cannot be written as JSON"),
        ([REST], [object()], {}, "cannot be written as JSON"),
    ],
)
def test_what_it_would_not_take_is_refused_in_one_sentence(signature, args, kwargs, message):
    with pytest.raises(BadInput) as caught:
        check_arguments("report", signature, args, kwargs)

    assert message in str(caught.value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
