"""Settings of signing in with an OpenID Connect provider, beside the password."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

#: The roles, the least first (see `control.principal`).
ROLES: Final = ("viewer", "operator", "admin")
#: Stands for whatever the claim says, and for a token without it.
ANYBODY: Final = "*"

_LOCAL = ("localhost", "127.0.0.1", "::1")


def _issuer(value: str) -> str:
    if value and not value.startswith("https://") and urlsplit(value).hostname not in _LOCAL:
        raise ValueError("must begin with https://")
    if value and not urlsplit(value).hostname:
        raise ValueError("names no host")
    return value


def parse_roles(text: str) -> dict[str, str]:
    """What a claim must say for which role: `callboard-admins=admin, ops=operator, *=viewer`.

    Raises:
        ValueError: a part of it is no such pair, or names no role.
    """
    found: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        value, equals, role = (each.strip() for each in part.rpartition("="))
        if not equals or not value or role not in ROLES:
            raise ValueError(f"must be pairs such as ops=operator, with a role of {', '.join(ROLES)}")
        found[value] = role
    return found


def _roles(value: str) -> str:
    parse_roles(value)
    return value


class OidcSettings(BaseModel):
    """The part of the settings that is about a provider; without an issuer there is none."""

    #: Its issuer identifier: the address under which it publishes `.well-known/openid-configuration`.
    callboard_oidc_issuer: Annotated[str, AfterValidator(_issuer)] = ""
    callboard_oidc_client_id: str = ""
    callboard_oidc_client_secret: SecretStr | None = None
    #: Which values of the claim give which role; whoever has none of them is refused.
    callboard_oidc_roles: Annotated[str, AfterValidator(_roles)] = ""
    #: The claim of the ID token with them; dots lead into objects.
    callboard_oidc_role_claim: Annotated[str, Field(min_length=1)] = "groups"
    #: The claims that a new user is named by: the first that the ID token has.
    callboard_oidc_name_claims: Annotated[str, Field(min_length=1)] = "preferred_username,email,sub"
    callboard_oidc_scopes: Annotated[str, Field(min_length=1)] = "openid profile email"
    #: What the button says after "Sign in with"; by default the issuer's host.
    callboard_oidc_label: Annotated[str, Field(max_length=60)] = ""

    @property
    def oidc_missing(self) -> str | None:
        """The setting that a provider lacks, if any."""
        needed = {
            "CALLBOARD_OIDC_CLIENT_ID": self.callboard_oidc_client_id,
            "CALLBOARD_OIDC_CLIENT_SECRET": self.callboard_oidc_client_secret,
            "CALLBOARD_OIDC_ROLES": self.callboard_oidc_roles,
        }
        if not self.callboard_oidc_issuer:
            return None
        return next((name for name, value in needed.items() if not value), None)

    @property
    def oidc_label(self) -> str:
        """What the provider is called on the sign-in page."""
        return self.callboard_oidc_label or urlsplit(self.callboard_oidc_issuer).hostname or ""
