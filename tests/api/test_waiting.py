import asyncio
import threading
import time
from uuid import uuid4

import httpx
import pytest

from callboard.api.app import create_app
from callboard.api.waiting import Waiting
from callboard.core.errors import Unavailable
from helpers.declarations import declare, job
from helpers.serving import serving


class Runs:
    """Which runs have ended, and how often that was asked."""

    def __init__(self):
        self.ended = set()
        self.looks = 0
        self.away = False

    async def look(self, run_ids, since):
        self.looks += 1
        if self.away:
            raise Unavailable("PostgreSQL does not answer.")
        return [run_id for run_id in run_ids if run_id in self.ended]


@pytest.fixture
def runs():
    return Runs()


def test_a_wait_ends_with_the_run(runs):
    async def scenario():
        waiting, run_id = Waiting(runs.look), uuid4()
        asyncio.get_running_loop().call_later(0.1, runs.ended.add, run_id)
        return await waiting.wait(run_id, 10)

    assert asyncio.run(scenario()) is True


def test_a_wait_ends_when_its_time_is_over(runs):
    async def scenario():
        return await Waiting(runs.look).wait(uuid4(), 0.1)

    assert asyncio.run(scenario()) is False


def test_no_time_to_wait_asks_nothing(runs):
    async def scenario():
        return await Waiting(runs.look).wait(uuid4(), 0)

    assert asyncio.run(scenario()) is False
    assert runs.looks == 0


def test_a_hundred_waits_are_one_question_at_a_time(runs):
    async def scenario():
        waiting = Waiting(runs.look)
        ids = [uuid4() for _ in range(100)]
        waits = [asyncio.create_task(waiting.wait(run_id, 10)) for run_id in ids]
        await asyncio.sleep(0.3)
        looks = runs.looks
        runs.ended.update(ids)
        return looks, await asyncio.gather(*waits)

    looks, ended = asyncio.run(scenario())

    assert looks <= 20
    assert ended == [True] * 100


def test_nobody_asks_when_nobody_waits(runs):
    async def scenario():
        await Waiting(runs.look).wait(uuid4(), 0.1)
        await asyncio.sleep(0.3)
        looks = runs.looks
        await asyncio.sleep(0.3)
        return looks

    assert asyncio.run(scenario()) == runs.looks


def test_two_may_wait_for_one_run_and_each_for_as_long_as_it_likes(runs):
    async def scenario():
        waiting, run_id = Waiting(runs.look), uuid4()
        asyncio.get_running_loop().call_later(0.3, runs.ended.add, run_id)
        return await asyncio.gather(waiting.wait(run_id, 0.1), waiting.wait(run_id, 10))

    assert asyncio.run(scenario()) == [False, True]


def test_a_wait_outlives_a_database_that_goes_away(runs):
    async def scenario():
        waiting, run_id = Waiting(runs.look), uuid4()
        runs.away = True
        wait = asyncio.create_task(waiting.wait(run_id, 10))
        await asyncio.sleep(0.2)
        runs.away = False
        runs.ended.add(run_id)
        return await wait

    assert asyncio.run(scenario()) is True


def test_closing_ends_every_wait_and_every_later_one_at_once(runs):
    async def scenario():
        waiting = Waiting(runs.look)
        waits = [asyncio.create_task(waiting.wait(uuid4(), 60)) for _ in range(3)]
        await asyncio.sleep(0.05)
        waiting.close()
        return [*await asyncio.gather(*waits), await waiting.wait(uuid4(), 60)]

    assert asyncio.run(scenario()) == [False] * 4


def test_a_hundred_waiting_callers_keep_nobody_else_waiting(api_settings, engine):
    declare(engine, job("health-check", queue="nobody-works-on-this"))
    headers = {"Authorization": "Bearer api-token-for-tests"}

    async def scenario(url):
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, limits=limits) as client:
            calls = [
                asyncio.create_task(client.post("/api/cron/execute/health-check?wait=8")) for _ in range(100)
            ]
            await asyncio.sleep(2.5)
            for path in ("/healthz", "/api/cron/jobs") * 5:
                assert (await client.get(path)).status_code == 200
            # All ten were answered while all hundred waited.
            assert not any(call.done() for call in calls)
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    with serving(api_settings) as url:
        codes = asyncio.run(scenario(url))

    assert codes == [202] * 100


def test_a_server_that_stops_answers_those_who_wait(api_settings, engine):
    declare(engine, job("health-check", queue="nobody-works-on-this"))
    headers = {"Authorization": "Bearer api-token-for-tests"}
    answers = []

    def call(url):
        answers.append(
            httpx.post(f"{url}/api/cron/execute/health-check?wait=60", headers=headers, timeout=70)
        )

    with serving(api_settings, create_app(api_settings)) as url:
        caller = threading.Thread(target=call, args=(url,))
        caller.start()
        time.sleep(1)
        begun = time.monotonic()
    caller.join(timeout=20)

    assert time.monotonic() - begun < 8
    assert answers[0].status_code == 202
