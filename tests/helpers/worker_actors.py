"""Jobs for the tests of the worker's processes."""

import os
import time

import dramatiq


@dramatiq.actor(actor_name="tell-pid", max_retries=0)
def tell_pid() -> int:
    """Returns the id of the process that works."""
    return os.getpid()


@dramatiq.actor(actor_name="nap", max_retries=0)
def nap(seconds: float) -> str:
    """Takes its time, in one call that nothing interrupts."""
    time.sleep(seconds)
    return "rested"
