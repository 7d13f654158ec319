"""Actors of every kind, and the messages that are built from them."""

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq import Actor, GenericActor, Message, PickleEncoder
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.message import get_encoder, set_encoder
from dramatiq.middleware import AsyncIO, CurrentMessage

from helpers.waiting import wait_for
from helpers.workers import Calls, dead_letters, declare, wait_until_empty, working


def test_an_actor_can_be_called_as_the_function_that_it_is(broker: Any) -> None:
    @dramatiq.actor(queue_name="maths", priority=3, max_retries=7)
    def add(a: int, b: int = 1) -> int:
        "Adds."
        return a + b

    assert (add(1), add(1, b=2)) == (2, 3)
    assert isinstance(add, Actor)
    assert (add.actor_name, add.queue_name, add.priority, add.options) == (
        "add",
        "maths",
        3,
        {"max_retries": 7},
    )
    assert add.broker is broker
    assert add.fn.__name__ == "add"
    assert add.fn.__doc__ == "Adds."
    assert str(add) == "Actor(add)"


def test_a_name_can_be_declared_once(broker: Any) -> None:
    declare(broker, lambda: None, actor_name="work")
    with pytest.raises(ValueError, match="already registered"):
        declare(broker, lambda: None, actor_name="work")


def test_an_actor_may_be_of_an_applications_own_class(broker: Any) -> None:
    class Loud(Actor):  # type: ignore[type-arg]
        def send(self, *args: Any, **kwargs: Any) -> Any:
            return super().send(*(arg.upper() for arg in args), **kwargs)

    ran = Calls()
    work = declare(broker, ran.note, actor_name="work", actor_class=Loud)
    assert isinstance(work, Loud)
    work.send("hello")
    with working(broker):
        assert ran.wait_for(1) == ["HELLO"]


def test_async_actors_share_an_event_loop(broker: Any) -> None:
    inside, loops = Calls(), Calls()

    @dramatiq.actor(store_results=True)
    async def meet(number: int) -> int:
        loops.note(id(asyncio.get_running_loop()))
        inside.note(number)
        while len(inside.made) < 3:
            await asyncio.sleep(0.005)
        return number * 2

    sent = [meet.send(number) for number in range(3)]
    with working(broker, threads=3):
        assert [message.get_result(block=True, timeout=5_000) for message in sent] == [0, 2, 4]
    assert len(set(loops.made)) == 1


def test_an_async_actor_that_fails_is_tried_again(broker: Any) -> None:
    attempts = Calls()

    @dramatiq.actor(max_retries=1, min_backoff=100, max_backoff=100)
    async def work() -> None:
        await asyncio.sleep(0)
        if attempts.note() < 3:
            raise TimeoutError

    work.send()
    with working(broker):
        wait_until_empty(broker)
    assert len(attempts.made) == 2
    assert len(dead_letters(broker)) == 1


def test_async_actors_are_set_up_as_documented_and_leave_no_thread_behind(broker: Any) -> None:
    if not any(isinstance(middleware, AsyncIO) for middleware in broker.middleware) or hasattr(
        broker, "keys"
    ):
        # An application that has changed over goes on adding it
        broker.add_middleware(AsyncIO())
    before = set(threading.enumerate())

    @dramatiq.actor(store_results=True)
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    message = answer.send()
    with working(broker):
        assert message.get_result(block=True, timeout=5_000) == 42
    assert get_event_loop_thread() is None
    left = [thread for thread in set(threading.enumerate()) - before if not thread.daemon]
    assert left == []


def test_an_actor_may_be_a_class_and_inherit_its_options(broker: Any) -> None:
    ran = Calls()

    class Base(GenericActor):
        class Meta:
            abstract = True
            queue_name = "classes"
            max_retries = 3

        def word(self) -> str:
            raise NotImplementedError

        def perform(self, number: int) -> None:
            ran.note((self.word(), number))

    class Hello(Base):
        def word(self) -> str:
            return "hello"

    class Bye(Base):
        class Meta(Base.Meta):
            actor_name = "goodbye"
            queue_name = "farewells"

        def word(self) -> str:
            return "bye"

    assert broker.get_declared_actors() == {"Hello", "goodbye"}
    assert Hello.options == {"max_retries": 3}  # type: ignore[attr-defined]
    assert Hello.queue_name == "classes"  # type: ignore[attr-defined]
    Hello.send(1)  # type: ignore[attr-defined]
    Bye.send_with_options(args=(2,), delay=20)  # type: ignore[attr-defined]
    with working(broker):
        assert sorted(ran.wait_for(2)) == [("bye", 2), ("hello", 1)]


