"""The jobs that Callboard brings: those it needs itself, each in a file of its own.

Importing this package imports them all, so a file put here is a job.
"""

from importlib import import_module
from pkgutil import iter_modules

for _module in iter_modules(__path__):
    if _module.ispkg:
        continue
    import_module(f"{__name__}.{_module.name}")
