"""Bad days on demand: `PUT /_knobs {"whatsapp": {"failure_rate": 0.2, "latency_ms": 300}}`.

`*` stands for every service. `DELETE /_knobs` puts all back to what it was at the start.
"""

import time
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from callboard.sandbox.answers import Json

EVERY = "*"

Share = Annotated[float, Field(ge=0, le=1)]


class Setting(BaseModel):
    """The knobs of one service."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Milliseconds until an answer begins; and the share of them that chance adds or takes off.
    latency_ms: Annotated[float, Field(ge=0, le=600_000)] = 0
    jitter: Share = 0
    #: The share of requests that fail with `failure_status` before anything is done.
    failure_rate: Share = 0
    failure_status: Annotated[int, Field(ge=400, le=599)] = 500
    #: The share of requests that are done, and answered as if they had failed.
    lost_answer_rate: Share = 0
    #: Whether `Idempotency-Key` is heard; the real WhatsApp does not hear it.
    hears_keys: bool = True
    #: Whether texts are taken only by numbers that have written within 24 hours (131047), as by the real one.
    holds_window: bool = False
    #: Nothing but 503 from the load balancer.
    outage: bool = False
    #: Requests a second, beyond which they are answered 429; 0: no limit.
    rate_limit: Annotated[float, Field(ge=0)] = 0
    #: Of the chance that decides.
    seed: int = 0


@dataclass
class Knob:
    """One service's setting, and the chance and the allowance that go with it."""

    setting: Setting
    chance: Random = field(init=False)
    _allowance: float = field(init=False, default=0)
    _at: float = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.turn(self.setting)

    def turn(self, setting: Setting) -> None:
        """Set it, and begin chance and allowance anew."""
        self.setting = setting
        self.chance = Random(setting.seed)  # noqa: S311 - repeatable on purpose
        self._allowance, self._at = max(setting.rate_limit, 1.0), time.monotonic()

    def delay_s(self) -> float:
        """How long this answer takes to begin."""
        setting = self.setting
        spread = setting.jitter * (2 * self.chance.random() - 1) if setting.jitter else 0.0
        return setting.latency_ms * (1 + spread) / 1_000

    def falls(self, share: float) -> bool:
        """Whether chance has it that this request is among that share."""
        return share > 0 and self.chance.random() < share

    def admits(self) -> bool:
        """Whether the rate limit lets one more request through now."""
        limit = self.setting.rate_limit
        if not limit:
            return True
        now = time.monotonic()
        self._allowance = min(self._allowance + (now - self._at) * limit, max(limit, 1.0))
        self._at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True


class Knobs:
    """All services' knobs."""

    def __init__(self, defaults: dict[str, Setting]) -> None:
        self._defaults = dict(defaults)
        self._knobs = {name: Knob(setting) for name, setting in self._defaults.items()}

    def of(self, service: str) -> Knob | None:
        """A service's knob; None where there is no such service."""
        return self._knobs.get(service)

    def settings(self) -> dict[str, Any]:
        """How they are set."""
        return {name: knob.setting.model_dump() for name, knob in sorted(self._knobs.items())}

    def change(self, changes: dict[str, dict[str, Any]]) -> None:
        """Set some of them: all or, with an error, none.

        Raises:
            ValueError: one sentence.
        """
        turned: dict[str, Setting] = {}
        for name, values in changes.items():
            names = list(self._knobs) if name == EVERY else [name]
            for each in names:
                if each not in self._knobs:
                    raise ValueError(f"There is no service {each!r}: there are {', '.join(self._knobs)}.")
                before = turned.get(each, self._knobs[each].setting)
                turned[each] = _checked(each, {**before.model_dump(), **values})
        for name, setting in turned.items():
            self._knobs[name].turn(setting)

    def reset(self) -> None:
        """As they were at the start."""
        for name, setting in self._defaults.items():
            self._knobs[name].turn(setting)


router = APIRouter()


@router.get("/_knobs")
async def show(request: Request) -> Response:
    """How every service's knobs are set."""
    return Json(request.app.state.knobs.settings())


@router.put("/_knobs")
async def change(request: Request, changes: Annotated[dict[str, dict[str, Any]], Body()]) -> Response:
    """Set some knobs of some services."""
    try:
        request.app.state.knobs.change(changes)
    except ValueError as error:
        return Json({"error": "invalid", "message": str(error)}, 400)
    return Json(request.app.state.knobs.settings())


@router.delete("/_knobs")
async def reset(request: Request) -> Response:
    """All knobs as they were at the start."""
    request.app.state.knobs.reset()
    return Json(request.app.state.knobs.settings())


def _checked(name: str, values: dict[str, Any]) -> Setting:
    try:
        return Setting.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        knob = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"The knob {knob} of {name} is wrong: {first['msg']}.") from None
