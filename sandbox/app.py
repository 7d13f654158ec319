"""The application: every service of this folder under a prefix of its own, behind the front."""

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from callboard import sandbox
from callboard.sandbox import smtp
from callboard.sandbox.answers import problem
from callboard.sandbox.front import Front, Problem
from callboard.sandbox.knobs import Knobs, Setting
from callboard.sandbox.state import State


def create_app(state: State) -> Front:
    """The sandbox over that memory.

    A service is a module with a `router` whose prefix is its name. It may have a function `problem(status,
    headers)` that makes its answers of trouble, and a `Setting` named `DEFAULTS` of its knobs.
    """
    app = FastAPI(title="Callboard's sandbox", docs_url=None, redoc_url=None, openapi_url=None)
    problems: dict[str, Problem] = {}
    defaults: dict[str, Setting] = {smtp.NAME: smtp.DEFAULTS}
    for module in _modules():
        router: APIRouter = module.router
        app.include_router(router)
        if service := router.prefix.strip("/"):
            problems[service] = getattr(module, "problem", problem)
            defaults[service] = getattr(module, "DEFAULTS", Setting())
    knobs = Knobs(defaults)
    app.state.sandbox, app.state.knobs = state, knobs

    def explain(request: Request, status: int) -> Response:
        service = request.url.path.split("/", 2)[1]
        return problems.get(service, problem)(status, {})

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return explain(request, error.status_code)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, _error: RequestValidationError) -> Response:
        return explain(request, 400)

    return Front(app, state, knobs, problems)


def _modules() -> list[ModuleType]:
    names = sorted(module.name for module in iter_modules(sandbox.__path__))
    modules = [import_module(f"{sandbox.__name__}.{name}") for name in names if name != "app"]
    return [module for module in modules if isinstance(getattr(module, "router", None), APIRouter)]
