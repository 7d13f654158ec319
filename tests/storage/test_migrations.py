"""The migrated schema is the declared one, and any number of processes may migrate at once."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from callboard.core.errors import Conflict, Unavailable
from callboard.storage import migrate as migrating
from callboard.storage.engine import make_engine, psycopg_url
from callboard.storage.migrate import MIGRATIONS, is_current, migrate
from callboard.storage.sql_files import SQL, apply_sql_files, read_sql, sql_files
from callboard.storage.tables import SCHEMA, business, metadata
from helpers.catalog import facts
from helpers.databases import Databases

PARTITIONED = {"runs", "attempts", "log_lines", "occurrences"}


@pytest.fixture
def empty_url(databases: Databases) -> Iterator[str]:
    url = databases.empty()
    yield url
    databases.drop(url)


def test_the_migrated_schema_is_the_declared_one_to_the_last_comment(
    engine: Engine, databases: Databases, empty_url: str
) -> None:
    # Given one database that was migrated, and one made from the declared tables alone
    declared_engine = make_engine(empty_url)
    with declared_engine.begin() as declared:
        for schema in (SCHEMA, business.SCHEMA):
            declared.execute(text(f"CREATE SCHEMA {schema}"))
        metadata.create_all(declared)
    # When the catalogs of both are read
    with engine.connect() as migrated, declared_engine.connect() as declared:
        migrated_facts, declared_facts = facts(migrated), facts(declared)
    declared_engine.dispose()
    # Expect the same tables, columns, types, defaults, constraints, indexes, partition keys and comments
    assert len(declared_facts) > 250
    assert migrated_facts == declared_facts


def test_alembic_finds_no_difference_between_the_database_and_the_declared_tables(database_url: str) -> None:
    # Given a session to which no schema of ours is the default one: Alembic takes that for having no name
    engine = make_engine(f"{database_url}&options=-csearch_path%3Dpg_catalog")
    with engine.connect() as connection:
        partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))

        def ours(item: object, name: str | None, kind: str, reflected: bool, other: object) -> bool:
            # Alembic cannot read indexes on a CASE back; the catalogs, compared above, can.
            if kind == "index" and name in ("idx_cron_logs_status", "idx_cron_logs_job_status"):
                return False
            return not (kind == "table" and reflected and (name in partitions or name == "alembic_version"))

        options = {"include_schemas": True, "include_object": ours, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_every_partitioned_table_has_a_default_partition_and_those_of_the_coming_weeks(
    engine: Engine,
) -> None:
    with engine.connect() as connection:
        rows = connection.execute(
            text("""
                SELECT p.relname,
                       count(*) FILTER (WHERE pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT') AS defaults,
                       count(*) FILTER (WHERE pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT') AS weeks
                  FROM pg_inherits i
                  JOIN pg_class p ON p.oid = i.inhparent
                  JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE p.relkind = 'p'
                 GROUP BY 1
            """)
        ).all()
    assert {row.relname for row in rows} == PARTITIONED
    assert all((row.defaults, row.weeks) == (1, 6) for row in rows)


def test_a_database_that_is_current_is_left_alone_and_alembic_is_not_even_loaded(database_url: str) -> None:
    script = (
        "import sys; from callboard.storage.migrate import migrate; migrate(sys.argv[1]);"
        "print('alembic' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, database_url], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_several_processes_may_migrate_one_database_at_once(empty_url: str) -> None:
    # Given three processes that start on an empty database together
    script = "import sys; from callboard.storage.migrate import migrate; migrate(sys.argv[1])"
    crowd = [
        subprocess.Popen([sys.executable, "-c", script, empty_url], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    # Expect all of them to succeed, and the migrations to have run once
    errors = [process.communicate(timeout=60)[1] for process in crowd]
    assert [process.returncode for process in crowd] == [0, 0, 0], errors
    assert is_current(empty_url)
    with psycopg.connect(psycopg_url(empty_url)) as connection:
        assert connection.execute(f"SELECT count(*) FROM {SCHEMA}.alembic_version").fetchone() == (1,)


def test_an_ordinary_owner_of_the_database_may_migrate_it(databases: Databases, empty_url: str) -> None:
    # Given a database that belongs to a role that may do nothing else
    name = re.search(r"/([a-z_0-9]+)(\?|$)", psycopg_url(empty_url))
    assert name is not None
    role = f"owner_of_{name[1]}"
    with psycopg.connect(psycopg_url(empty_url), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} NOSUPERUSER")
        connection.execute(f"ALTER DATABASE {name[1]} OWNER TO {role}")
        connection.execute(f"ALTER DATABASE {name[1]} SET role = {role}")
    # When the migration runs as that role
    migrate(empty_url)
    # Expect all of it to belong to the role, and the public contract to work for it
    with psycopg.connect(psycopg_url(empty_url), autocommit=True) as connection:
        assert connection.execute("SELECT current_user").fetchone() == (role,)
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = %s::regnamespace",
            (SCHEMA,),
        ).fetchall()
        assert owners == [(role,)]
        connection.execute("INSERT INTO cron_job_logs (job_name, status) VALUES ('ordinary', 'started')")
        connection.execute("UPDATE cron_job_logs SET status = 'failed'")
        connection.execute("SELECT cleanup_old_cron_logs(0)")


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a migration whose last step fails
    def fail(connection: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(migrating, "apply_sql_files", fail)
    with pytest.raises(RuntimeError):
        migrate(empty_url)
    # Expect nothing of it to be there, and the next one to do it all
    with psycopg.connect(psycopg_url(empty_url)) as connection:
        assert connection.execute("SELECT to_regnamespace('callboard')").fetchone() == (None,)
    monkeypatch.undo()
    migrate(empty_url)
    assert is_current(empty_url)


def test_a_changed_sql_file_makes_a_database_stale_and_migrating_brings_it_up_to_date(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_current(database_url)
    monkeypatch.setattr(migrating, "fingerprint", lambda: "that of the next version")
    assert not is_current(database_url)
    migrate(database_url)
    assert is_current(database_url)


def test_a_database_migrated_by_a_newer_version_is_refused_with_one_sentence(database_url: str) -> None:
    with psycopg.connect(psycopg_url(database_url), autocommit=True) as connection:
        connection.execute(f"UPDATE {SCHEMA}.alembic_version SET version_num = '9999_pre_tomorrow'")
        connection.execute(f"UPDATE {SCHEMA}.schema_state SET value = 'that of tomorrow'")
    with pytest.raises(Conflict, match="newer version of Callboard"):
        migrate(database_url)


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(Unavailable, match="DATABASE_URL") as caught:
        is_current("postgresql://someone:hush@/nowhere?host=/nonexistent")
    said = str(caught.value)
    assert said.startswith("PostgreSQL at postgresql://someone:***@/nowhere")
    assert "No such file or directory); check" in said
    assert "hush" not in said


def test_an_empty_database_is_not_current(empty_url: str) -> None:
    assert not is_current(empty_url)


def test_the_sql_files_can_be_run_again_on_a_database_in_use(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO cron_job_logs (job_name, status) VALUES ('a-job', 'completed')"))
    with engine.begin() as connection:
        apply_sql_files(connection)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM cron_job_logs")) == 1


@pytest.mark.parametrize("name", sql_files())
def test_a_sql_file_creates_one_thing_says_what_it_is_and_comments_on_it(name: str) -> None:
    body = read_sql(name)
    kind, _, stem = name.partition("/")
    assert body.startswith(("-- ", "CREATE"))
    assert "COMMENT ON" in body
    assert not re.search(r"\bCREATE (?!OR REPLACE|(TABLE callboard\.|ROLE )%I)", body.replace("''", "")), (
        "not repeatable"
    )
    if kind == "views":
        assert re.search(rf'CREATE OR REPLACE VIEW (public|callboard|business)\."?{stem}\b', body)
        assert "-- Grain: one row per " in body
    if kind == "cron":
        made = set(re.findall(r"CREATE OR REPLACE (?:FUNCTION|VIEW|TRIGGER) (?:cron\.)?(\w+)", body))
        assert stem in made
    if kind == "functions":
        made = set(re.findall(r"CREATE OR REPLACE (?:FUNCTION|AGGREGATE) (?:public|callboard)\.(\w+)", body))
        assert made == {stem}


def test_every_declared_table_says_what_one_of_its_rows_is() -> None:
    assert {
        table.name for table in metadata.sorted_tables if "ne row per" not in (table.comment or "")
    } == set()


def test_a_migration_is_named_for_when_it_runs_relative_to_a_deploy() -> None:
    for path in (MIGRATIONS / "versions").glob("[0-9]*.py"):
        assert re.fullmatch(r"\d{4}_(pre|post)_[a-z_]+", path.stem), path.name
        assert f'revision = "{path.stem}"' in path.read_text()


def test_the_wheel_carries_the_migrations_and_the_sql_files(tmp_path: Path) -> None:
    import zipfile

    root = Path(__file__).resolve().parents[2]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=root, check=True, capture_output=True,
    )  # fmt: skip
    carried = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    needed = {f"callboard/storage/sql/{path.relative_to(SQL)}" for path in SQL.glob("*/*.sql")}
    needed |= {
        f"callboard/storage/migrations/{path.relative_to(MIGRATIONS)}" for path in MIGRATIONS.rglob("*.py")
    }
    assert needed
    assert needed <= carried
