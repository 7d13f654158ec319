"""Sending many things at once: what may be out without having been marked, and when it is given up."""

import threading
import time
from dataclasses import dataclass

import pytest

from callboard.actors.providers.errors import Deferred, Unreachable
from callboard.actors.sending import PROBES, UNMARKED, Said, Sending, Sent


@dataclass(frozen=True)
class Item:
    id: int


ITEMS = [Item(number) for number in range(200)]


def test_no_more_than_so_many_are_out_at_any_time_that_have_not_been_marked() -> None:
    # Given a database that takes its time to mark
    out, marked, most = [], [], []

    def send(item: Item) -> str:
        out.append(item.id)
        most.append(len(out) - len(marked))
        return f"wamid.{item.id}"

    def mark(said: Said) -> None:
        time.sleep(0.02)
        marked.extend(said)

    sent = Sent()
    # When many are sent
    with Sending(send, threads=16) as sending:
        sending.send(ITEMS, sent, mark, threading.Event())
    # Expect all marked, each once, and never more than the bound unmarked
    assert sorted(marked) == sorted(sent.done) == [item.id for item in ITEMS]
    assert max(most) <= UNMARKED


def test_what_is_told_to_stop_begins_nothing_more_and_marks_what_is_out() -> None:
    stop, marked = threading.Event(), Said()

    def send(item: Item) -> str:
        stop.set()
        time.sleep(0.05)
        return "out"

    sent = Sent()
    with Sending(send, threads=4) as sending:
        sending.send(ITEMS, sent, marked.update, stop)

    assert set(marked) == set(sent.done)
    assert len(sent.done) + len(sent.untried) == len(ITEMS)
    assert 0 < len(sent.done) < len(ITEMS)


def test_what_cannot_be_marked_ends_it_and_is_told() -> None:
    def mark(said: Said) -> None:
        raise LookupError("no database")

    sent = Sent()
    with Sending(lambda item: "out", threads=4) as sending, pytest.raises(LookupError, match="no database"):
        sending.send(ITEMS, sent, mark, threading.Event())

    assert len(sent.done) <= UNMARKED
    assert len(sent.done) + len(sent.untried) == len(ITEMS)


def test_a_careful_one_finds_out_with_a_few_that_the_service_is_away() -> None:
    tried = []

    def send(item: Item) -> str:
        tried.append(item.id)
        raise Unreachable("no answer in time.", maybe_done=True)

    sent = Sent()
    with Sending(send, threads=16, careful=True) as sending:
        sending.send(ITEMS, sent, lambda said: None, threading.Event())

    assert len(tried) == PROBES
    assert isinstance(sent.outage, Unreachable)


def test_what_is_deferred_item_by_item_is_no_outage() -> None:
    def send(item: Item) -> str:
        if item.id < 60:
            raise Deferred("not to this one now.")
        return "out"

    sent = Sent()
    with Sending(send, threads=16, careful=True) as sending:
        sending.send(ITEMS, sent, lambda said: None, threading.Event())

    assert sent.outage is None
    assert (len(sent.failed), len(sent.done)) == (60, 140)
