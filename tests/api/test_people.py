import httpx
import pytest

from helpers.declarations import audit, declare, job

PASSWORD = "a long password"


def test_a_user_is_added_changed_and_switched_off(api, engine):
    added = api.post("/api/users", json={"name": "otto", "role": "viewer", "password": PASSWORD}).json()
    assert (added["name"], added["role"], added["disabledAt"]) == ("otto", "viewer", None)

    assert api.post("/api/users/otto/role", json={"role": "operator"}).json() == {"success": True}
    assert api.post("/api/users/otto/password", json={"password": "another one"}).status_code == 200
    assert api.post("/api/users/otto/sign-out").json() == {"success": True, "sessionsEnded": 0}
    assert api.post("/api/users/otto/enabled", json={"enabled": False}).status_code == 200

    (listed,) = api.get("/api/users").json()["users"]
    assert listed["role"] == "operator"
    assert listed["disabledAt"] is not None
    trail = [row["action"] for row in audit(engine)]
    assert trail == ["add_user", "set_role", "set_password", "end_sessions", "disable_user"]
    assert "long password" not in str(audit(engine))


def test_the_last_admin_is_neither_switched_off_nor_demoted(api):
    api.post("/api/users", json={"name": "ada", "role": "admin", "password": PASSWORD})

    for path, body in (("enabled", {"enabled": False}), ("role", {"role": "viewer"})):
        answer = api.post(f"/api/users/ada/{path}", json=body)
        assert answer.status_code == 409
        assert "last admin" in answer.json()["detail"]
    assert api.get("/api/users").json()["users"][0]["role"] == "admin"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "otto", "role": "root", "password": PASSWORD}, 422),
        ({"name": "otto", "role": "viewer", "password": "short"}, 400),
        ({"name": "", "role": "viewer", "password": PASSWORD}, 400),
        ({"name": "a\0b", "role": "viewer", "password": PASSWORD}, 400),
        ({"name": "otto", "role": "viewer"}, 422),
    ],
)
def test_what_makes_no_user_is_refused(api, body, status):
    answer = api.post("/api/users", json=body)

    assert answer.status_code == status
    assert answer.json()["detail"].endswith(".")
    assert api.get("/api/users").json() == {"users": []}


def test_a_mistyped_limit_makes_no_token(api):
    answer = api.post("/api/tokens", json={"name": "ci", "role": "operator", "permision": ["jobs:view"]})

    assert answer.status_code == 422
    assert api.get("/api/tokens").json() == {"tokens": []}


def test_a_token_is_shown_once_and_works_within_its_limits(api, url, engine):
    declare(engine, job("health-check"), job("greet"))
    body = {"name": "ci", "permissions": ["jobs:run"], "jobs": ["health-check"], "expiresInDays": 1}
    token = api.post("/api/tokens", json=body).json()["token"]

    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.post("/api/admin/cron-jobs/health-check/run").status_code == 200
        refused = client.post("/api/admin/cron-jobs/greet/run")
        assert refused.status_code == 403
        assert "limited to jobs:run of health-check" in refused.json()["detail"]
        assert client.get("/api/cron/jobs").status_code == 403
        assert (
            client.post("/api/admin/cron-jobs/health-check/toggle", json={"enabled": False}).status_code
            == 403
        )

    listed = api.get("/api/tokens")
    assert token not in listed.text
    (shown,) = listed.json()["tokens"]
    assert (shown["role"], shown["permissions"], shown["jobs"]) == (
        "operator",
        ["jobs:run"],
        ["health-check"],
    )
    assert None not in (shown["expiresAt"], shown["lastUsedAt"])
    assert shown["createdBy"] == "CALLBOARD_API_TOKEN"

    assert api.delete("/api/tokens/ci").json() == {"success": True}
    assert httpx.get(f"{url}/api/cron/jobs", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_limited_to_a_job_sees_that_job_and_its_runs_alone(api, url, engine):
    declare(engine, job("health-check"), job("greet"))
    body = {"name": "eye", "permissions": ["jobs:view", "analytics:view_all"], "jobs": ["greet"]}
    token = api.post("/api/tokens", json=body).json()["token"]
    runs = {
        name: api.post(f"/api/admin/cron-jobs/{name}/run").json()["runId"]
        for name in ("greet", "health-check")
    }

    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.get("/api/admin/cron-jobs/greet/history").status_code == 200
        assert client.get("/api/admin/cron-jobs/health-check/history").status_code == 403
        assert client.get(f"/api/runs/{runs['greet']}").status_code == 200
        assert client.get(f"/api/runs/{runs['health-check']}").status_code == 403
        assert client.get("/api/admin/cron-jobs").status_code == 403


def test_the_trail_is_read_page_by_page(api, engine):
    for number in range(5):
        api.post("/api/users", json={"name": f"user {number}", "role": "viewer", "password": PASSWORD})

    targets, cursor = [], None
    for _ in range(3):
        page = api.get("/api/audit", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        targets += [each["target"] for each in page["entries"]]
        cursor = page["nextCursor"]

    assert targets == [f"user {number}" for number in (4, 3, 2, 1, 0)]
    assert cursor is None
    found = api.get("/api/audit", params={"target": "user 3", "action": "add_user"}).json()["entries"]
    assert [(each["who"], each["after"]) for each in found] == [("CALLBOARD_API_TOKEN", {"role": "viewer"})]
    assert api.get("/api/audit", params={"cursor": "-1"}).status_code == 400


def test_wrong_tokens_are_answered_429_after_thirty_and_right_ones_go_on(api, url, engine):
    assert api.get("/api/cron/jobs").status_code == 200
    with httpx.Client(base_url=url) as guesser:
        statuses = [
            guesser.get("/api/cron/jobs", headers={"Authorization": f"Bearer guess-{number}"}).status_code
            for number in range(30)
        ]
        assert statuses == [401] * 30
        answer = guesser.get("/api/cron/jobs", headers={"Authorization": "Bearer cron-secret-for-tests"})

    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert api.get("/api/cron/jobs").status_code == 200
    assert [(row["action"], row["outcome"], row["address"]) for row in audit(engine)] == [
        ("use_token", "refused", "127.0.0.1")
    ]


def test_a_token_in_the_address_is_refused_even_beside_a_right_one(api):
    answer = api.get("/api/cron/jobs", params={"token": "api-token-for-tests"})

    assert answer.status_code == 401
    assert "in the address is not taken here" in answer.json()["detail"]
