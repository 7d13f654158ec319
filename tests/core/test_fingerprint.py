"""The same error has the same fingerprint wherever and whenever it happens, another one another."""

import re
import traceback

from hypothesis import given
from hypothesis import strategies as st

from callboard.core.fingerprint import LENGTH, fingerprint, frames, normalised

names = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
folders = st.from_regex(r"(/[a-z0-9._-]{1,10}){0,4}", fullmatch=True)
stacks = st.lists(st.tuples(names, names), min_size=1, max_size=12)
numbers = st.integers(min_value=0, max_value=10**9)


def trace(stack, folder="/srv/app", lines=None, message="no"):
    lines = lines or [7] * len(stack)
    printed = [
        f'  File "{folder}/{file}.py", line {line}, in {function}\n    {function}()\n'
        for (file, function), line in zip(stack, lines, strict=True)
    ]
    return f"Traceback (most recent call last):\n{''.join(printed)}ValueError: {message}\n"


@given(stacks, folders, folders, st.data(), st.text(), st.text())
def test_folders_lines_and_messages_change_nothing(stack, one, other, data, said, told):
    drawn = [data.draw(st.lists(numbers, min_size=len(stack), max_size=len(stack))) for _ in range(2)]

    first, second = (
        fingerprint("ValueError", trace(stack, folder, lines, "x"), message)
        for folder, lines, message in zip((one, other), drawn, (said, told), strict=True)
    )

    assert first == second
    assert re.fullmatch(rf"[0-9a-f]{{{LENGTH}}}", first)


@given(stacks, names)
def test_another_type_or_another_innermost_function_is_another_error(stack, function):
    file, before = stack[-1]
    changed = [*stack[:-1], (file, before + "_" + function)]

    assert fingerprint("ValueError", trace(stack)) != fingerprint("KeyError", trace(stack))
    assert fingerprint("ValueError", trace(stack)) != fingerprint("ValueError", trace(changed))


@given(stacks, stacks)
def test_of_a_chain_the_last_error_counts(first, last):
    between = "\nDuring handling of the above exception, another exception occurred:\n\n"

    assert fingerprint("E", trace(first) + between + trace(last)) == fingerprint("E", trace(last))


@given(st.uuids(), st.uuids(), numbers, numbers, folders, folders)
def test_ids_numbers_addresses_and_paths_of_a_message_without_frames_change_nothing(
    one, other, few, many, here, there
):
    first, second = (
        f"order {ident} of <Shop object at {number:#x}> waits {number} s for /data{folder}"
        for ident, number, folder in ((one, few, here), (other, many, there))
    )

    assert normalised(first) == normalised(second)
    assert fingerprint("Dead", None, first) == fingerprint("Dead", "", second)
    assert fingerprint("Dead", None, first) != fingerprint("Dead", None, f"{first} no more")


@given(st.text(), st.text(), st.text())
def test_whatever_comes_has_a_fingerprint(error_type, printed, message):
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(error_type, printed, message))


def test_a_traceback_as_python_prints_it_is_read():
    def fail_with_7():
        raise ValueError("no")

    try:
        fail_with_7()
    except ValueError:
        printed = traceback.format_exc()

    assert frames(printed) == [
        "test_fingerprint.py:test_a_traceback_as_python_prints_it_is_read",
        "test_fingerprint.py:fail_with_<n>",
    ]
