"""Rows for tables and charts, their texts such as they can be shown."""

from typing import Any

from pandas import DataFrame

from callboard.panel.parts.plain import shown

#: So many characters of a text are sent: more than a cell or an axis has room for.
LONGEST = 400


def clean(frame: DataFrame) -> DataFrame:
    """The same rows; texts in them, and in lists in them, are on one line, visible and cut."""
    texts = [name for name in frame.columns if frame[name].dtype in ("object", "str")]
    return frame.assign(**{name: [_clean(value) for value in frame[name]] for name in texts})


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        return [_clean(each) for each in value]
    if not isinstance(value, str):
        return value
    # Nothing beyond that many characters can be shown: a megabyte is not worth a walk.
    return shown(" ".join(value[: 4 * LONGEST].split()), longest=LONGEST)
