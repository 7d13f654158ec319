"""What a worker process does at its beginning and its end, beside its threads."""

import threading

from callboard.middleware.broker import Broker
from helpers.waiting import wait_for
from helpers.workers import Calls, declare, held, left_over, working


def test_what_was_fetched_and_not_begun_goes_back_before_what_runs_has_ended(broker: Broker) -> None:
    # Given a worker of one thread that has fetched more than it can begin
    begun, over = Calls(), threading.Event()

    def work(number: int) -> None:
        begun.note(number)
        assert over.wait(30)

    actor = declare(broker, work, max_retries=0)
    with working(broker, threads=1) as worker:
        broker.enqueue_many(actor.message(number) for number in range(2))
        begun.wait_for(1)
        wait_for(lambda: len(held(broker)) == 2)

        # When it is told to stop
        stopping = threading.Thread(target=worker.stop, args=(30_000,))
        stopping.start()

        # Then others can have the rest, while its job goes on
        try:
            wait_for(lambda: broker.client.llen(broker.keys.queue("default")) == 1, 5)
            assert (len(held(broker)), stopping.is_alive()) == (1, True)
        finally:
            over.set()
            stopping.join()
    assert begun.made == [0]
    assert left_over(broker) == 1
