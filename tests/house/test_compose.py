"""The shape of docker-compose.yml and Dockerfile, where no engine is at hand to try them."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from callboard.core.settings import SECRETS, Settings
from helpers.command_lines import parses
from helpers.compose import load_compose, own_services
from helpers.house import ROOT

COMPOSE = load_compose()
OWN = own_services(COMPOSE)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PARTS = ("migrate", "worker", "scheduler", "recorder", "api", "panel")


def instructions(name: str) -> list[str]:
    """The arguments of each instruction of that name, continued lines joined."""
    text = re.sub(r"\\\n(\s*#.*\n)*", " ", DOCKERFILE)
    return re.findall(rf"^{name} +(.+)$", text, re.MULTILINE)


def test_there_is_a_service_for_each_part_and_for_both_servers() -> None:
    assert set(COMPOSE["services"]) == {"postgres", "redis", *PARTS}
    assert set(OWN) == set(PARTS)


@pytest.mark.parametrize("name", PARTS)
def test_each_part_runs_a_command_that_exists_with_options_that_exist(name: str) -> None:
    command = OWN[name]["command"]

    assert command[0] == name
    assert parses(command)


@pytest.mark.parametrize("name", PARTS)
def test_each_setting_exists_and_secrets_come_from_files(name: str) -> None:
    service = OWN[name]
    for variable, value in service["environment"].items():
        if variable.endswith("_FILE"):
            assert variable.removesuffix("_FILE") in SECRETS
            mounted = Path(value)
            assert mounted.parent == Path("/run/secrets")
            assert mounted.name in service["secrets"]
        else:
            assert variable.lower() in Settings.model_fields
            assert variable not in SECRETS or not value, f"{variable} stands in the file itself"


def test_the_settings_of_each_part_are_valid(tmp_path: Path) -> None:
    from callboard.core.settings import load_settings

    contents = {"database_url": "postgresql://a:b@postgres/c", "redis_url": "redis://:b@redis:6379/0"}
    for service in OWN.values():
        environment = {}
        for variable, value in service["environment"].items():
            path = tmp_path / Path(str(value)).name
            if variable.endswith("_FILE"):
                path.write_text(contents.get(path.name, "something-secret"), encoding="utf-8")
            environment[variable] = str(path) if variable.endswith("_FILE") else str(value)
        assert load_settings(environment).redis_url == contents["redis_url"]


@pytest.mark.parametrize("name", PARTS)
def test_each_part_runs_without_privileges_on_a_read_only_root(name: str) -> None:
    service = OWN[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert any(entry.startswith("/tmp") for entry in service["tmpfs"])
    assert "user" not in service, "the image names the user"


@pytest.mark.parametrize("name", [name for name in PARTS if name != "migrate"])
def test_each_part_that_stays_has_a_health_check_that_exists(name: str) -> None:
    form, *command = OWN[name]["healthcheck"]["test"]

    assert (form, command[:2]) == ("CMD", ["python", "-m"])
    assert importlib.util.find_spec(command[2]) is not None
    from callboard.control import alive

    assert command[3:] == [name]
    assert name in alive._CHECKS


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_each_server_has_a_health_check_and_keeps_its_data(name: str) -> None:
    service = COMPOSE["services"][name]

    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    (volume,) = service["volumes"]
    assert volume.partition(":")[0] in COMPOSE["volumes"]


def test_redis_keeps_what_it_acknowledged() -> None:
    command = " ".join(COMPOSE["services"]["redis"]["command"])

    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command


def test_everything_waits_for_what_it_needs() -> None:
    assert OWN["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in set(PARTS) - {"migrate"}:
        assert OWN[name]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "redis": {"condition": "service_healthy"},
        }


def test_a_worker_has_time_to_finish_and_can_be_scaled() -> None:
    worker = OWN["worker"]
    options = dict(zip(worker["command"][1::2], worker["command"][2::2], strict=True))

    assert int(worker["stop_grace_period"].removesuffix("s")) > float(options["--grace"]) + 10
    assert "container_name" not in worker
    assert "ports" not in worker


def test_nothing_listens_on_more_than_this_machine() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_each_secret_that_is_mounted_is_made_by_the_script() -> None:
    script = (ROOT / "scripts" / "make-secrets").read_text(encoding="utf-8")
    made = set(re.findall(r"^make (\w+) ", script, re.MULTILINE))
    mounted = {secret for service in COMPOSE["services"].values() for secret in service.get("secrets", [])}
    files: dict[str, Any] = COMPOSE["secrets"]

    assert made == mounted == set(files)
    assert all(entry["file"] == f"./secrets/{name}" for name, entry in files.items())
    assert "/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_the_image_copies_is_there_and_reaches_the_build() -> None:
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[:1] == "!"
    }
    copied = [words.split() for words in instructions("COPY") if not words.startswith("--from")]
    sources = {source for words in copied for source in words[:-1]}

    assert sources == allowed
    for source in sources:
        assert (ROOT / source).exists(), source


def test_the_image_has_all_folders_of_the_package() -> None:
    from helpers.house import FOLDERS

    copied = {word for words in instructions("COPY") for word in words.split()}

    assert set(FOLDERS) <= copied


def test_the_image_is_built_in_stages_and_runs_as_an_unprivileged_user() -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE)
    users = instructions("USER")

    assert stages == ["build", "callboard"]
    assert all(service["build"]["target"] == stages[-1] for service in OWN.values())
    assert users == ["10001:10001"]
    assert DOCKERFILE.rindex("USER 10001") > DOCKERFILE.rindex("AS callboard")
    assert instructions("ENTRYPOINT") == ['["callboard"]']


def test_the_image_installs_what_the_lock_lists_by_its_hashes() -> None:
    assert any("--require-hashes -r requirements.lock" in line for line in instructions("RUN"))
