"""`/api/users`: who may sign in, and as what."""

from typing import Annotated

from fastapi import APIRouter, Body, Path

from callboard.api.dependencies import Caller, CurrentContext
from callboard.api.models.people import (
    Done,
    MayLogIn,
    NewPassword,
    NewRole,
    NewUser,
    SignedOut,
    UserBody,
    UserList,
)
from callboard.api.problems import documented
from callboard.control import auth
from callboard.control.principal import parse_role

router = APIRouter(prefix="/api/users", tags=["people"])

UserName = Annotated[
    str, Path(description="The user's name.", min_length=1, max_length=1_000, examples=["ada"])
]
CHANGE = documented(400, 401, 403, 404, 409, 413, 422, 503)


@router.get("", summary="List users", responses=documented(401, 403, 503))
def list_users(context: CurrentContext, caller: Caller) -> UserList:
    """All users, by name. Takes `users:manage`, as all of these do: the role admin."""
    return UserList(users=[UserBody.of(each) for each in auth.users(context, caller)])


@router.post("", summary="Add a user", responses=documented(400, 401, 403, 409, 413, 422, 503))
def add_user(context: CurrentContext, caller: Caller, body: Annotated[NewUser, Body()]) -> UserBody:
    """Add somebody who may sign in with the name and the password."""
    made = auth.add_user(context, caller, body.name, parse_role(body.role), body.password)
    return UserBody.of(next(each for each in auth.users(context, caller) if each.id == made))


@router.post("/{user}/role", summary="Give a user another role", responses=CHANGE)
def set_role(
    context: CurrentContext, caller: Caller, user: UserName, body: Annotated[NewRole, Body()]
) -> Done:
    """Holds from the user's next request on. The last admin keeps the role (409)."""
    auth.set_role(context, caller, user, parse_role(body.role))
    return Done()


@router.post("/{user}/password", summary="Set a user's password", responses=CHANGE)
def set_password(
    context: CurrentContext, caller: Caller, user: UserName, body: Annotated[NewPassword, Body()]
) -> Done:
    """Replace the password and end the user's sessions."""
    auth.set_password(context, caller, user, body.password)
    return Done()


@router.post("/{user}/enabled", summary="Switch a user off or on", responses=CHANGE)
def set_enabled(
    context: CurrentContext, caller: Caller, user: UserName, body: Annotated[MayLogIn, Body()]
) -> Done:
    """One who is switched off cannot sign in, and their sessions end. The last admin stays (409)."""
    auth.set_user_enabled(context, caller, user, enabled=body.enabled)
    return Done()


@router.post(
    "/{user}/sign-out", summary="Sign a user out everywhere", responses=documented(401, 403, 404, 422, 503)
)
def sign_out(context: CurrentContext, caller: Caller, user: UserName) -> SignedOut:
    """End all of the user's sessions."""
    return SignedOut(sessions_ended=auth.end_sessions(context, caller, user))
