"""Check arguments against a job's signature, as the code declared it, before anything is sent."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import orjson

from callboard.core.errors import BadInput
from callboard.core.limits import MAX_ARGS_BYTES

#: What JSON values a declared type accepts. A type that is not listed here accepts anything.
ACCEPTED: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "list": (list,),
    "tuple": (list,),
    "dict": (dict,),
    "None": (type(None),),
}


def check_arguments(
    job: str, signature: Sequence[Mapping[str, Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Refuse arguments that the job would fail on at once.

    Raises:
        BadInput: an argument is missing, unknown, given twice or of another type, or all take too many bytes.
    """
    size = len(_encoded(job, [list(args), dict(kwargs)]))
    if size > MAX_ARGS_BYTES:
        raise BadInput(
            f"The arguments of {job} take {size} bytes as JSON; at most {MAX_ARGS_BYTES} are kept."
        )
    _check_storable(job, [list(args), dict(kwargs)])
    places = [each for each in signature if _kind(each) in ("positional_only", "positional_or_keyword")]
    if len(args) > len(places) and not any(_kind(each) == "var_positional" for each in signature):
        takes = f"at most {len(places)}" if places else "no"
        raise BadInput(
            f"The job {job} takes {takes} positional argument{'s' * (len(places) != 1)}, not {len(args)}."
        )
    by_name = {
        each["name"]: each for each in signature if _kind(each) in ("positional_or_keyword", "keyword_only")
    }
    for name in kwargs:
        if name not in by_name and not any(_kind(each) == "var_keyword" for each in signature):
            known = ", ".join(by_name) or "none"
            raise BadInput(
                f"The job {job} takes no argument {name[:100]!r}; those that it takes by name: {known}."
            )
    filled = {each["name"] for each in places[: len(args)]}
    for each in signature:
        name = each["name"]
        if name in filled and name in by_name and name in kwargs:
            raise BadInput(f"The argument {name!r} of {job} is given twice, by place and by name.")
        if each.get("required") and name not in filled and name not in kwargs:
            raise BadInput(f"The job {job} needs the argument {name!r}.")
    for each, value in zip(places, args, strict=False):
        _check_type(job, each, value)
    for name, value in kwargs.items():
        if name in by_name:
            _check_type(job, by_name[name], value)


def _kind(parameter: Mapping[str, Any]) -> str:
    return str(parameter.get("kind", "positional_or_keyword")).lower()


def _check_type(job: str, parameter: Mapping[str, Any], value: Any) -> None:
    declared = parameter.get("type")
    if not declared:
        return
    accepted: list[type] = []
    for part in str(declared).strip("'\"").split("|"):
        base = part.strip().partition("[")[0]
        if base not in ACCEPTED:
            return
        accepted.extend(ACCEPTED[base])
    # In Python a bool is an int; to whoever sends JSON it is not.
    fits = isinstance(value, tuple(accepted)) and (not isinstance(value, bool) or bool in accepted)
    if not fits:
        shown = orjson.dumps(value).decode()[:100]
        raise BadInput(f"The argument {parameter['name']!r} of {job} must be {declared}, not {shown}.")


def _check_storable(job: str, value: Any) -> None:
    """Refuse what JSON in Python may hold and PostgreSQL's may not. The value is known to be encodable."""
    if isinstance(value, str):
        if "\0" in value:
            raise BadInput(f"The arguments of {job} contain the character NUL, which cannot be stored.")
    elif isinstance(value, float):
        if not isfinite(value):
            raise BadInput(f"The arguments of {job} contain {value}, which is no JSON number.")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_storable(job, name)
            _check_storable(job, each)
    elif isinstance(value, list):
        for each in value:
            _check_storable(job, each)


def _encoded(job: str, value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise BadInput(f"The arguments of {job} cannot be written as JSON: {error}.") from None
