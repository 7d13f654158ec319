"""An error in words that may be kept: for operators to read, with nothing in it that is nobody's business."""

from typing import Any

from callboard.core.limits import MAX_ERROR, cut, storable


def words_of(error: BaseException) -> str:
    """What the error says, or its type's name where it says nothing; cut to `MAX_ERROR` characters.

    Of a database's error it is the server's own sentence alone: the rest is the statement with its values,
    names and telephone numbers among them.
    """
    diagnosis: Any = getattr(getattr(error, "orig", None), "diag", None)
    said = getattr(diagnosis, "message_primary", None) if diagnosis is not None else str(error)
    return cut(storable((said or "").strip() or type(error).__name__), MAX_ERROR)
