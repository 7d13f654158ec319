"""What a service says in an answer of refusal: its code and its sentence, in the shapes that are about."""

import json
from typing import Any

from callboard.core.hiding import hide

#: Characters of somebody else's words that are passed on.
LONGEST = 300


def explanation(body: bytes) -> tuple[str, str]:
    """The code and the sentence in the body, either of them empty where there is none.

    Knows `{"error": {"code", "message"}}` (Graph), `{"errors": [{"code", "message"}]}` (Cloudflare),
    `{"error": true, "reason"}` (Open-Meteo), `{"error": "code", "message"}`, `{"title", "detail"}` (RFC 9457)
    and `{"error": "sentence"}`.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(said, dict):
        return "", ""
    errors = said.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _code(errors[0]), _sentence(errors[0])
    if isinstance(said.get("error"), dict):
        return _code(said["error"]), _sentence(said["error"])
    if isinstance(said.get("error"), str) and not _code(said):
        # Either a code beside a sentence, or the sentence itself.
        sentence = _sentence(said)
        return (_clean(said["error"]), sentence) if sentence else ("", _clean(said["error"]))
    return _code(said), _sentence(said)


def _code(fields: dict[str, Any]) -> str:
    code = fields.get("code", "")
    return _clean(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""


def _sentence(fields: dict[str, Any]) -> str:
    for name in ("message", "reason", "detail", "error_description", "title"):
        if isinstance(fields.get(name), str) and fields[name].strip():
            return _clean(fields[name])
    return ""


def _clean(words: object) -> str:
    line = " ".join(hide(str(words)).split())
    return (line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…").rstrip(".")
