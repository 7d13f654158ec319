"""What a worker and the processes of its runs say to each other, and how it looks on a socket.

Between a run's thread and its process, both ways: frames, each a kind, a length and so many bytes.
Between the worker and the nursery: an order to begin (`BEGIN`, with two sockets and the file for where the
process is), then one byte for each later order; the nursery answers once, with an `END`.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum

#: What a frame holds. From the worker: a request, the type of an interrupt. From the process: a log line, its
#: progress, and at last its result or its error.
REQUEST, INTERRUPT, LINE, PROGRESS, RESULT, ERROR = b"q", b"i", b"l", b"p", b"r", b"e"

_HEAD = struct.Struct("!cI")

#: The most bytes of a frame that comes from a process.
MAX_FRAME = 16 * 2**20

#: What the nursery says first.
READY = b"R"

#: Begin a process: seconds after which it is killed, whatever the worker does, and bytes of memory (or 0).
BEGIN = struct.Struct("!dQ")

#: Later orders: ask the process to end, and kill it; a sign of life, without which it is killed too; and have
#: it write down where it is.
ASK, KILL, BEAT, WHERE = b"T", b"K", b"B", b"W"

#: The end of a process: why it was ended, its wait status, and the bytes it had or the error's number. What
#: is known of where it was follows, up to the end of the stream.
END = struct.Struct("!BiQ")


class Cause(IntEnum):
    """What the nursery has to do with the end of a process."""

    OWN = 0
    MEMORY = 1
    TIME = 2
    #: The worker had given no sign of life.
    SILENCE = 3
    #: It could not be started.
    REFUSED = 4


def frame(kind: bytes, payload: bytes) -> bytes:
    """A frame, as it is sent."""
    return _HEAD.pack(kind, len(payload)) + payload


class Frames:
    """Puts frames together from the pieces that a socket delivers.

    Parameters:
        most: the most bytes of a frame.
    """

    def __init__(self, most: float = float("inf")) -> None:
        self._most = most
        self._pieces = bytearray()

    def feed(self, piece: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames that are complete with this piece: kind and payload.

        Raises:
            ValueError: this is no frame; nothing after it can be read either.
        """
        self._pieces += piece
        while len(self._pieces) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._pieces)
            if length > self._most:
                raise ValueError(f"a frame of {length} bytes")
            end = _HEAD.size + length
            if len(self._pieces) < end:
                return
            payload = bytes(self._pieces[_HEAD.size : end])
            del self._pieces[:end]
            yield kind, payload
