"""The fixtures that every other test stands on."""

import psycopg
import redis

from helpers.databases import Databases


def test_a_fresh_database_is_nobody_elses(databases: Databases) -> None:
    first, second = databases.fresh(), databases.fresh()
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mine (x int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
    databases.drop(first)
    databases.drop(second)


def test_each_test_has_an_empty_redis_database(redis_client: redis.Redis, servers: object) -> None:
    assert redis_client.dbsize() == 0
    redis_client.set("mine", 1)
    assert redis_client.dbsize() == 1
