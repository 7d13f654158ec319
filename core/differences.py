"""What an action changed, in words."""

from collections.abc import Mapping
from typing import Any

import orjson


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    """What differs between two states: `name: old → new`, or `name: new` where nothing is known of before.

    Where nothing is left, all that there was is told as gone; otherwise what only the one before names is
    taken for unchanged, as is what has the same value in both.
    """
    old, new = before or {}, after or {}
    if not new:
        return ", ".join(f"{name}: {_said(value)} → gone" for name, value in old.items())
    return ", ".join(
        f"{name}: {_said(old[name])} → {_said(value)}" if name in old else f"{name}: {_said(value)}"
        for name, value in new.items()
        if name not in old or old[name] != value
    )


def _said(value: Any) -> str:
    if isinstance(value, str):
        return value or '""'
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return orjson.dumps(value, default=str).decode()
