"""Names that depend on a message's arguments: `"sync:{tenant_id}"`."""

import inspect
import re
from string import Formatter
from typing import Any

from dramatiq import Message, MessageProxy

from callboard.core.errors import BadInput
from callboard.core.limits import storable


def check_template(actor: Any, option: str, template: str) -> None:
    """Refuse a template that the arguments of the actor cannot fill.

    Raises:
        BadInput: one sentence that names the actor, the option and what is wrong.
    """
    try:
        names = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise BadInput(
            f"The actor {actor.actor_name} has {option}={template!r}, which is no template: {error}."
        ) from None
    parameters = inspect.signature(actor.fn).parameters
    for name in names:
        argument = re.split(r"[.\[]", name)[0]
        if argument not in parameters:
            raise BadInput(
                f"The actor {actor.actor_name} has {option}={template!r}, but no argument"
                f" {argument or name!r}; use the names of its arguments."
            )


def fill(template: str, actor: Any, message: Message[Any] | MessageProxy) -> str:
    """The template with the message's arguments in it. Raises whatever these do where they do not fit."""
    if "{" not in template:
        return storable(template)
    bound = inspect.signature(actor.fn).bind(*message.args, **message.kwargs)
    bound.apply_defaults()
    return storable(template.format(**bound.arguments))
