"""SQL commands of schedules: what they may do, what they may not, and what comes of them."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from dramatiq.middleware import Interrupt
from dramatiq.middleware.threading import raise_thread_exception
from psycopg import errors
from sqlalchemy import Engine

from callboard.core.errors import NotFound, Unavailable
from callboard.storage import commands
from callboard.storage.commands import CommandFailed, Outcome, run_command
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.engine import driver_url, make_engine, psycopg_url
from callboard.storage.migrate import migrate
from helpers.databases import Databases
from helpers.homes import short_folder
from helpers.waiting import wait_for

Run = Callable[..., Outcome]


@pytest.fixture
def owner(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(psycopg_url(database_url), autocommit=True) as connection:
        yield connection


@pytest.fixture
def run(owner: psycopg.Connection, engine: Engine, database_url: str) -> Run:
    """Schedule a command and run it at once."""

    def go(command: str, timeout_s: float = 10) -> Outcome:
        owner.execute("SELECT cron.schedule('test', '0 0 1 1 *', %s)", (command,))
        return run_command(engine, database_url, "test", command, timeout_s)

    return go


@pytest.fixture
def role(owner: psycopg.Connection) -> str:
    """The role that commands run as."""
    row = owner.execute("SELECT name FROM callboard.sql_role()").fetchone()
    assert row is not None
    return str(row[0])


def value(owner: psycopg.Connection, query: str) -> object:
    row = owner.execute(query).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("SELECT 1", "1 row"),
        ("SELECT generate_series(1, 3);", "3 rows"),
        ("SELECT WHERE false", "0 rows"),
        ("CREATE TEMP TABLE t (x int); INSERT INTO t VALUES (1), (2); DELETE FROM t WHERE x = 1", "DELETE 1"),
        ("DO $$ BEGIN PERFORM 1; END $$", "DO"),
        ("-- nothing at all", ""),
        ("SELECT '✓'", "1 row"),
        ("BEGIN; CREATE TEMP TABLE t (x int); COMMIT", "COMMIT"),
    ],
)
def test_a_command_tells_what_its_last_statement_did(run: Run, command: str, message: str) -> None:
    assert run(command).message == message


def test_a_command_runs_as_its_role_and_writes_what_that_was_granted(
    run: Run, owner: psycopg.Connection, role: str
) -> None:
    owner.execute("CREATE TABLE public.seen (who text, session text, pid int)")
    owner.execute("CREATE TABLE public.secret (x int)")
    owner.execute(f"GRANT INSERT ON public.seen TO {role}")
    outcome = run("INSERT INTO seen SELECT current_user, session_user, pg_backend_pid()")
    assert outcome.message == "INSERT 0 1"
    assert owner.execute("SELECT * FROM seen").fetchall() == [(role, role, outcome.pid)]
    with pytest.raises(CommandFailed, match="permission denied for table secret"):
        run("SELECT * FROM secret")


def test_several_statements_are_one_transaction(run: Run, owner: psycopg.Connection, role: str) -> None:
    owner.execute("CREATE TABLE public.seen (x int)")
    owner.execute(f"GRANT INSERT ON public.seen TO {role}")
    with pytest.raises(CommandFailed, match=r"^ERROR:  division by zero"):
        run("INSERT INTO seen VALUES (1); SELECT 1/0; INSERT INTO seen VALUES (2)")
    assert value(owner, "SELECT count(*) FROM seen") == 0


def test_a_table_of_the_roles_own_can_be_vacuumed(run: Run, owner: psycopg.Connection, role: str) -> None:
    owner.execute("CREATE TABLE public.mine (x int)")
    owner.execute(f"ALTER TABLE public.mine OWNER TO {role}")
    assert run("VACUUM mine").message == "VACUUM"


def test_more_rows_than_a_worker_could_hold_are_counted_and_not_kept(run: Run) -> None:
    assert run("SELECT repeat('x', 1000) FROM generate_series(1, 300000)").message == "300000 rows"


@pytest.mark.parametrize(
    "command",
    [
        "RESET ROLE; SELECT * FROM callboard.users",
        "SET ROLE NONE; SELECT * FROM callboard.users",
        "SET SESSION AUTHORIZATION DEFAULT; SELECT * FROM callboard.users",
        "DISCARD ALL; SELECT * FROM callboard.users",
        "SET ROLE callboard",
        "SET SESSION AUTHORIZATION callboard",
        "SELECT value FROM callboard.schema_state",
        "UPDATE callboard.runs SET state = 'failed'",
        "DELETE FROM callboard.audit",
        "SELECT callboard.end_run(gen_random_uuid(), 'failed')",
        "SELECT * FROM callboard.sql_role()",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/anything'",
        "SELECT pg_read_file('postgresql.conf')",
        "SELECT lo_import('/etc/hostname')",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user",
        "ALTER SYSTEM SET log_statement = 'all'",
        "CREATE ROLE another",
        "CREATE EXTENSION dblink",
        "CREATE TABLE public.anything (x int)",
        "SELECT public.toggle_cron_job('run-sql', false)",
        "UPDATE cron_job_config SET enabled = false",
        "UPDATE cron_job_logs SET status = 'failed'",
        "SELECT payload FROM job_queue",
        "SELECT cron.schedule('another', '* * * * *', 'SELECT 1')",
        "SELECT cron.unschedule('test')",
        "UPDATE cron.job SET active = false",
        "ALTER FUNCTION public.job_queue_enqueue(text, jsonb, timestamptz, integer) SECURITY INVOKER",
        "SELECT pg_notify('x', 'y'); LISTEN x; SELECT * FROM pg_authid",
    ],
)
def test_a_hostile_command_is_refused(run: Run, owner: psycopg.Connection, command: str) -> None:
    owner.execute("INSERT INTO callboard.users (name, role, password_hash) VALUES ('ada', 'admin', 'x')")
    with pytest.raises(
        CommandFailed, match=r"^ERROR:  (permission denied|must be|could not open|DISCARD)"
    ) as caught:
        run(command)
    assert "ada" not in str(caught.value)


def test_what_a_command_defers_to_its_commit_is_done_with_its_own_rights(
    run: Run, owner: psycopg.Connection, role: str
) -> None:
    owner.execute("CREATE TABLE public.seen (who text, how text)")
    owner.execute(f"GRANT INSERT ON public.seen TO {role}")
    command = """
        CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RESET ROLE;
            INSERT INTO public.seen VALUES (current_user, 'trigger'); RETURN NULL; END $$;
        CREATE FUNCTION pg_temp.say() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
            RESET ROLE;
            INSERT INTO public.seen VALUES (current_user, 'cursor'); RETURN 1; END $$;
        CREATE TEMP TABLE t (x int);
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION pg_temp.tell();
        INSERT INTO t VALUES (1);
        DECLARE c CURSOR WITH HOLD FOR SELECT pg_temp.say();
    """
    run(command)
    assert set(owner.execute("SELECT * FROM seen").fetchall()) == {(role, "trigger"), (role, "cursor")}


@pytest.mark.parametrize(
    "command",
    [
        "SELECT pg_sleep(1000)",
        "SET statement_timeout = 0; SELECT pg_sleep(1000)",
        """DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000);
            EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$""",
        "SELECT count(*) FROM generate_series(1, 100000000000)",
    ],
)
def test_a_command_that_goes_on_for_too_long_is_ended_whatever_it_does_against_it(
    run: Run, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(commands, "GRACE_S", 1.0)
    began = time.monotonic()
    with pytest.raises(CommandFailed, match=r"statement timeout|The command was ended after 2 seconds"):
        run(command, timeout_s=1)
    assert time.monotonic() - began < 5
    left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'callboard sql: test'"
    deadline = time.monotonic() + 5
    while value(owner, left) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert value(owner, left) == 0


def test_a_role_that_has_lost_what_it_needs_is_given_it_back(
    run: Run, owner: psycopg.Connection, role: str
) -> None:
    owner.execute("INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 'tests')")
    run("ALTER ROLE CURRENT_USER SET statement_timeout = 0")
    owner.execute(f"DROP OWNED BY {role}")
    assert run("SELECT job_queue_enqueue('a_job')").message == "1 row"
    assert value(owner, "SELECT count(*) FROM job_queue") == 1


def test_a_command_logs_in_with_a_password_that_is_made_anew_where_it_is_wrong() -> None:
    with short_folder() as folder, EmbeddedServers(folder / "home") as servers:
        url = servers.database_url
        migrate(url)
        (file,) = folder.rglob("pg_hba.conf")
        rules = file.read_text()
        engine = make_engine(url)
        with psycopg.connect(psycopg_url(url), autocommit=True) as owner:

            def let_in(how: str) -> None:
                file.write_text(f"local all /^callboard_sql_ {how}\n{rules}")
                owner.execute("SELECT pg_reload_conf()")
                rule = f"SELECT count(*) FROM pg_hba_file_rules WHERE auth_method = '{how}'"
                wait_for(lambda: value(owner, rule), what="the rule")

            def run(command: str) -> str:
                owner.execute("SELECT cron.schedule('test', '0 0 1 1 *', %s)", (command,))
                return run_command(engine, url, "test", command, 10).message

            let_in("scram-sha-256")
            assert run("SELECT 1") == "1 row"
            assert run("ALTER ROLE CURRENT_USER PASSWORD 'mine now'") == "ALTER ROLE"
            assert run("SELECT 1") == "1 row"
            let_in("reject")
            with pytest.raises(Unavailable, match=r"does not let in .*; allow it in pg_hba\.conf"):
                run("SELECT 1")
        engine.dispose()


def test_an_owner_of_the_database_that_is_no_superuser_needs_to_create_one_role_once(
    databases: Databases,
) -> None:
    # Given a database whose owner may do nothing else
    url = databases.empty()
    name = urlsplit(url).path.removeprefix("/")
    login = f"plain_{name}"
    with psycopg.connect(psycopg_url(url), autocommit=True) as boss:
        boss.execute(f"CREATE ROLE {login} LOGIN")
        boss.execute(f"ALTER DATABASE {name} OWNER TO {login}")
        plain = driver_url(url).set(username=login).render_as_string(hide_password=False)
        migrate(plain)
        engine = make_engine(plain)
        with psycopg.connect(psycopg_url(plain), autocommit=True) as owner:
            owner.execute("INSERT INTO callboard.jobs (name, source) VALUES ('a-job', 'tests')")
            # Expect SQL to be refused with what helps, and nothing else
            schedule = "SELECT cron.schedule('test', '0 0 1 1 *', 'SELECT pg_sleep(1000)')"
            with pytest.raises(errors.InsufficientPrivilege, match="may not create") as caught:
                owner.execute(schedule)
            assert caught.value.diag.message_hint == (
                f"ALTER ROLE {login} CREATEROLE; it is needed once, and can be taken back after."
            )
            owner.execute("SELECT job_queue_enqueue('a_job')")
            # And all to work once it was given, and after it was taken back
            boss.execute(f"ALTER ROLE {login} CREATEROLE")
            owner.execute(schedule)
            boss.execute(f"ALTER ROLE {login} NOCREATEROLE")
            with pytest.raises(CommandFailed, match="statement timeout"):
                run_command(engine, plain, "test", "SELECT pg_sleep(1000)", 1)
            endless = """DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(1000);
                EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$"""
            owner.execute("SELECT cron.schedule('test', '0 0 1 1 *', %s)", (endless,))
            with pytest.raises(CommandFailed, match="was ended after 3 seconds"):
                run_command(engine, plain, "test", endless, 1)
        engine.dispose()
    databases.drop(url)


def test_the_cleanup_of_the_manual_runs_as_a_command(run: Run, owner: psycopg.Connection) -> None:
    owner.execute(
        "INSERT INTO callboard.runs (run_id, enqueued_at, job, queue, state, rank, finished_at)"
        " SELECT gen_random_uuid(), now() - n * interval '1 day', 'a-job', 'default', 'succeeded', 19,"
        "        now() - n * interval '1 day' FROM generate_series(1, 20) AS n"
    )
    command = "DELETE FROM job_queue WHERE status = 'succeeded' AND completed_at < now() - interval '14 days'"
    assert run(command).message == "DELETE 7"


def test_what_a_command_raises_notice_of_is_logged_with_its_run(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        run("DO $$ BEGIN RAISE NOTICE 'three left'; END $$")
    assert "three left" in caplog.text


def test_a_command_whose_job_is_interrupted_ends_with_it(run: Run, owner: psycopg.Connection) -> None:
    caught: list[type[BaseException]] = []

    def work() -> None:
        try:
            run("SELECT pg_sleep(1000)", 60)
        except BaseException as error:  # noqa: BLE001 - whatever the interrupt is
            caught.append(type(error))

    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    thread = threading.Thread(target=work)
    thread.start()
    wait_for(lambda: value(owner, busy), what="the command")
    assert thread.ident is not None
    raise_thread_exception(thread.ident, Interrupt)
    thread.join(timeout=5)
    assert caught == [Interrupt]
    wait_for(lambda: value(owner, busy) == 0, 3, what="its end")


@pytest.mark.parametrize(
    "command", ["COPY (SELECT 1) TO STDOUT", "CREATE TEMP TABLE t (x int); COPY t FROM STDIN"]
)
def test_a_command_cannot_copy_to_a_client_that_is_not_there(run: Run, command: str) -> None:
    with pytest.raises(CommandFailed, match="cannot COPY from or to a client"):
        run(command)


def test_only_what_is_scheduled_is_run(run: Run, engine: Engine, database_url: str) -> None:
    run("SELECT 1")
    for name, command in (("test", "SELECT 2"), ("other", "SELECT 1")):
        with pytest.raises(NotFound, match=r"only what cron\.schedule"):
            run_command(engine, database_url, name, command, 10)
