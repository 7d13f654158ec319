"""The queue between consumers and threads does what `queue.PriorityQueue` does."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, PriorityQueue
from typing import Any

import pytest
from dramatiq.common import iter_queue
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from callboard.middleware.work_queue import WorkQueue
from helpers.workers import Calls


@dataclass(order=True)
class Item:
    """Sorts as Dramatiq's own items do: by priority, then by age."""

    priority: int
    number: int = 0
    content: str = field(default="", compare=False)


class Twins(RuleBasedStateMachine):
    """Whatever is done to both, both answer alike."""

    def __init__(self) -> None:
        super().__init__()
        self.ours = WorkQueue()
        self.model: PriorityQueue[Item] = PriorityQueue()
        self.numbers = 0

    @rule(priority=st.integers(-3, 3))
    def put(self, priority: int) -> None:
        self.numbers += 1
        item = Item(priority, self.numbers)
        self.ours.put(item)
        self.model.put(item)

    @rule()
    def take(self) -> None:
        assert _taken(self.ours) == _taken(self.model)

    @rule()
    def take_with_patience(self) -> None:
        if self.model.qsize():
            assert self.ours.get(timeout=1) is self.model.get(timeout=1)

    @precondition(lambda self: self.model.unfinished_tasks)
    @rule()
    def finish_one(self) -> None:
        self.ours.task_done()
        self.model.task_done()

    @rule()
    def empty_out(self) -> None:
        assert list(iter_queue(self.ours)) == list(iter_queue(self.model))

    @invariant()
    def alike(self) -> None:
        assert self.ours.qsize() == self.model.qsize()
        assert self.ours.empty() == self.model.empty()
        assert self.ours.unfinished_tasks == self.model.unfinished_tasks


def _taken(queue: Any) -> Item | None:
    try:
        item: Item = queue.get_nowait()
    except Empty:
        return None
    return item


test_it_answers_as_a_priority_queue_does = Twins.TestCase


@given(st.lists(st.integers(-5, 5)))
def test_items_come_out_by_priority_and_then_by_age(priorities: list[int]) -> None:
    queue = WorkQueue()
    for number, priority in enumerate(priorities):
        queue.put(Item(priority, number))
    taken = [queue.get() for _ in priorities]
    assert taken == sorted(taken)


def test_items_that_cannot_be_compared_are_no_trouble() -> None:
    queue = WorkQueue()
    first, second = (type("Odd", (), {"priority": 0})() for _ in range(2))
    queue.put(first)
    queue.put(second)
    assert queue.get() is first
    assert queue.get() is second


def test_waiting_for_an_item_ends_at_the_timeout() -> None:
    queue = WorkQueue()
    begun = time.monotonic()
    with pytest.raises(Empty):
        queue.get(timeout=0.1)
    assert 0.1 <= time.monotonic() - begun < 5


def test_a_waiting_thread_gets_an_item_as_soon_as_there_is_one() -> None:
    queue = WorkQueue()
    threading.Timer(0.1, lambda: queue.put(Item(1, content="late"))).start()
    begun = time.monotonic()
    assert queue.get(timeout=60).content == "late"
    assert time.monotonic() - begun < 20


def test_every_item_goes_to_exactly_one_of_many_threads() -> None:
    # Given eight threads that take, and three that put
    queue, taken = WorkQueue(), Calls()

    def take() -> None:
        while True:
            try:
                item = queue.get(timeout=0.05)
            except Empty:
                continue
            queue.task_done()
            if item.priority == 9:
                return
            taken.note(item.number)

    def put(base: int) -> None:
        for number in range(base, base + 3_000):
            queue.put(Item(1, number))
            if number % 50 == 0:
                time.sleep(0.0005)

    takers = [threading.Thread(target=take) for _ in range(8)]
    putters = [threading.Thread(target=put, args=(base,)) for base in (0, 3_000, 6_000)]
    for thread in (*takers, *putters):
        thread.start()
    for thread in putters:
        thread.join()

    # When all is done
    queue.join()

    # Then each item was taken once, and nobody waits for more
    assert sorted(taken.made) == list(range(9_000))
    for _ in takers:
        queue.put(Item(9))
    for thread in takers:
        thread.join(5)
        assert not thread.is_alive()


def test_no_thread_waits_beyond_its_timeout_however_the_others_snatch() -> None:
    # Given threads of very little patience
    queue, stop = WorkQueue(), threading.Event()

    def take() -> None:
        while not stop.is_set():
            with suppress(Empty):
                queue.get(timeout=0.002)

    takers = [threading.Thread(target=take, daemon=True) for _ in range(4)]
    for thread in takers:
        thread.start()

    # When they are woken again and again for an item that somebody else snatches
    for _ in range(1_000):
        queue.put(Item(1))
        with suppress(Empty):
            queue.get_nowait()
        time.sleep(0.0005)

    # Then every one of them still comes back
    stop.set()
    for thread in takers:
        thread.join(2)
    assert [thread.is_alive() for thread in takers] == [False] * len(takers)
