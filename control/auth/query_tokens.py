"""A token in the address, `?token=`: a secret where logs, histories and referrers can see it.

It is taken from callers that can send nothing else, at the addresses below, and is worth `JOB_RUNNER_TOKEN`
and nothing more. The access log has no queries.
"""

from typing import Final

from callboard.control.auth.tokens import bearer_principal
from callboard.control.context import Context
from callboard.control.principal import Principal
from callboard.core.errors import NotAuthenticated

QUERY_TOKEN: Final = "token"  # noqa: S105 - the parameter's name
#: The only addresses that take one.
PATHS: Final = frozenset({"/api/jobs/run-outbound"})
WORTH: Final = "JOB_RUNNER_TOKEN"


def query_principal(context: Context, token: str, path: str, *, address: str | None = None) -> Principal:
    """Whose token came in the address.

    Raises:
        NotAuthenticated: this address takes none, the setting forbids it, or it is not valid.
        TooManyAttempts: too many wrong tokens came from that address of late.
    """
    if path not in PATHS or not context.settings.callboard_query_token:
        raise NotAuthenticated(
            "A token in the address is not taken here; send the header `Authorization: Bearer <token>`."
        )
    principal = bearer_principal(context, token, address=address)
    if principal.name != WORTH:
        raise NotAuthenticated(f"Only {WORTH} is taken in the address; send other tokens as a header.")
    return principal
