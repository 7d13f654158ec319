"""Where the house is, and what is in it."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: From the top; parts on one line never import each other.
LAYERS = (
    ("panel", "api", "cli"),
    ("control",),
    ("actors", "scheduler", "worker", "sandbox"),
    ("middleware",),
    ("storage",),
    ("core",),
)
FOLDERS = tuple(folder for layer in LAYERS for folder in layer)


@cache
def tracked_files() -> tuple[Path, ...]:
    """The files that are in the repository, or are about to be."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return tuple(path for path in paths if path.is_file() and not path.is_symlink())


def python_files(*folders: str) -> list[Path]:
    """The sources in some folders; in all layers, unless some are named."""
    return sorted(path for folder in folders or FOLDERS for path in (ROOT / folder).rglob("*.py"))
