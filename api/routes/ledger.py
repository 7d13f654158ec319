"""`/api/schedules/ledger`, `/api/schedules/{schedule}/ledger`, `/api/jobs/{job}/why`: why it ran, or not."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from callboard.api.dependencies import Analyst, CurrentContext
from callboard.api.models.base import Moment
from callboard.api.models.ledger import SlotBody, SlotPage, WhyBody
from callboard.api.parameters import Cursor, JobName, Limit, ScheduleId
from callboard.api.problems import documented
from callboard.control.context import Context
from callboard.control.reads import ledger as reads
from callboard.control.reads import schedules as schedule_reads
from callboard.control.reads import why as answers
from callboard.control.reads.ledger import Wanted

router = APIRouter(prefix="/api", tags=["schedules"])

READ = documented(400, 401, 403, 404, 422, 503)


def wanted(
    job: Annotated[str | None, Query(max_length=1_000, description="Only of this job.")] = None,
    disposition: Annotated[
        list[str] | None,
        Query(max_length=20, description="`missed`, `undecided` ...; may be repeated."),
    ] = None,
    since: Annotated[Moment | None, Query(description="Due then or later.")] = None,
    until: Annotated[Moment | None, Query(description="Due then or earlier.")] = None,
) -> Wanted:
    """The filter in the address."""
    return Wanted(job=job, dispositions=disposition, since=since, until=until)


Filter = Annotated[Wanted, Depends(wanted)]


@router.get("/schedules/ledger", summary="List what became of slots", responses=READ)
def list_slots(
    context: CurrentContext, _caller: Analyst, wanted: Filter, limit: Limit = 100, cursor: Cursor = None
) -> SlotPage:
    """Each expected slot of all schedules once, the latest first. Takes `analytics:view_all`.

    Slots that have passed and that no scheduler has decided are `undecided`, and on the first page.
    """
    return _page(context, wanted, limit, cursor)


@router.get(
    "/schedules/{schedule:int}/ledger", summary="List what became of a schedule's slots", responses=READ
)
def list_slots_of(
    context: CurrentContext,
    _caller: Analyst,
    schedule: ScheduleId,
    wanted: Filter,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> SlotPage:
    """Each expected slot of a schedule once, the latest first. Takes `analytics:view_all`."""
    found = schedule_reads.schedule(context, schedule)
    only = Wanted(found.job, found.id, wanted.dispositions, wanted.since, wanted.until)
    return _page(context, only, limit, cursor)


@router.get("/jobs/{job}/why", summary="Say why a job ran at a time, or did not", responses=READ)
def explain(
    context: CurrentContext,
    _caller: Analyst,
    job: JobName,
    at: Annotated[
        str,
        Query(
            max_length=100,
            description="ISO 8601, or a time of day in the zone of its schedules.",
            examples=["08:00"],
        ),
    ],
    tz: Annotated[
        str | None, Query(max_length=100, description="The zone to read and tell times in.")
    ] = None,
) -> WhyBody:
    """What became of the slot nearest to that time, in a sentence or two. Takes `analytics:view_all`.

    Where none was expected it says so, and names the slots around.
    """
    return WhyBody.of(answers.why(context, job, at, tz=tz))


def _page(context: Context, wanted: Wanted, limit: int, cursor: str | None) -> SlotPage:
    slots, following = reads.page(context, wanted, limit=limit, cursor=cursor)
    return SlotPage(slots=[SlotBody.of(each) for each in slots], next_cursor=following)
