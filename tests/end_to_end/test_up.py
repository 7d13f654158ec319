"""`callboard up` in an empty folder, seen from outside: by its output, HTTP, SQL and its own commands."""

import json
import re
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from callboard.storage.embedded.process import alive
from helpers.homes import short_folder
from helpers.terminal import START_S, Up, callboard
from helpers.waiting import wait_for

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    with short_folder() as folder, Up(folder) as running:
        running.wait_until_up()
        yield running


@pytest.fixture(scope="module")
def token(up: Up) -> str:
    return (up.home / "api-token").read_text().strip()


@pytest.fixture(scope="module")
def api(up: Up, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=up.instance["api_url"], headers=headers, timeout=60) as client:
        yield client


def _run(up: Up, *arguments: str) -> str:
    done = callboard(*arguments, cwd=up.cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _rows(up: Up, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(up.instance["database_url"], autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else []


def _part(up: Up, name: str) -> psutil.Process:
    """The process of a part, as the supervisor started it."""
    for child in psutil.Process(up.pid).children():
        if "callboard.control.processes" in child.cmdline() and name in child.cmdline():
            return child
    raise AssertionError(f"no {name}")


def test_it_says_where_everything_is_and_how_to_log_in(up: Up, token: str) -> None:
    said = up.said
    password = (up.home / "admin-password").read_text().strip()
    urls = [up.instance[f"{part}_url"] for part in ("api", "panel", "sandbox")]
    for fact in (*urls, "admin", password, token, ".callboard"):
        assert fact in said, fact
    assert "Traceback" not in said


def test_a_newcomer_sees_every_business_job_succeed_within_a_minute(up: Up) -> None:
    assert "500 made-up customers" in up.said
    missing = """
SELECT j.name FROM callboard.jobs j
 WHERE j.declared AND j.name NOT IN ('bulk-runs', 'dead-letters', 'run-sql')
   AND NOT EXISTS (SELECT FROM callboard.runs r WHERE r.job = j.name AND r.state = 'succeeded')
"""
    # Measured at half a minute; a shared machine may be slow.
    wait_for(lambda: not _rows(up, missing), 120, "a success of every job")
    assert _rows(up, "SELECT job, error FROM callboard.runs WHERE state IN ('failed', 'dead')") == []


def test_its_secrets_are_for_the_owner_alone(up: Up) -> None:
    for name in ("api-token", "admin-password", "instance.json", "lock"):
        assert stat.S_IMODE((up.home / name).stat().st_mode) == 0o600, name


def test_the_api_answers_whoever_has_the_token_and_nobody_else(up: Up, api: httpx.Client) -> None:
    listed = api.get("/api/cron/jobs")
    assert listed.status_code == 200
    assert "health-check" in listed.text
    assert httpx.get(f"{up.instance['api_url']}/api/cron/jobs").status_code == 401
    assert api.get("/readyz").json()["status"] == "ready"


def test_a_job_run_through_the_api_is_in_the_public_view(up: Up, api: httpx.Client) -> None:
    answer = api.post("/api/cron/execute/health-check")
    assert answer.status_code == 200, answer.text
    wait_for(
        lambda: _rows(
            up,
            "SELECT 1 FROM cron_job_logs WHERE job_name = 'health-check' AND status = 'completed'",
        ),
        what="the run in cron_job_logs",
    )


def test_a_schedule_fires_by_itself(up: Up) -> None:
    query = "SELECT 1 FROM callboard.runs WHERE job = 'heartbeat' AND trigger = 'schedule' AND rank = 19"
    wait_for(lambda: _rows(up, query), 60, "a scheduled heartbeat")


def test_a_job_switched_off_by_sql_is_refused_within_two_seconds_and_runs_again_when_switched_on(
    up: Up, api: httpx.Client
) -> None:
    _rows(up, "SELECT toggle_cron_job('cleanup-old-alerts', false)")
    assert api.post("/api/cron/execute/cleanup-old-alerts").status_code == 423
    _rows(up, "SELECT toggle_cron_job('cleanup-old-alerts', true)")
    wait_for(
        lambda: api.post("/api/cron/execute/cleanup-old-alerts").status_code == 200,
        10,
        "the job to run again",
    )


def test_the_command_line_finds_the_running_instance(up: Up) -> None:
    assert "health-check" in _run(up, "jobs", "list")
    assert "succeeded" in _run(up, "jobs", "run", "health-check", "--wait")
    shown = json.loads(_run(up, "jobs", "show", "health-check", "--json"))
    assert shown["schedule"] == "*/5 * * * *"
    assert json.loads(_run(up, "jobs", "history", "health-check", "--json"))[0]["state"] == "succeeded"


def test_env_prints_exports_that_reach_both_servers_and_the_api(up: Up, token: str) -> None:
    exports = _run(up, "env")
    assert re.fullmatch(
        r"export DATABASE_URL=\S+ REDIS_URL=\S+ CALLBOARD_API_TOKEN=\S+"
        r" CALLBOARD_SANDBOX_URL=\S+ CALLBOARD_SANDBOX_SMTP_URL=\S+\n",
        exports,
    )
    assert token in exports


def test_the_sandbox_stands_in_for_what_has_no_credentials(up: Up) -> None:
    message = {"messaging_product": "whatsapp", "to": "+33612345678", "text": {"body": "Hello"}}
    sandbox = up.instance["sandbox_url"]

    answer = httpx.post(
        f"{sandbox}/whatsapp/v23.0/1/messages", json=message, headers={"Authorization": "Bearer sandbox"}
    )

    assert answer.status_code == 200, answer.text
    assert "stands in for whatsapp" in up.said
    worker = _part(up, "worker").environ()
    assert worker["CALLBOARD_SANDBOX_URL"] == sandbox
    assert worker["CALLBOARD_SANDBOX_SMTP_URL"] == up.instance["sandbox_smtp_url"]


def test_psql_opens_the_database(up: Up) -> None:
    assert _run(up, "psql", "-Atc", "SELECT current_database()").strip() == "callboard"


def test_the_doctor_finds_it_well(up: Up) -> None:
    def well() -> bool:
        findings = json.loads(callboard("doctor", "--json", cwd=up.cwd).stdout)
        return {"Workers", "Scheduler", "Recorder"} <= {each["name"] for each in findings} and not [
            each for each in findings if each["status"] == "fail"
        ]

    wait_for(well, 60, "good health")


def test_a_second_up_in_the_same_home_is_refused_in_one_sentence(up: Up) -> None:
    second = callboard("up", cwd=up.cwd, env={"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0"})
    assert second.returncode == 1
    assert len(second.stderr.strip().splitlines()) == 1
    assert f"process {up.pid}" in second.stderr
    assert up.instance["pid"] == up.pid, "the refused one left the first one's notes alone"


@pytest.mark.parametrize("part", ["api", "panel"])
def test_a_taken_port_is_told_with_its_setting(up: Up, part: str) -> None:
    port = up.instance[f"{part}_url"].rpartition(":")[2]
    ports = {"CALLBOARD_API_PORT": "0", "CALLBOARD_PANEL_PORT": "0", f"CALLBOARD_{part.upper()}_PORT": port}
    with short_folder() as folder:
        other = callboard("up", cwd=folder, env=ports)
    assert other.returncode == 1
    assert len(other.stderr.strip().splitlines()) == 1
    assert port in other.stderr
    assert f"CALLBOARD_{part.upper()}_PORT" in other.stderr


def test_a_part_that_is_killed_is_started_again_and_that_is_said(up: Up, api: httpx.Client) -> None:
    killed = _part(up, "worker")
    killed.kill()
    up.wait_until_says("worker was started again")
    assert "worker was ended by SIGKILL" in up.said
    answer = wait_for(
        lambda: (got := api.post("/api/cron/execute/health-check")).status_code == 200 and got, 60, "a run"
    )
    assert answer
    assert _part(up, "worker").pid != killed.pid


def test_a_server_that_is_killed_is_started_again_and_nothing_is_lost(up: Up, api: httpx.Client) -> None:
    before = _rows(up, "SELECT count(*) FROM callboard.runs")[0][0]
    postgres = next(
        child for child in psutil.Process(up.pid).children() if child.name().startswith("postgres")
    )
    postgres.kill()
    up.wait_until_says("PostgreSQL was started again")
    assert _rows(up, "SELECT count(*) FROM callboard.runs")[0][0] >= before
    wait_for(lambda: api.get("/readyz").status_code == 200, 60, "the API to be ready again")
    wait_for(
        lambda: api.post("/api/cron/execute/health-check").status_code == 200, 60, "a run after the loss"
    )


def test_logs_are_json_lines_in_files_of_the_owner(up: Up) -> None:
    for part in ("worker", "scheduler", "recorder", "api"):
        path = up.home / "logs" / f"{part}.log"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for line in path.read_text().splitlines():
            assert json.loads(line)["event"], line


@pytest.mark.long
def test_ctrl_c_ends_everything_and_the_next_start_finds_what_was_there() -> None:
    succeeded = "SELECT count(*) FROM callboard.runs WHERE state = 'succeeded'"
    with short_folder() as folder:
        with Up(folder) as first:
            first.wait_until_up()
            family = first.family()
            assert len(family) > 8
            _run(first, "jobs", "run", "health-check", "--wait")
            runs = _rows(first, succeeded)[0][0]
            assert first.end(signal.SIGINT) == 0
            assert not [pid for pid in family if alive(pid)]
            assert not (first.home / "instance.json").exists()
            assert "Everything has ended" in first.said

        with Up(folder) as second:
            second.wait_until_up()
            assert (second.home / "admin-password").read_text().strip() not in second.said
            assert ".callboard/admin-password" in second.said
            assert "made-up" in first.said
            assert "made-up" not in second.said
            assert (
                _rows(second, "SELECT count(*) FROM callboard.runs WHERE state = 'succeeded'")[0][0] >= runs
            )
            family = second.family()

            # No orphan even where it cannot say goodbye.
            assert second.end(signal.SIGKILL) == -signal.SIGKILL
            wait_for(lambda: not [pid for pid in family if alive(pid)], 60, "the end of the orphans")


def test_servers_named_by_the_environment_are_used_and_none_is_started(
    database_url: str, redis_url: str
) -> None:
    with short_folder() as folder:
        names = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "CALLBOARD_SANDBOX": "off"}
        with Up(folder, env=names) as running:
            running.wait_until_up()
            assert running.instance["sandbox_url"] == ""
            assert "Sandbox" not in running.said
            assert "made-up" not in running.said
            assert running.instance["database_url"] == database_url
            assert running.instance["redis_url"] == redis_url
            assert not (running.home / "postgresql").exists()
            assert not (running.home / "valkey").exists()
            assert not [
                child
                for child in psutil.Process(running.pid).children(recursive=True)
                if child.name().startswith(("postgres", "valkey"))
            ]
            assert "succeeded" in _run(running, "jobs", "run", "health-check", "--wait")
            assert running.end() == 0


@pytest.mark.long
def test_jobs_of_ones_own_in_the_folder_are_run(tmp_path: Path) -> None:
    with short_folder() as folder:
        (folder / "my_jobs.py").write_text(
            "import dramatiq\n"
            "import callboard\n"
            "from callboard import progress\n\n"
            "@dramatiq.actor(description='Greets.')\n"
            "def greet(name: str = 'you'):\n"
            "    progress(1, 1)\n"
            "    return {'said': f'Hello {name}'}\n\n"
            "@dramatiq.actor(max_retries=0)\n"
            "def stumble():\n"
            "    raise ValueError('over a stone')\n"
        )
        with Up(folder, env={"CALLBOARD_ACTORS": "my_jobs"}) as running:
            running.wait_until_up()
            wait_for(lambda: "greet" in _run(running, "jobs", "list"), 60, "the jobs")
            assert "Hello Ada" in _run(running, "jobs", "run", "greet", "--set", "name=Ada", "--wait")
            failed = callboard("jobs", "run", "stumble", "--wait", cwd=folder)
            assert failed.returncode == 1
            assert "ValueError: over a stone" in failed.stderr
            assert "Traceback" not in failed.stderr
            assert running.end() == 0


@pytest.mark.long
def test_what_sql_orders_is_obeyed_by_the_running_fleet_within_two_seconds() -> None:
    with short_folder() as folder:
        ticks, ended = folder / "ticks", folder / "ended"
        (folder / "my_jobs.py").write_text(
            "import time\n"
            "from pathlib import Path\n"
            "import dramatiq\n"
            "from callboard import cron\n\n"
            "@dramatiq.actor(max_retries=0, periodic=cron('* * * * * *'), misfire='skip')\n"
            "def tick():\n"
            "    with Path('ticks').open('a') as file:\n"
            "        file.write('.')\n\n"
            "@dramatiq.actor(max_retries=0)\n"
            "def linger():\n"
            "    try:\n"
            "        for _ in range(6000):\n"
            "            time.sleep(0.05)\n"
            "    finally:\n"
            "        Path('ended').touch()\n"
        )
        with Up(folder, env={"CALLBOARD_ACTORS": "my_jobs"}) as running:
            running.wait_until_up()
            wait_for(ticks.exists, 60, "the first tick")

            # A job that is switched off stops, whatever has been sent already.
            _rows(running, "SELECT toggle_cron_job('tick', false, 'user-uuid')")
            time.sleep(2)
            before = ticks.stat().st_size
            time.sleep(2.5)
            assert ticks.stat().st_size == before
            _rows(running, "INSERT INTO cron_job_config (job_name, enabled) VALUES ('tick', true)")
            # Within two seconds, and until the next slot.
            wait_for(lambda: ticks.stat().st_size > before, 4, "a tick of the job that is on again")

            # A run that is ended by SQL is ended where it runs.
            _run(running, "jobs", "run", "linger")
            stuck = "job_name = 'linger' AND status = 'started'"
            wait_for(lambda: _rows(running, f"SELECT 1 FROM cron_job_logs WHERE {stuck}"), 20, "the run")
            _rows(
                running,
                "UPDATE cron_job_logs SET status = 'failed'"
                f", error_message = 'Manually terminated - stuck job' WHERE {stuck}",
            )
            wait_for(ended.exists, 2, "the end of the run")
            assert running.end() == 0
            assert "Traceback" not in running.said


def test_a_module_of_jobs_that_does_not_exist_ends_it_with_one_sentence() -> None:
    unknown = {"CALLBOARD_ACTORS": "no_such_module"}
    with short_folder() as folder, Up(folder, "--quiet", env=unknown) as running:
        wait_for(lambda: running.code is not None, START_S, "the end")
        assert running.code == 1
        last = running.said.strip().splitlines()[-1]
        assert "no_such_module" in last
        assert "CALLBOARD_ACTORS" in last
        assert (running.home / "logs" / "worker.log").exists()
