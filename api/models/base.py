"""What all bodies share: names in camel case outside, in snake case inside."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """A body of a request or a response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class RequestBody(Body):
    """A body of a request. A field that it does not know is refused: a mistyped filter would mean all."""

    model_config = ConfigDict(extra="forbid")


def example(value: Any) -> ConfigDict:
    """The configuration of a body with an example for the documentation."""
    return ConfigDict(json_schema_extra={"examples": [value]})
