"""docker-compose.yml as Docker reads it: merged, with `$$` and `${NAME:-default}` resolved."""

import re
from typing import Any

import yaml

from helpers.house import ROOT

_VARIABLE = re.compile(r"\$\$|\$\{(\w+)(?::-([^}]*))?\}")


def load_compose() -> dict[str, Any]:
    """The whole file; without any variable set."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    resolved: dict[str, Any] = _resolve(document)
    return resolved


def own_services(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run Callboard's image, by name."""
    return {
        name: service
        for name, service in document["services"].items()
        if service["image"].startswith("callboard")
    }


def _resolve(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _resolve(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve(item) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found[2] or "" if found[1] else "$", value)
    return value
