import pytest
from sqlalchemy import text

from callboard.control.context import Context
from callboard.control.reads.jobs import jobs
from callboard.core.errors import BadSettings, Unavailable
from callboard.core.settings import load_settings


def test_nothing_is_opened_before_it_is_used(tmp_path):
    with Context(load_settings({"CALLBOARD_HOME": str(tmp_path)})) as context:
        assert not {"reader", "writer", "broker"} & set(vars(context))


def test_a_server_that_is_not_named_is_asked_for_by_the_name_of_its_setting(tmp_path):
    with Context(load_settings({"CALLBOARD_HOME": str(tmp_path)})) as context:
        with pytest.raises(BadSettings, match="DATABASE_URL"):
            jobs(context)
        with pytest.raises(BadSettings, match="REDIS_URL"):
            _ = context.broker


def test_reads_cannot_write(context):
    with pytest.raises(Exception, match="read-only transaction"), context.read() as connection:
        connection.execute(text("DELETE FROM callboard.jobs"))


def test_a_write_that_fails_leaves_nothing(context, engine):
    def fail_halfway():
        with context.write() as connection:
            connection.execute(text("INSERT INTO cron_job_config (job_name) VALUES ('half')"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM cron_job_config")).scalar_one() == 0


def test_a_database_that_is_away_is_one_sentence_without_its_password(settings):
    away = settings.model_copy(update={"database_url": "postgresql://me:s3cret@127.0.0.1:1/nowhere"})

    with Context(away) as context, pytest.raises(Unavailable) as caught:
        jobs(context)

    assert str(caught.value).startswith("PostgreSQL does not answer")
    assert str(caught.value).count("\n") == 0
    assert "s3cret" not in str(caught.value)


def test_an_empty_database_is_told_apart_from_one_that_is_away(settings, databases):
    url = databases.empty()
    with (
        Context(settings.model_copy(update={"database_url": url})) as context,
        pytest.raises(Unavailable, match="run `callboard migrate`"),
    ):
        jobs(context)
    databases.drop(url)


def test_a_read_that_takes_too_long_is_ended_and_says_so(context):
    with pytest.raises(Unavailable, match="took too long"), context.read() as connection:
        _sleep(connection)


def _sleep(connection):
    connection.execute(text("SET LOCAL statement_timeout = 20"))
    connection.execute(text("SELECT pg_sleep(5)"))
