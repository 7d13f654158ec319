"""`/api/schedules`: list, preview, make and change schedules, apply templates."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Response

from callboard.api.dependencies import Caller, CurrentContext, Viewer
from callboard.api.models.people import Done
from callboard.api.models.plans import AppliedBody, ApplyRequest, PreviewBody, PreviewRequest, TemplateList
from callboard.api.models.schedules import NewSchedule, ScheduleBody, ScheduleChanges, ScheduleList
from callboard.api.once import ONCE, OnceRoute
from callboard.api.parameters import ScheduleId
from callboard.api.problems import documented
from callboard.control.actions import schedules as actions
from callboard.control.actions.schedule_templates import apply_template
from callboard.control.reads import previews
from callboard.control.reads import schedules as reads
from callboard.control.reads.schedules import Schedule
from callboard.core.errors import BadInput
from callboard.core.moments import sensible
from callboard.core.templates import SUGGESTIONS, TEMPLATES

router = APIRouter(prefix="/api/schedules", tags=["schedules"], route_class=OnceRoute)

CHANGE = documented(400, 401, 403, 404, 409, 413, 422, 503)
#: On a request that may be sent by whoever may look.
HARMLESS = {"x-changes-nothing": True}


def version(
    if_match: Annotated[
        str | None, Header(max_length=100, description="The `ETag` that the change is based on.")
    ] = None,
) -> datetime | None:
    """The version that the caller has seen."""
    if if_match is None or if_match.strip() == "*":
        return None
    try:
        return sensible(datetime.fromisoformat(if_match.strip().removeprefix("W/").strip('"')))
    except ValueError:
        raise BadInput("The header If-Match is no ETag of a schedule; pass it on as it came.") from None


Version = Annotated[datetime | None, Depends(version)]


@router.get("", summary="List schedules", responses=documented(401, 403, 404, 422, 503))
def list_schedules(
    context: CurrentContext,
    _caller: Viewer,
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
) -> ScheduleList:
    """All schedules, or those of a job. Takes `jobs:view`."""
    return ScheduleList(schedules=[ScheduleBody.of(each) for each in reads.schedules(context, job=job)])


@router.post("", summary="Make a schedule", status_code=201, dependencies=ONCE, responses=CHANGE)
def add(
    context: CurrentContext, caller: Caller, body: Annotated[NewSchedule, Body()], response: Response
) -> ScheduleBody:
    """Give a job one more schedule; it counts from now on. Takes `schedules:edit`: the role operator."""
    given = body.model_dump(exclude={"job", "expr"})
    return _answer(actions.add_schedule(context, caller, body.job, body.expr, **given), response)


@router.get("/templates", summary="List templates", responses=documented(401, 403, 503))
def list_templates(_caller: Viewer) -> TemplateList:
    """Patterns for two jobs that belong together, and expressions that are often wanted for one."""
    return TemplateList.of(TEMPLATES, SUGGESTIONS)


@router.post(
    "/preview",
    summary="Preview a schedule",
    responses=documented(400, 401, 403, 404, 413, 422, 503),
    openapi_extra=HARMLESS,
)
def preview(context: CurrentContext, _caller: Viewer, body: Annotated[PreviewRequest, Body()]) -> PreviewBody:
    """The next runs of an expression in a zone, with what changes of the clock do to them. Changes nothing.

    For a schedule that there is, also which of its slots of the next seven days go, come and stay.
    """
    if body.schedule is not None:
        found = previews.preview_edit(
            context, body.schedule, expr=body.expr, tz=body.tz, start=body.start, count=body.count
        )
        return PreviewBody.of_edit(found)
    if body.expr is None:
        raise BadInput("Give an expression, `expr`, or the id of a schedule, `schedule`.")
    return PreviewBody.of(previews.preview(body.expr, body.tz, start=body.start, count=body.count))


@router.post("/apply", summary="Apply a template", dependencies=ONCE, responses=CHANGE)
def apply(context: CurrentContext, caller: Caller, body: Annotated[ApplyRequest, Body()]) -> AppliedBody:
    """Give two jobs the schedules of a template, both or neither; it takes the place of the one before.

    Their other schedules are switched off, unless `keepOthers`. Takes `schedules:edit`.
    """
    given = body.model_dump(exclude={"template"})
    return AppliedBody.of(apply_template(context, caller, body.template, **given))


@router.get(
    "/{schedule:int}",
    summary="Get a schedule",
    responses=documented(401, 403, 404, 422, 503),
    openapi_extra={"x-versioned": True},
)
def get(context: CurrentContext, _caller: Viewer, schedule: ScheduleId, response: Response) -> ScheduleBody:
    """What it says; its `ETag` is its version. Takes `jobs:view`."""
    return _answer(reads.schedule(context, schedule), response)


@router.patch("/{schedule:int}", summary="Change a schedule", responses=CHANGE)
def edit(
    context: CurrentContext,
    caller: Caller,
    schedule: ScheduleId,
    body: Annotated[ScheduleChanges, Body()],
    based_on: Version,
    response: Response,
) -> ScheduleBody:
    """Change what is given; deploys leave the change alone. Takes `schedules:edit`.

    With `If-Match` it is refused (412) where somebody else has changed it since.
    """
    changes = body.model_dump(exclude_none=True)
    return _answer(actions.edit_schedule(context, caller, schedule, changes, version=based_on), response)


@router.delete("/{schedule:int}", summary="Delete a schedule", responses=CHANGE)
def remove(context: CurrentContext, caller: Caller, schedule: ScheduleId, based_on: Version) -> Done:
    """Delete a schedule that an operator has made; one that code declares is refused (409): switch it off.

    What became of its slots stays in the ledger. Takes `schedules:edit`.
    """
    actions.remove_schedule(context, caller, schedule, version=based_on)
    return Done()


@router.post("/{schedule:int}/enable", summary="Switch a schedule on", dependencies=ONCE, responses=CHANGE)
def enable(
    context: CurrentContext, caller: Caller, schedule: ScheduleId, based_on: Version, response: Response
) -> ScheduleBody:
    """It counts from now on. Takes `schedules:edit`."""
    found = actions.set_schedule_enabled(context, caller, schedule, True, version=based_on)
    return _answer(found, response)


@router.post("/{schedule:int}/disable", summary="Switch a schedule off", dependencies=ONCE, responses=CHANGE)
def disable(
    context: CurrentContext, caller: Caller, schedule: ScheduleId, based_on: Version, response: Response
) -> ScheduleBody:
    """Its slots are noted as skipped; the job's other schedules stay on. Takes `schedules:edit`."""
    found = actions.set_schedule_enabled(context, caller, schedule, False, version=based_on)
    return _answer(found, response)


@router.post(
    "/{schedule:int}/reset", summary="Reset a schedule to its code", dependencies=ONCE, responses=CHANGE
)
def reset(
    context: CurrentContext, caller: Caller, schedule: ScheduleId, based_on: Version, response: Response
) -> ScheduleBody:
    """Let it be what the code says, and on; from then on it follows the code. Takes `schedules:edit`."""
    return _answer(actions.reset_schedule(context, caller, schedule, version=based_on), response)


def _answer(found: Schedule, response: Response) -> ScheduleBody:
    response.headers["ETag"] = f'"{found.changed_at.isoformat()}"'
    return ScheduleBody.of(found)
