"""Other people's words within a message: names, titles and templates of promotions."""

import re
from collections.abc import Mapping

#: The longest text that WhatsApp takes, in characters.
MAX_MESSAGE = 4_096
#: The joiners, without which names in Persian or Hindi fall apart; other invisible characters go.
_JOINERS = "\u200c\u200d"
_PLACE = re.compile(r"\{(\w+)\}")


def one_line(text: str, limit: int = 60) -> str:
    """The text on one line, without invisible characters, in at most `limit` characters."""
    # Nothing beyond that many characters can be shown: 10 kB of spaces are not worth a walk.
    visible = "".join(char if char.isprintable() or char in _JOINERS else " " for char in text[: 16 * limit])
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def greeting(name: str) -> str:
    """ "Hello Ada", or "Hello" to somebody whose name cannot be shown."""
    return f"Hello {one_line(name)}".rstrip()


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with every `{word}` that has a value replaced by it, in at most `MAX_MESSAGE` characters.

    Everything else stays as it is, braces and percent signs included, also those within the values.
    """
    text = _PLACE.sub(lambda match: values.get(match[1], match[0]), template)
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
