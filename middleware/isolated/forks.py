"""Has processes that a job forks end at SIGTERM, as whoever sends it expects: a pool, say, waits for that.

They inherit the handler by which the job itself is interrupted. It is taken from them before the signal can
arrive: one that came between the fork and the interpreter's beginning in the new process would be lost.
"""

import os
import signal
import threading
from typing import Any

_NUMBER = {signal.SIGTERM}


def end_forks_by_sigterm(handler: Any) -> None:
    """Take that handler of SIGTERM from every process that this one forks from now on."""
    before = threading.local()

    def hold() -> None:
        before.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _NUMBER)

    def go_on() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, before.mask)

    def let_go() -> None:
        if signal.getsignal(signal.SIGTERM) == handler:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=let_go)
