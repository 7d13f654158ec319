"""Small pieces of English for lists of numbers."""

from collections.abc import Callable, Sequence


def joined(items: Sequence[str], word: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    return f" {word} ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


def ranges(values: Sequence[int], show: Callable[[int], str] = str) -> list[str]:
    """Ascending values as items of a list, where three or more in a row become "first to last"."""
    items: list[str] = []
    start = 0
    for place in range(1, len(values) + 1):
        if place < len(values) and values[place] == values[place - 1] + 1:
            continue
        run = values[start:place]
        items += [f"{show(run[0])} to {show(run[-1])}"] if len(run) > 2 else [show(value) for value in run]
        start = place
    return items


def ordinal(number: int) -> str:
    """ "1st", "2nd", "3rd", "4th", "11th"."""
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def step_from_zero(values: Sequence[int], size: int) -> int | None:
    """The n for which the values are every n-th of 0 to `size` - 1, at least two of them; else None."""
    if len(values) < 2 or values[0] != 0:
        return None
    return values[1] if list(values) == list(range(0, size, values[1])) else None


def step_between(values: Sequence[int]) -> int | None:
    """The distance between neighbours where it is the same for all, at least three; else None."""
    if len(values) < 3:
        return None
    step = values[1] - values[0]
    return step if list(values) == list(range(values[0], values[-1] + 1, step)) else None
