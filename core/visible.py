"""Text with the characters made visible that nobody sees but a screen obeys."""

import unicodedata
from typing import Final

#: Line ends and tabs do what they should; joiners hold the letters of some scripts and emoji together.
_KEPT: Final = frozenset("\n\t\u200c\u200d")
#: Controls, formatting characters (those that turn the direction of text among them), halves of a pair.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs"})


def visible(text: str) -> str:
    """The text with a sign in place of each character that is obeyed and not shown.

    A control becomes its picture (ESC is `␛`), any other its number (U+202E is `⟨202E⟩`). CR LF and a lone CR
    become LF.
    """
    if text.isprintable():
        return text
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_SIGNS)


class _Signs(dict[int, str]):
    """What stands for each character, by its code; worked out for those that were met."""

    def __missing__(self, code: int) -> str:
        self[code] = _sign(code)
        return self[code]


def _sign(code: int) -> str:
    char = chr(code)
    if char in _KEPT or unicodedata.category(char) not in _HIDDEN:
        return char
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"⟨{code:04X}⟩"


_SIGNS: Final = _Signs()
