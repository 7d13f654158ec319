"""Runs the measurements: `python -m bench`, or some of them by name; `--quick` for smaller ones."""

import argparse
import importlib
import sys

from bench.harness import verdict

NAMES = (
    "throughput", "kills", "latency", "enqueue", "slots", "visible", "views", "memory", "business",
    "verdicts", "panel", "soak",
)  # fmt: skip


def main() -> int:
    """Run them one after the other; the exit code is 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="smaller, for a first look")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(NAMES)}")
    for name in arguments.names or NAMES:
        importlib.import_module(f"bench.{name}").main(quick=arguments.quick)
    return 0 if verdict() else 1


if __name__ == "__main__":
    sys.exit(main())
