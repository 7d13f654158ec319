"""Makes of any value one that JSON, and PostgreSQL after it, can hold."""

from typing import Any

from callboard.core.limits import storable

#: Levels of nesting that are kept. Every encoder and decoder on the way has a limit of its own, above this.
MAX_DEPTH = 50

_LEAST, _MOST = -(2**63), 2**64 - 1


def plain(value: Any) -> Any:
    """The value with whatever JSON cannot hold shown by its words. Never fails, whatever the value is."""
    return _plain(value, ())


def words(value: object) -> str:
    """What a value says of itself; its type's name where that fails."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - it runs the value's own code
        return f"<{type(value).__name__}>"


def _plain(value: Any, above: tuple[int, ...]) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int) and _LEAST <= value <= _MOST:
        return int(value)
    if not isinstance(value, dict | list | tuple):
        return storable(words(value))
    if id(value) in above:
        return "[cut: it contains itself]"
    if len(above) == MAX_DEPTH:
        return "[cut: nested too deeply]"
    within = (*above, id(value))
    if isinstance(value, dict):
        return {storable(words(key)): _plain(item, within) for key, item in value.items()}
    return [_plain(item, within) for item in value]
