import subprocess
import sys

# The libraries are loaded once, then each module is the first of ours that a process of its own imports.
SCRIPT = """
import importlib, os, pkgutil, sys
import dramatiq, psycopg, pydantic, redis, sqlalchemy, structlog

path = importlib.util.find_spec("callboard").submodule_search_locations
folder = [f"{each}/control" for each in path]
for module in pkgutil.walk_packages(folder, "callboard.control."):
    child = os.fork()
    if not child:
        try:
            importlib.import_module(module.name)
        except Exception as error:
            print(module.name, type(error).__name__, error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_any_module_may_be_imported_first():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=100)

    assert done.stderr == ""
    assert done.stdout == ""
