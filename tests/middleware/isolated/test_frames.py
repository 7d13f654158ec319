"""Frames that a socket delivers in pieces."""

import random

import pytest

from callboard.middleware.isolated.frames import ERROR, LINE, RESULT, Frames, frame


def test_frames_are_whole_again_however_they_were_cut() -> None:
    chance = random.Random(3)
    sent = [
        (kind, chance.randbytes(chance.choice([0, 1, 10, 70_000]))) for kind in (LINE, RESULT, ERROR) * 20
    ]
    stream = b"".join(frame(kind, payload) for kind, payload in sent)

    frames, got = Frames(), []
    while stream:
        size = chance.choice([1, 3, 5, 1_000, 100_000])
        got += frames.feed(stream[:size])
        stream = stream[size:]

    assert got == sent


def test_what_is_no_frame_is_not_waited_for() -> None:
    frames = Frames(most=1_000)
    assert list(frames.feed(frame(LINE, b"x" * 1_000))) == [(LINE, b"x" * 1_000)]
    with pytest.raises(ValueError, match="a frame of"):
        list(frames.feed(b"Segmentation fault, or whatever a library prints"))
