"""The system that the manuals are typed into is whole."""

from helpers.system import System


def test_a_run_asked_for_over_the_api_is_in_the_public_view_afterwards(system: System) -> None:
    answer = system.call("POST", "/api/cron/execute/process-tier-upgrades")

    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    (row,) = system.rows("SELECT * FROM cron_job_logs WHERE job_name = 'process-tier-upgrades'")
    assert row["status"] == "completed"
