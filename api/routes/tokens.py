"""`/api/tokens`: what programs call this API with."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.models.people import Done, MadeToken, NewToken, TokenBody, TokenList
from callboard.api.problems import documented
from callboard.control import auth
from callboard.control.principal import parse_role

router = APIRouter(prefix="/api/tokens", tags=["people"])

TokenName = Annotated[
    str, Path(description="The token's name.", min_length=1, max_length=1_000, examples=["ci"])
]
DAY_S = 86_400


@router.get("", summary="List tokens", responses=documented(401, 403, 503))
def list_tokens(context: CurrentContext, caller: Caller) -> TokenList:
    """All tokens, without the tokens themselves. Takes `tokens:manage`: the role admin."""
    return TokenList(tokens=[TokenBody.of(each) for each in auth.tokens(context, caller)])


@router.post("", summary="Make a token", responses=documented(400, 401, 403, 404, 409, 413, 422, 503))
def add_token(context: CurrentContext, caller: Caller, body: Annotated[NewToken, Body()]) -> MadeToken:
    """Make a token, limited to permissions and jobs where these are given. It is shown in this answer only.

    Takes `tokens:manage`.
    """
    life_s = None if body.expires_in_days is None else max(1, round(body.expires_in_days * DAY_S))
    token = auth.add_token(
        context,
        caller,
        body.name,
        None if body.role is None else parse_role(body.role),
        life_s=life_s,
        permissions=body.permissions,
        jobs=body.jobs,
    )
    return MadeToken(name=body.name, token=token)


@router.delete("/{token}", summary="Revoke a token", responses=documented(401, 403, 404, 422, 503))
def revoke_token(context: CurrentContext, caller: Caller, token: TokenName) -> Done:
    """It is worth nothing from now on. Takes `tokens:manage`."""
    auth.revoke_token(context, caller, token)
    return Done()
