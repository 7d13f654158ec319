"""Checks of an actor's options, made where the actor is declared: a wrong one is refused in one sentence."""

from collections.abc import Collection, Iterable
from typing import Any

from dramatiq import Actor

from callboard.core.cron import Cron
from callboard.core.errors import BadInput, BadSchedule

#: The longest name of a job that the tables hold.
MAX_NAME = 100


def refuse(actor: Any, option: str, use: str) -> BadInput:
    """The error to raise for an option of a wrong value."""
    value = repr(actor.options[option])
    return BadInput(f"The actor {actor.actor_name} has {option}={value:.80}; use {use}.")


def check_number(
    actor: Any, option: str, *, least: float, unit: str = " of ms", whole: bool = False, none: bool = False
) -> None:
    """Refuse what is no number of at least `least`.

    Parameters:
        unit: what the number counts, for the sentence.
        whole: whether it must be whole; if not, infinity is allowed.
        none: whether None is allowed.
    """
    if option not in actor.options:
        return
    value = actor.options[option]
    if none and value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not value >= least:
        raise refuse(actor, option, f"a {'whole ' if whole else ''}number{unit} of at least {least:g}")


def check_choice(actor: Any, option: str, choices: Collection[Any]) -> None:
    """Refuse what is none of the choices."""
    if option in actor.options and actor.options[option] not in choices:
        *others, last = (repr(choice) for choice in choices)
        raise refuse(actor, option, f"{', '.join(others)} or {last}")


def check_text(actor: Any, option: str) -> None:
    """Refuse what is neither text nor None."""
    if not isinstance(actor.options.get(option), str | None):
        raise refuse(actor, option, "text")


def check_name(actor: Any) -> None:
    """Refuse a name that the tables cannot hold."""
    name = actor.actor_name
    if len(name) > MAX_NAME:
        raise BadInput(
            f"The actor name {name[:20]}... has {len(name)} characters; make it {MAX_NAME} or fewer."
        )


def schedules_of(actor: Actor[Any, Any]) -> list[Cron]:
    """The schedules of the option `periodic`: a schedule, or several of them.

    Raises:
        BadSchedule: it is something else.
    """
    periodic = actor.options.get("periodic")
    if periodic is None:
        return []
    several = isinstance(periodic, Iterable) and not isinstance(periodic, str)
    schedules = list(periodic) if several else [periodic]
    if not all(isinstance(schedule, Cron) for schedule in schedules):
        raise BadSchedule(str(refuse(actor, "periodic", "callboard.cron(...) or a list of such")))
    names = [schedule.name for schedule in schedules if schedule.name is not None]
    for name in names:
        if names.count(name) > 1:
            raise BadSchedule(f"The actor {actor.actor_name} has two schedules named {name}; rename one.")
    return schedules
