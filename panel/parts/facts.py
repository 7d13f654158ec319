"""Names and values, one pair a line."""

from collections.abc import Mapping
from datetime import datetime
from html import escape

import streamlit as st

from callboard.core.display import utc
from callboard.panel.parts.heading import card_title
from callboard.panel.parts.plain import ISOLATED, shown

GRID = "display:grid;grid-template-columns:minmax(6.5rem,max-content) 1fr;gap:.3rem 1.2rem;font-size:.93rem"


def facts(
    title: str,
    told: Mapping[str, str],
    note: str | None = None,
    *,
    moments: Mapping[str, datetime | None] | None = None,
) -> None:
    """Put them on the page under a title of our own; names and values are plain text.

    Those of them that are `moments` tell them in UTC to whoever points at the value.
    """
    more = {name: f' title="{utc(at)}"' for name, at in (moments or {}).items() if at is not None}
    rows = "".join(
        f'<div style="opacity:.62">{escape(shown(name))}</div>'
        f'<div style="overflow-wrap:anywhere;{ISOLATED}"{more.get(name, "")}>{escape(shown(value))}</div>'
        for name, value in told.items()
    )
    card_title(title, note)
    st.html(f'<div style="{GRID}">{rows}</div>')
