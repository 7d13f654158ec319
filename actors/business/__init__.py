"""The jobs of the five systems that Callboard takes over from, a file for each area.

Importing this package imports them all, so a file put here is a source of jobs.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
