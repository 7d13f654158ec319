"""What a provider's claims give: a role, and a name."""

import pytest

from callboard.control.auth.vouched import name_of, role_of
from callboard.core.errors import BadSettings
from callboard.core.settings import load_settings

ROLES = "admins=admin, ops=operator, /crew/a=b=viewer"


@pytest.mark.parametrize(
    ("said", "role"),
    [
        (["ops"], "operator"),
        (["ops", "admins", "x"], "admin"),
        ("admins", "admin"),
        (["/crew/a=b"], "viewer"),
        ([], None),
        (["Admins"], None),
        (None, None),
        ([["admins"], {"admins": 1}, 7], None),
    ],
)
def test_the_greatest_role_that_a_claim_gives_counts(said, role):
    assert role_of({"groups": said}, "groups", ROLES) == role


def test_anybody_may_have_a_role_and_dots_lead_into_objects():
    assert role_of({}, "groups", "*=viewer, ops=operator") == "viewer"
    claims = {"realm_access": {"roles": ["ops"]}, "https://x.org/roles": "ops"}
    assert role_of(claims, "realm_access.roles", "*=viewer, ops=operator") == "operator"
    assert role_of(claims, "https://x.org/roles", "ops=operator") == "operator"


def test_a_user_is_named_by_the_first_claim_that_is_a_name():
    names = "preferred_username, email,sub"
    assert name_of({"preferred_username": " ", "email": "mara@example.org", "sub": "7"}, names) == (
        "mara@example.org"
    )
    assert name_of({"preferred_username": "x" * 500, "sub": "a\nb"}, names).startswith("user-")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CALLBOARD_OIDC_ROLES", "ops=king", "must be pairs such as ops=operator"),
        ("CALLBOARD_OIDC_ROLES", "ops", "must be pairs"),
        ("CALLBOARD_OIDC_ISSUER", "http://id.example.org", "must begin with https://"),
    ],
)
def test_wrong_settings_are_named(name, value, said):
    with pytest.raises(BadSettings, match=f"The setting {name} is wrong: {said}"):
        load_settings({name: value})
