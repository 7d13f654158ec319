"""Where a process was, read from what the interpreter's fault handler has written."""

from callboard.middleware.isolated.whereabouts import frames_of

STACK = b"""\
Stack (most recent call first):
  File "/app/shop.py", line 12 in count
  File "/app/shop.py", line 30 in work
  File "/lib/child.py", line 70 in _call
  File "/lib/nursery.py", line 9 in serve
"""


def test_the_stack_is_read_from_the_outside_and_without_our_own_frames() -> None:
    frames = frames_of(STACK, until="/lib/child.py")
    assert [(frame.file, frame.line, frame.function) for frame in frames] == [
        ("/app/shop.py", 30, "work"),
        ("/app/shop.py", 12, "count"),
    ]
    assert len(frames_of(STACK, until="/elsewhere.py")) == 4


def test_the_last_of_several_stacks_counts_and_that_of_c_does_not() -> None:
    crash = b"""\
Fatal Python error: Segmentation fault

Current thread 0x00007f7c4a629b80 [work] (most recent call first):
  File "/app/shop.py", line 44 in crash
  File "/lib/child.py", line 70 in _call

Current thread's C stack trace (most recent call first):
  Binary file "/usr/bin/python3", at _Py_DumpStack+0x31 [0x5d2d3c]
  <truncated rest of calls>

Extension modules: numpy (total: 1)
"""
    assert [frame.line for frame in frames_of(STACK + crash, until="/lib/child.py")] == [44]


def test_nothing_written_is_no_stack() -> None:
    assert frames_of(b"", until="/lib/child.py") == []
    assert frames_of(b"\xff\xfe garbage\n  File ", until="/lib/child.py") == []
