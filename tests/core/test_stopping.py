"""An order to stop, given by a signal handler to whoever is just waiting for it."""

import signal
import subprocess
import sys
import threading
import time

from callboard.core.stopping import StopOrder

#: Waits for the order again and again, without a pause in which a signal could strike harmlessly.
WAITING = """
import signal
from callboard.core.stopping import StopOrder
stop = StopOrder()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("waiting", flush=True)
while not stop.wait(0):
    pass
"""


def test_the_order_ends_a_wait_and_every_later_one() -> None:
    stop = StopOrder()
    assert not stop.is_set()
    assert not stop.wait(0.01)
    threading.Timer(0.05, stop.set).start()
    began = time.monotonic()
    assert stop.wait(10)
    assert time.monotonic() - began < 5
    assert stop.wait(10)
    assert stop.is_set()


def test_a_signal_handler_may_give_it_at_any_moment_of_the_wait() -> None:
    # Given processes that do nothing but wait; half of those that wait for a `threading.Event` would hang
    for number in range(10):
        process = subprocess.Popen([sys.executable, "-c", WAITING], stdout=subprocess.PIPE)
        with process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.001 * number)

            # When the signal strikes anywhere in it, then they end
            process.send_signal(signal.SIGTERM)
            try:
                assert process.wait(10) == 0
            finally:
                process.kill()
