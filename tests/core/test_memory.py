"""What this process weighs."""

import sys

import psutil
import pytest

from callboard.core.memory import own_memory
from callboard.core.sizes import size_word


def test_the_memory_of_a_process_is_about_what_the_system_says() -> None:
    memory = own_memory()
    if sys.platform.startswith("linux"):
        assert memory.kind == "pss"
        assert memory.size == pytest.approx(psutil.Process().memory_full_info().pss, rel=0.05)
    else:
        assert memory.size == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)


@pytest.mark.parametrize(
    ("size", "word"), [(None, "–"), (12, "12 B"), (2_048, "2 KB"), (5 * 2**20, "5 MB"), (3 * 2**29, "1.5 GB")]
)
def test_sizes_are_said_in_a_fitting_unit(size: int | None, word: str) -> None:
    assert size_word(size) == word
