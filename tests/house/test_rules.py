"""The rules of the house: who imports whom, where SQL stands, what no file contains."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.house import FOLDERS, LAYERS, ROOT, python_files, tracked_files

_SQL = re.compile(
    r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+(TABLE|VIEW|FUNCTION))\s",
    re.DOTALL,
)
_FOREIGN = re.compile(
    r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|(?<![\w.])/(work|root|home/\w+)/|index-url",
    re.IGNORECASE,
)


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def _layers_below(folder: str) -> set[str]:
    depth = next(number for number, layer in enumerate(LAYERS) if folder in layer)
    return {other for layer in LAYERS[depth + 1 :] for other in layer} | {folder}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_itself_and_the_layers_below_it_only(folder: str) -> None:
    allowed = _layers_below(folder)
    if folder in LAYERS[0]:
        allowed = {folder, "control", "core"}

    for path in python_files(folder):
        parts = {name.split(".")[1] for name in _imports(path) if name.startswith("callboard.")}
        assert parts & set(FOLDERS) <= allowed, f"{path.relative_to(ROOT)} imports {parts - allowed}"


@pytest.mark.parametrize("folder", ["middleware", "worker"])
def test_nothing_on_the_workers_path_imports_a_database_driver(folder: str) -> None:
    for path in python_files(folder):
        drivers = {name.partition(".")[0] for name in _imports(path)} & {"psycopg", "sqlalchemy"}
        assert not drivers, f"{path.relative_to(ROOT)} imports {drivers}"


def test_the_contracts_say_the_same_as_the_linter_reads_them() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)

    assert outcome.returncode == 0, outcome.stdout
    assert "3 kept, 0 broken" in outcome.stdout


@pytest.mark.parametrize("folder", FOLDERS)
def test_sql_stands_in_storage_and_nowhere_else(folder: str) -> None:
    found = [place for path in python_files(folder) for place in _sql_in(path)]

    assert bool(found) == (folder == "storage"), found


def _sql_in(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    explanations = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explanations
        if _SQL.search(node.value) and not node.value.startswith("Example:")
    ]


def test_the_name_plate_links_every_folder_and_holds_nothing_else() -> None:
    plate = ROOT / "src" / "callboard"
    entries = {path.name: path for path in plate.iterdir() if path.name != "__pycache__"}

    assert set(entries) == {"__init__.py", "py.typed", *FOLDERS}
    for folder in FOLDERS:
        assert entries[folder].readlink() == Path("../..") / folder


def test_the_wheel_holds_the_package_and_no_stray_top_level_name(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=110)

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"callboard"}
    for folder in FOLDERS:
        assert f"callboard/{folder}/__init__.py" in names
    for kind in (".sql", ".lua"):
        packed = sum(name.endswith(kind) for name in names)
        assert packed == sum(path.suffix == kind and path.parts[-2] != "bench" for path in _sources(kind))
    assert any(name.endswith("licenses/LICENSE") for name in names)


def _sources(kind: str) -> list[Path]:
    return [path for folder in FOLDERS for path in (ROOT / folder).rglob(f"*{kind}")]


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine() -> None:
    own = Path(__file__).resolve()
    for path in tracked_files():
        if path == own or path.suffix == ".png":
            continue
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        ):
            found = _FOREIGN.search(line)
            assert found is None, f"{path.relative_to(ROOT)}:{number} has {found.group()!r}"


def test_no_source_file_has_outgrown_its_one_concern() -> None:
    for path in python_files():
        length = len(path.read_text(encoding="utf-8").splitlines())
        assert length <= 330, f"{path.relative_to(ROOT)} has {length} lines"


def test_every_source_file_says_what_it_is_for() -> None:
    for path in python_files():
        assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path.relative_to(ROOT)
