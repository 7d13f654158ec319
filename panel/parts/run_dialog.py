"""The dialog that runs a job: names it, asks for its arguments, says what came of it."""

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from callboard.control.actions.run_job import run_job
from callboard.control.reads.jobs import Job
from callboard.core.errors import BadInput, CallboardError
from callboard.panel import access, loaders
from callboard.panel.home import context
from callboard.panel.parts import told
from callboard.panel.parts.plain import label, plain

#: Kinds of parameters that have a field of their own.
ASKED = ("positional_only", "positional_or_keyword", "keyword_only")


@st.dialog("Run now", icon=":material/play_arrow:")
def run_dialog(job: Job) -> None:
    """Ask whether, and with which arguments, to run the job."""
    plain(job.name, style="strong")
    if job.description:
        plain(job.description, style="quiet")
    if not job.enabled:
        st.caption("It is switched off. Switch it on to run it.")
        return
    if job.mutex and job.running:
        st.caption("It is running, and only one run of it may go at a time: this one waits or is skipped.")
    asked = [each for each in job.signature if each.get("kind", ASKED[1]) in ASKED]
    entered = {each["name"]: field(each, key=f"argument_{job.name}_{each['name']}") for each in asked}
    if not asked:
        st.caption("It takes no arguments.")
    if not st.button(
        "Run now",
        type="primary",
        key="run_confirm",
        icon=":material/play_arrow:",
        width="stretch",
        shortcut="Mod+Enter",
    ):
        return
    try:
        args, kwargs = arguments(asked, entered)
        requested = run_job(context(), access.require(), job.name, args=args, kwargs=kwargs)
    except CallboardError as error:
        access.trouble(error)
        return
    loaders.forget()
    sent = requested.state == "sent"
    told.done(
        f"{job.name} {'is sent to its queue.' if sent else 'waits until Redis is back.'}",
        str(requested.run_id),
    )
    st.rerun()


def field(parameter: Mapping[str, Any], *, key: str) -> Any:
    """The input for one argument, after its declared type; what was entered, as text where it is JSON."""
    name, kind = str(parameter["name"]), base_type(parameter)
    default, required = parameter.get("default"), bool(parameter.get("required"))
    shown = label(name) + ("" if required else " (optional)")
    if kind == "bool":
        return st.toggle(shown, value=bool(default), key=key)
    if kind == "int":
        return st.number_input(shown, value=default if isinstance(default, int) else None, step=1, key=key)
    if kind == "float":
        return st.number_input(
            shown, value=float(default) if isinstance(default, int | float) else None, key=key
        )
    if kind == "str":
        return st.text_input(shown, value="" if default is None else str(default), key=key)
    written = "" if default is None else json.dumps(default)
    return st.text_area(shown, value=written, key=key, height=80, placeholder="JSON")


def base_type(parameter: Mapping[str, Any]) -> str:
    """The declared type, None aside: `int | None` is `int`; empty where several or none are declared."""
    parts = [part.strip().partition("[")[0] for part in str(parameter.get("type") or "").split("|")]
    named = [part for part in parts if part not in ("None", "")]
    return named[0] if len(named) == 1 else ""


def arguments(
    parameters: list[Mapping[str, Any]], entered: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """What to send: by place where it can only go by place, else by name; what was left empty is left out.

    Raises:
        BadInput: a required argument is missing, or a text that should be JSON is not.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for parameter in parameters:
        name, value, kind = str(parameter["name"]), entered.get(parameter["name"]), base_type(parameter)
        if value is None or (value == "" and not (kind == "str" and parameter.get("required"))):
            if parameter.get("required"):
                raise BadInput(f"The argument {name} is needed; fill it in.")
            continue
        if kind not in ("bool", "int", "float", "str"):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise BadInput(
                    f"The argument {name} is no JSON ({error}); text goes in double quotes."
                ) from None
        if parameter.get("kind") == "positional_only":
            args.append(value)
        else:
            kwargs[name] = value
    return args, kwargs
