"""Amounts of memory, as people write them."""

import pytest

from callboard.core.errors import BadInput
from callboard.core.sizes import parse_size


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (512, 512),
        ("512", 512),
        ("512MB", 512 * 2**20),
        ("512 MiB", 512 * 2**20),
        ("512m", 512 * 2**20),
        (" 1.5 GB ", 1536 * 2**20),
        ("64kB", 65_536),
        ("2T", 2**41),
        ("100 B", 100),
    ],
)
def test_an_amount_may_be_written_in_the_usual_ways(written: object, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "lots", "MB", "-1MB", "1,5GB", "1 PB", "1MBs", 1.5, True, None, [1]])
def test_anything_else_is_refused_in_a_sentence(written: object) -> None:
    with pytest.raises(BadInput, match="is no amount of memory; use bytes, or a text like '512MB'"):
        parse_size(written)
