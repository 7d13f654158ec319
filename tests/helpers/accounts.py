"""Run a function under another system account, for tests that root runs."""

import os
import pickle
import pwd
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def run_as(uid: int, function: Callable[[], T]) -> T:
    """Call the function in a fork under that user id; return what it returned, raise what it raised."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        _child(uid, function, write)
    os.close(write)
    with os.fdopen(read, "rb") as answers:
        answer = answers.read()
    os.waitpid(pid, 0)
    good, value = pickle.loads(answer)
    if not good:
        raise value
    return value


def _child(uid: int, function: Callable[[], object], write: int) -> None:
    try:
        os.setgroups([])
        os.setgid(uid)
        os.setuid(uid)
        answer = (True, function())
    except BaseException as error:  # noqa: BLE001
        traceback.print_exc()
        answer = (False, error)
    with os.fdopen(write, "wb") as answers:
        pickle.dump(answer, answers)
    os._exit(0)


def ordinary_user() -> int:
    """The user id of an account that is not root and that PostgreSQL can run under."""
    return pwd.getpwnam("daemon").pw_uid
