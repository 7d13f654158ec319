"""Errors that are the same error, by a fingerprint: the exception's type and the frames that it came from.

Line numbers, folders, addresses, ids and other numbers say nothing about what went wrong, so they are left
out. An error without frames is known by the words of its message.
"""

import re
from hashlib import sha256
from typing import Final

#: So many frames count, the innermost ones.
FRAMES: Final = 5
#: Characters of a fingerprint, which is hexadecimal.
LENGTH: Final = 16
#: So many characters of a message count.
MESSAGE: Final = 500

_FRAME: Final = re.compile(r'^  File "(?P<file>[^"\n]*)", line \d+, in (?P<function>.+)$', re.MULTILINE)
_FOLDERS: Final = re.compile(r".*[\\/]")
_BEGIN: Final = "Traceback (most recent call last):"
_CHANGING: Final = (
    (re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b", re.I), "<n>"),
    (re.compile(r"0x[0-9a-f]+", re.I), "<n>"),
    (re.compile(r"(?:[A-Za-z]:)?(?:[\\/][^\\/\s'\":,;()<>]+)+[\\/]?"), "<path>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.I), "<n>"),
    (re.compile(r"\d+"), "<n>"),
    (re.compile(r"\s+"), " "),
)


def fingerprint(error_type: str | None, trace: str | None, message: str | None = None) -> str:
    """The fingerprint of an error: 16 hexadecimal digits.

    Parameters:
        error_type: the exception's name.
        trace: a traceback as Python prints it; of a chain, the last one counts.
        message: what it says; it counts only where the traceback has no frames.
    """
    parts = frames(trace or "")
    if not parts:
        parts = [normalised(message or "")]
    return sha256("\n".join([error_type or "", *parts]).encode("utf-8", "replace")).hexdigest()[:LENGTH]


def frames(trace: str) -> list[str]:
    """`file:function` of the innermost frames of a traceback, the outermost of them first."""
    last = trace.rpartition(_BEGIN)[2]
    found = list(_FRAME.finditer(last))[-FRAMES:]
    return [f"{_FOLDERS.sub('', frame['file'])}:{_changeless(frame['function'])}" for frame in found]


def normalised(message: str) -> str:
    """A message without what changes from one time to the next."""
    return _changeless(message[:MESSAGE]).strip()


def _changeless(text: str) -> str:
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return text
