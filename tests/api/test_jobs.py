from sqlalchemy import text

from helpers.declarations import declare, job

INFO = {
    "name": "health-check",
    "schedule": "*/5 * * * *",
    "enabled": True,
    "timeout": 30,
    "retries": 1,
    "description": "Monitor system health and uptime",
    "category": "monitoring",
}


def declare_health_check(engine, *others):
    declare(engine, job("health-check", "*/5 * * * *", description=INFO["description"]), *others)


def test_jobs_are_listed_with_their_configuration_and_categories(api, engine):
    declare_health_check(engine, job("sweep", category="cleanup"), job("tidy", category="cleanup"))

    answer = api.get("/api/cron/jobs")

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"total", "jobs", "categories"}
    assert body["total"] == 3
    assert body["categories"] == {"cleanup": 2, "monitoring": 1}
    assert [each["name"] for each in body["jobs"]] == ["sweep", "tidy", "health-check"]
    assert body["jobs"][-1] == INFO


def test_one_jobs_configuration_is_what_the_list_has_of_it(api, engine):
    declare_health_check(engine)

    answer = api.get("/api/cron/execute/health-check")

    assert answer.status_code == 200
    assert answer.json() == INFO


def test_a_switch_turned_by_sql_shows(api, engine):
    declare_health_check(engine)
    with engine.begin() as connection:
        connection.execute(text("SELECT toggle_cron_job('health-check', false, 'user-uuid')"))

    assert api.get("/api/cron/execute/health-check").json()["enabled"] is False


def test_a_timeout_of_a_fraction_of_a_second_and_none_are_both_told(api, engine):
    declare(engine, job("a", time_limit_ms=1500), job("b", time_limit_ms=None, max_attempts=None))

    found = {each["name"]: each for each in api.get("/api/cron/jobs").json()["jobs"]}

    assert found["a"]["timeout"] == 1.5
    assert found["b"]["timeout"] is None
    assert found["b"]["retries"] is None
    assert found["b"]["schedule"] is None


def test_an_unknown_job_names_those_that_come_close(api, engine):
    declare_health_check(engine)

    for call in (api.get, api.post):
        answer = call("/api/cron/execute/health-chek")

        assert answer.status_code == 404
        assert answer.json()["matches"] == ["health-check"]
        assert answer.json()["detail"] == "There is no job named 'health-chek'. Did you mean health-check?"
