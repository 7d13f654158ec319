"""The fleet, and where a run is, over HTTP."""

import pytest
import redis

from callboard.core.keys import Keys
from callboard.core.settings import Settings
from helpers.fleets import SILENT_FOR_LONG, add_fleet


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update=SILENT_FOR_LONG)


def test_the_fleet_is_listed(api, settings):
    with redis.Redis.from_url(settings.redis_url) as client:
        add_fleet(client, Keys(settings.callboard_namespace))

    found = api.get("/api/workers").json()

    assert (found["threads"], found["busy"], found["versions"]) == (32, 5, ["0.0.9", "0.1.0"])
    worker = next(each for each in found["processes"] if each["id"] == "w1")
    assert worker["runs"][0]["job"] == "process-referrals"
    assert [each["part"] for each in api.get("/api/workers?part=api").json()["processes"]] == ["api"]
    assert api.get("/api/workers?part=orchestra").status_code == 422


def test_a_run_that_nobody_knows_has_no_stack(api):
    assert api.post("/api/runs/0196f6a2-7c1d-7d0e-9d3c-5f0c3a1b2c4d/stack").status_code == 404
