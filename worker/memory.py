"""Keeps the processes of a worker small."""

import ctypes
import gc

#: The parameter of glibc's `mallopt` that bounds the number of arenas.
_M_ARENA_MAX = -8

#: How many arenas the threads of a process share. By default each may get one of its own, most of it empty;
#: the interpreter's lock leaves them little to gain by that.
ARENAS = 2


def share_arenas() -> None:
    """Bound what glibc sets aside for threads; call it before there are any. Elsewhere it does nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, ARENAS)


def freeze_loaded() -> None:
    """Never again collect what is loaded by now: processes forked from this one go on sharing its memory."""
    gc.collect()
    gc.freeze()
