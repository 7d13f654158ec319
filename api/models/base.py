"""What all bodies share: names in camel case outside, in snake case inside."""

import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.alias_generators import to_camel

_NUMBER: Final = re.compile(r"\s*[-+.\d]+(e[-+]?\d+)?\s*", re.IGNORECASE)


def _as_text(value: Any) -> Any:
    """Refuse numbers: that they are seconds, or else milliseconds, since 1970 would be a guess."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("write a moment such as 2026-01-24T10:00:00Z")
    return value


#: A moment in a request: ISO 8601.
Moment = Annotated[datetime, BeforeValidator(_as_text)]


class Body(BaseModel):
    """A body of a request or a response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RequestBody(Body):
    """A body of a request. A field that it does not know is refused: a mistyped filter would mean all."""

    model_config = ConfigDict(extra="forbid")


def example(value: Any) -> ConfigDict:
    """The configuration of a body with an example for the documentation."""
    return ConfigDict(json_schema_extra={"examples": [value]})
