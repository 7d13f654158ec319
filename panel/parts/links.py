"""Ways from one page to another; called from callbacks."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def open_run(run_id: str) -> None:
    """Go to a run's page."""
    leave("views/run.py", run=run_id)


def open_job(name: str) -> None:
    """Go to a job's page."""
    leave("views/job.py", job=name)


def open_schedule(schedule_id: int) -> None:
    """Go to a schedule's page."""
    leave("views/schedules.py", schedule=str(schedule_id))


def leave(page: str, **query: str) -> None:
    """Go to another page.

    The live parts of this one may be asked for once more before the browser hears of the change, and what
    they answered would wipe the new page. Forgotten, they are not answered.
    """
    run = get_script_run_ctx()
    if run is not None:
        run.fragment_storage.clear()
    st.switch_page(page, query_params=query)
