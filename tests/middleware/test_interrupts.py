"""An interrupt hits the function that it is meant for, and nothing else."""

import threading
import time

import pytest
from dramatiq.middleware import Interrupt

from callboard.middleware.interrupts import Window, interruptible
from helpers.waiting import wait_for


class Stop(Interrupt):
    """What the tests interrupt with."""


def spin(seconds: float) -> None:
    """Run Python for so long."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        pass


def test_a_window_that_is_not_open_lets_no_interrupt_through() -> None:
    window = Window()
    assert not window.interrupt(Stop)
    with window:
        pass
    assert not window.interrupt(Stop)
    spin(0.02)
    assert window.interrupted_by is None


def test_the_function_in_an_open_window_is_interrupted_once() -> None:
    window = Window()
    answers: list[bool] = []

    def interrupt() -> None:
        wait_for(lambda: window._open)
        answers.extend(window.interrupt(Stop, ("failed", "why", "who")) for _ in range(3))

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Stop):
        interruptible(window, spin, 5)
    thread.join()
    assert answers == [True, False, False]
    assert (window.interrupted_by, window.order) == (Stop, ("failed", "why", "who"))


def test_an_interrupt_that_comes_as_the_window_closes_is_withdrawn() -> None:
    # Given a function that is interrupted in its very last moment, from within itself
    def finish(window: Window) -> str:
        window.interrupt(Stop)
        return "finished"

    # When that happens often, then it either ends the function or does nothing at all
    outcomes = set()
    for _ in range(2_000):
        window = Window()
        try:
            outcomes.add(interruptible(window, finish, window))
        except Stop:
            outcomes.add("stopped")
        window.close()
        spin(0.00001)
    assert outcomes <= {"finished", "stopped"}


def test_nothing_behind_the_window_is_ever_hit() -> None:
    # Given threads that pass through windows all the time, with work of their own in between
    windows: list[Window | None] = [None] * 4
    stray: list[BaseException] = []
    counted = {"finished": 0, "stopped": 0}
    over = threading.Event()

    def pass_through(place: int) -> None:
        try:
            while not over.is_set():
                windows[place] = window = Window()
                try:
                    interruptible(window, spin, 0.001)
                    outcome = "finished"
                except Stop:
                    outcome = "stopped"
                window.close()
                counted[outcome] += 1
                spin(0.0005)
        except BaseException as error:  # noqa: BLE001 - the very thing that must not happen
            stray.append(error)

    threads = [threading.Thread(target=pass_through, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()

    # When they are interrupted without pause, at any moment
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        for window in windows:
            if window is not None:
                window.interrupt(Stop)
        time.sleep(0.0003)
    over.set()
    for thread in threads:
        thread.join(5)

    # Then only functions were hit
    assert stray == []
    assert min(counted.values()) > 0
