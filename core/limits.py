"""How much of what a job says is kept, and how the rest is visibly cut."""

#: JSON of a job's result, in bytes.
MAX_RESULT_BYTES = 65_536
#: A whole message as it is sent, in bytes.
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
#: JSON of a message's arguments, in bytes.
MAX_ARGS_BYTES = 65_536
#: One line of a job's log, in characters.
MAX_LOG_LINE = 8_192
#: Lines of log in one attempt.
MAX_LOG_LINES = 1_000
#: An error's message, in characters.
MAX_ERROR = 4_096
#: A traceback, in characters.
MAX_TRACEBACK = 32_768

#: NUL and lone surrogates: JSON can carry them into Python, and PostgreSQL's text refuses them.
_UNSTORABLE = {0: "\ufffd"} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def cut(text: str, limit: int) -> str:
    """The text in at most `limit` characters: whole, or its beginning and a note of how much was cut.

    A limit too small for the note leaves the bare beginning.
    """
    if len(text) <= limit:
        return text
    note = ""
    kept = limit
    # The note names the number of characters cut, which depends on the length of the note.
    while kept + len(note) > limit or not note:
        kept = limit - len(note)
        note = f"... [cut: {len(text) - kept} of {len(text)} characters]"
        if len(note) > limit:
            return text[: max(limit, 0)]
    return text[:kept] + note


def storable(text: str) -> str:
    """The text with every character that PostgreSQL cannot store replaced by U+FFFD."""
    return text.translate(_UNSTORABLE)
