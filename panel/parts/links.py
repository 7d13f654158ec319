"""Ways from one page to another; called from callbacks."""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx


def open_run(run_id: str) -> None:
    """Go to a run's page."""
    leave("views/run.py", run=run_id)


def open_job(name: str) -> None:
    """Go to a job's page."""
    leave("views/job.py", job=name)


def open_queue(name: str) -> None:
    """Go to a queue's page."""
    leave("views/queue.py", queue=name)


def open_health(name: str) -> None:
    """Go to what is known of a queue's health."""
    leave("views/health.py", queue=name)


def open_schedule(schedule_id: int) -> None:
    """Go to a schedule's page."""
    leave("views/schedules.py", schedule=str(schedule_id))


def open_collisions() -> None:
    """Go to where the schedules of the coming week collide."""
    leave("views/schedules.py", schedules_tab="Collisions")


def name(**query: str) -> None:
    """Name what is looked at in this page's address."""
    st.query_params.update(query)


def unname(key: str) -> None:
    """Take out of this page's address what was named there."""
    st.query_params.pop(key, None)


def leave(page: str, **query: str) -> None:
    """Go to another page.

    The live parts of this one may be asked for once more before the browser hears of the change, and what
    they answered would wipe the new page. Forgotten, they are not answered.
    """
    run = get_script_run_ctx()
    if run is not None:
        run.fragment_storage.clear()
    st.switch_page(page, query_params=query)
