"""Ways from one page to another; called from callbacks."""

import streamlit as st


def open_run(run_id: str) -> None:
    """Go to a run's page."""
    st.switch_page("views/run.py", query_params={"run": run_id})


def open_job(name: str) -> None:
    """Go to a job's page."""
    st.switch_page("views/job.py", query_params={"job": name})
