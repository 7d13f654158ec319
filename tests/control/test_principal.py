import pytest

from callboard.control.auth import PERMISSIONS, Principal, Role, local_principal, parse_role
from callboard.core.errors import BadInput, NotAllowed

MAY = {
    "viewer": {"jobs:view", "analytics:view_all"},
    "operator": {
        "jobs:view",
        "analytics:view_all",
        "jobs:run",
        "jobs:toggle",
        "jobs:pause",
        "queues:pause",
        "runs:cancel",
        "runs:retry",
        "breakers:reset",
        "limits:reset",
        "alerts:manage",
        "workers:inspect",
        "dead:requeue",
        "dead:drop",
        "schedules:edit",
    },
    "admin": set(PERMISSIONS),
}


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_what_its_list_says_and_nothing_else(role):
    principal = Principal("pat", role, "api")

    assert {permission for permission in PERMISSIONS if principal.may(permission)} == MAY[role]


def test_a_refusal_names_the_permission_and_the_role_it_begins_with():
    with pytest.raises(
        NotAllowed, match=r"pat is an operator .* users:manage, which begins with the role admin"
    ):
        Principal("pat", Role.OPERATOR, "api").require("users:manage")


def test_a_permission_that_does_not_exist_is_a_mistake_of_the_program():
    with pytest.raises(KeyError):
        Principal("pat", Role.ADMIN, "api").may("jobs:explode")


def test_the_command_line_is_an_admin():
    principal = local_principal()

    assert principal.role is Role.ADMIN
    assert principal.origin == "cli"
    assert "@" in principal.name


def test_an_unknown_role_is_answered_with_those_that_exist():
    with pytest.raises(BadInput, match="the roles are viewer, operator, admin"):
        parse_role("root")
