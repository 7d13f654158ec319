"""What a schedule would do, what an edit changes, and templates."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StrictBool, StrictInt

from callboard.api.models.base import Body, Moment, RequestBody, example
from callboard.api.models.schedules import Expr, Name, ZoneName
from callboard.control.actions.schedule_templates import Applied, JobChange, Step
from callboard.control.reads.previews import EditPreview, Preview
from callboard.core.edits import Edit
from callboard.core.templates import Suggestion, Template

#: So many of the slots that an edit lets go, brings or keeps are listed; the counts are of all.
LISTED = 50

_CHANGE = {
    "until": "2026-01-31T10:00:00Z",
    "gone": 168,
    "new": 0,
    "kept": 168,
    "goneSlots": ["2026-01-24T10:30:00Z"],
    "newSlots": [],
    "perDayBefore": 48,
    "perDayAfter": 24,
}


class PreviewRequest(RequestBody):
    """A schedule to look at. With `schedule`, its id, also what it would change to let it say this."""

    model_config = example({"expr": "*/5 * * * *", "tz": "Europe/Paris", "count": 3})

    expr: Expr | None = None
    tz: ZoneName | None = None
    schedule: StrictInt | None = None
    start: Annotated[Moment | None, Field(alias="from", description="Default: now.")] = None
    count: Annotated[StrictInt, Field(ge=1, le=1_000)] = 50


class RunToCome(Body):
    """A run to come; `local` is in the schedule's zone. `note`: what a change of its clock does to it."""

    at: datetime
    local: str
    note: str | None


class SlotChange(Body):
    """What becomes of the slots until `until`: how many go, come and stay, and the first of them."""

    until: datetime
    gone: int
    new: int
    kept: int
    gone_slots: list[datetime]
    new_slots: list[datetime]
    per_day_before: float
    per_day_after: float

    @classmethod
    def of(cls, edit: Edit) -> "SlotChange":
        """The body for what an edit changes."""
        return cls(
            until=edit.until,
            gone=len(edit.gone),
            new=len(edit.new),
            kept=len(edit.kept),
            gone_slots=list(edit.gone[:LISTED]),
            new_slots=list(edit.new[:LISTED]),
            per_day_before=round(edit.per_day_before, 2),
            per_day_after=round(edit.per_day_after, 2),
        )


class PreviewBody(Body):
    """A schedule in words and its coming runs; `change` where it is compared with what holds."""

    model_config = example(
        {
            "expr": "*/5 * * * *",
            "tz": "Europe/Paris",
            "words": "Every 5 minutes (Europe/Paris)",
            "runs": [{"at": "2026-01-24T10:05:00Z", "local": "2026-01-24T11:05:00+01:00", "note": None}],
            "change": None,
        }
    )

    expr: str
    tz: str
    words: str
    runs: list[RunToCome]
    change: SlotChange | None

    @classmethod
    def of(cls, found: Preview, edit: Edit | None = None) -> "PreviewBody":
        """The body for a preview."""
        return cls(
            expr=found.expr,
            tz=found.tz,
            words=found.words,
            runs=[RunToCome(at=run.at, local=run.local.isoformat(), note=run.note) for run in found.runs],
            change=None if edit is None else SlotChange.of(edit),
        )

    @classmethod
    def of_edit(cls, found: EditPreview) -> "PreviewBody":
        """The body for the preview of an edit."""
        return cls.of(found.after, found.edit)


class TemplateBody(Body):
    """A pattern for two jobs: `sync` fetches what is recent, `totals` adds it up."""

    slug: str
    title: str
    purpose: str
    sync: str
    totals: str

    @classmethod
    def of(cls, found: Template) -> "TemplateBody":
        """The body for a template."""
        return cls(slug=found.slug, title=found.title, purpose=found.purpose, **dict(found.expressions))


class SuggestionBody(Body):
    """An expression that is often wanted for a single schedule."""

    title: str
    expr: str


class TemplateList(Body):
    """Templates for two jobs, and suggestions for one."""

    templates: list[TemplateBody]
    suggestions: list[SuggestionBody]

    @classmethod
    def of(cls, templates: Sequence[Template], suggestions: Sequence[Suggestion]) -> "TemplateList":
        """The body for all that there are."""
        return cls(
            templates=[TemplateBody.of(each) for each in templates],
            suggestions=[SuggestionBody(title=each.title, expr=each.expr) for each in suggestions],
        )


class ApplyRequest(RequestBody):
    """A template, and the jobs that it is for. With `dryRun` nothing is changed."""

    model_config = example({"template": "coordinated-hourly", "sync": "health-check", "totals": "greet"})

    template: Name
    sync: Name
    totals: Name
    tz: ZoneName | None = None
    keep_others: StrictBool = False
    dry_run: StrictBool = False


class StepBody(Body):
    """What is done with one schedule."""

    what: Literal["add", "edit", "keep", "disable", "remove"]
    key: str
    expr_before: str | None
    expr: str
    tz: str

    @classmethod
    def of(cls, step: Step) -> "StepBody":
        """The body for a step."""
        return cls(**{name: getattr(step, name) for name in cls.model_fields})


class JobChangeBody(Body):
    """What is done with one job's schedules, and what becomes of its slots."""

    job: str
    role: Literal["sync", "totals"]
    steps: list[StepBody]
    change: SlotChange

    @classmethod
    def of(cls, found: JobChange) -> "JobChangeBody":
        """The body for a job's change."""
        steps = [StepBody.of(each) for each in found.steps]
        return cls(job=found.job, role=found.role, steps=steps, change=SlotChange.of(found.edit))


class AppliedBody(Body):
    """A template that was applied, or with `dryRun` what applying it would do."""

    model_config = example(
        {
            "template": "coordinated-hourly",
            "dryRun": False,
            "jobs": [
                {
                    "job": "health-check",
                    "role": "sync",
                    "steps": [
                        {
                            "what": "add",
                            "key": "template:coordinated-hourly",
                            "exprBefore": None,
                            "expr": "0 * * * *",
                            "tz": "UTC",
                        }
                    ],
                    "change": _CHANGE,
                }
            ],
        }
    )

    template: str
    dry_run: bool
    jobs: list[JobChangeBody]

    @classmethod
    def of(cls, done: Applied) -> "AppliedBody":
        """The body for what was done."""
        jobs = [JobChangeBody.of(each) for each in done.jobs]
        return cls(template=done.template.slug, dry_run=done.dry_run, jobs=jobs)
