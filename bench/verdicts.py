"""The verdict on what holds a queue up, against the truth."""

import sys
import time
from collections import Counter

from bench.harness import ROOT, aim, table

SEED = 2026


def main(*, quick: bool) -> None:
    """Play queues with known causes of trouble through, and as many that do well, and hear the verdicts."""
    sys.path.insert(0, str(ROOT / "tests"))
    from helpers.histories import SETTINGS, confusion, verdicts

    count = 70 if quick else 200
    few = 20 if quick else 80
    begun = time.perf_counter()
    mixed = verdicts(SEED, count)
    healthy = verdicts(SEED + 1, count, ("none",))
    others = {
        setting: verdicts(SEED + number, few, causes, setting)
        for number, (setting, causes) in enumerate(SETTINGS.items(), start=2)
    }
    taken = time.perf_counter() - begun
    rows = [*confusion(mixed), _healthy(healthy, count)]
    for setting, found in others.items():
        rows += [(f"{cause}, {setting}", *figures) for cause, *figures in confusion(found)]
    histories = 2 * count + few * len(others)
    table(
        f"Verdicts on {histories} histories, {taken:.1f} s",
        ("cause", "histories", "named rightly", "taken for"),
        rows,
    )
    told = sum([mixed, *others.values()], Counter())
    right = sum(times for (cause, said), times in told.items() if cause == said)
    alarms = 1 - healthy["none", "none"] / count
    aim("causes named rightly, %", 100 * right / told.total(), least=95)
    aim("the class named rightly least, %", 100 * min(row[2] / row[1] for row in rows), least=90)
    aim("false alarms of healthy queues, %", 100 * alarms, most=2)


def _healthy(found: Counter[tuple[str, str]], count: int) -> tuple[str, int, int, str]:
    wrong = ", ".join(f"{said} {times}" for (_, said), times in sorted(found.items()) if said != "none")
    return "none, once more", count, found["none", "none"], wrong