def test_a_class_without_its_method_fails_as_any_other_actor(broker: Any) -> None:
    class Empty(GenericActor):
        class Meta:
            max_retries = 0

    Empty.send()  # type: ignore[attr-defined]
    with working(broker):
        wait_until_empty(broker)
    assert len(dead_letters(broker)) == 1


def test_of_what_waits_the_actor_of_the_lowest_number_goes_first(broker: Any) -> None:
    ran, gate = Calls(), threading.Event()
    hold = declare(broker, lambda: ran.note("hold") and gate.wait(5), actor_name="hold", queue_name="hold")
    actors = [
        declare(broker, ran.note, actor_name=f"work{number}", priority=number, queue_name=f"q{number}")
        for number in (20, 0, 10)
    ]
    with working(broker, threads=1) as worker:
        hold.send()
        ran.wait_for(1)
        for actor in actors:
            actor.send(actor.priority)
        wait_for(lambda: worker.work_queue.qsize() == 3)
        gate.set()
        assert ran.wait_for(4) == ["hold", 0, 10, 20]


def test_an_actor_can_ask_for_its_message_in_plain_async_and_class_form(broker: Any) -> None:
    broker.add_middleware(CurrentMessage())
    seen = Calls()

    def note() -> None:
        message = CurrentMessage.get_current_message()
        seen.note((message.actor_name, message.message_id, message.options["tenant"]) if message else None)

    async def note_async() -> None:
        note()

    class NoteInClass(GenericActor):
        def perform(self) -> None:
            note()

    actors = [declare(broker, note), declare(broker, note_async), broker.get_actor("NoteInClass")]
    sent = [actor.send_with_options(tenant="acme") for actor in actors]
    with working(broker, threads=1):
        seen.wait_for(3)
    assert sorted(seen.made) == sorted((message.actor_name, message.message_id, "acme") for message in sent)
    assert CurrentMessage.get_current_message() is None


@pytest.fixture
def pickled() -> Iterator[None]:
    """Messages and results are pickled meanwhile."""
    before = get_encoder()
    set_encoder(PickleEncoder())
    yield
    set_encoder(before)


@pytest.mark.usefixtures("pickled")
def test_pickled_messages_carry_what_json_cannot(broker: Any) -> None:
    ran = Calls()
    day, things = dt.date(2026, 2, 28), {1, 2, 3}

    def work(*args: Any, **kwargs: Any) -> Any:
        if ran.note((args, kwargs)) == 1:
            raise RuntimeError
        return {day: things}

    actor = declare(broker, work, min_backoff=50, max_backoff=50)
    message = actor.send_with_options(args=(day,), kwargs={"things": things, "raw": b"\xff\x00"}, delay=50)
    with working(broker):
        ran.wait_for(2)
        wait_until_empty(broker)
    assert ran.made == [((day,), {"things": things, "raw": b"\xff\x00"})] * 2
    assert Message.decode(message.encode()) == message


def test_a_message_survives_being_encoded_and_says_what_it_is(broker: Any) -> None:
    work = declare(broker, lambda *a, **k: None, actor_name="work")
    message = work.message_with_options(args=(1, "two"), kwargs={"three": [3]}, tenant="acme")
    assert Message.decode(message.encode()) == message
    assert Message(**message.asdict()) == message
    assert str(message) == "work(1, 'two', three=[3])"
    assert abs(message.message_datetime.timestamp() * 1000 - message.message_timestamp) < 1
    assert message.message_id != work.message(1, "two", three=[3]).message_id


def test_a_copy_of_a_message_has_its_own_options_over_those_of_the_first(broker: Any) -> None:
    message = declare(broker, lambda: None, actor_name="work").message_with_options(
        tenant="acme", region="eu"
    )
    copy = message.copy(args=(1,), options={"tenant": "other"})
    assert (copy.args, copy.options) == ((1,), {"tenant": "other", "region": "eu"})
    assert message.options == {"tenant": "acme", "region": "eu"}
    assert copy.message_id == message.message_id


def test_what_cannot_be_decoded_is_no_message(broker: Any) -> None:
    with pytest.raises(dramatiq.DecodeError):
        Message.decode(b"{nonsense")
