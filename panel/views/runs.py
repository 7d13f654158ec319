"""Runs: all of them, searched for in words, retried and cancelled."""

from callboard.panel import access
from callboard.panel.parts import heading
from callboard.panel.parts.run_browser import run_browser

viewer = access.require()
with heading.page("Runs"):
    pass
run_browser(viewer)
