"""Examples for the documentation: those of the models, or made of those of their parts."""

from collections.abc import Mapping
from typing import Any

_PLAIN: Mapping[str, Any] = {
    "date-time": "2026-01-24T10:00:00Z",
    "date": "2026-01-24",
    "uuid": "0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d",
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "object": {},
}


def example_of(schema: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """An example of a body in JSON, None where there is none; `schema` is the whole document."""
    described = content.get("application/json", {}).get("schema")
    return None if described is None else _value(schema, described, depth=6)


def _value(schema: Mapping[str, Any], described: Mapping[str, Any], depth: int) -> Any:
    if described.get("examples"):
        return described["examples"][0]
    if "$ref" in described:
        named = schema["components"]["schemas"][described["$ref"].rpartition("/")[2]]
        return _value(schema, named, depth)
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if alternatives in described:
            return _value(schema, described[alternatives][0], depth)
    if "const" in described or "enum" in described:
        return described["const"] if "const" in described else described["enum"][0]
    if described.get("type") == "object" and "properties" in described and depth:
        return {name: _value(schema, part, depth - 1) for name, part in described["properties"].items()}
    if described.get("type") == "array" and depth:
        return [_value(schema, described.get("items", {}), depth - 1)]
    return described.get("default", _PLAIN.get(described.get("format") or described.get("type", "")))
