"""What can come of calling a service outside.

ServiceError
├── Refused             it will not do what it was asked, however often (4xx)
│   └── Denied          whoever asks: the credentials or the address are wrong
├── Deferred            it will not do this now, and perhaps later      (SMTP 4xx)
├── Overloaded          it has had too many requests, for too long      (429)
└── Unreachable         it failed, or did not answer, for too long      (5xx, network)

The message is one sentence without secrets. A job records a refused item and passes over it; tries a deferred
one later; and gives the run up after one of the others.
"""

from callboard.core.errors import CallboardError, Unavailable


class ServiceError(CallboardError):
    """A service outside did not do what it was asked. `service` is its name.

    `retry_after` are the seconds for which it asked to be left alone, None where it named none. A run that
    fails by it is not tried again before.
    """

    def __init__(self, sentence: str, *, service: str = "", retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.service = service
        self.retry_after = retry_after


class Refused(ServiceError):
    """It said no. `code` and `said` are the provider's own code and words, `http_status` the answer's."""

    def __init__(
        self, sentence: str, *, service: str = "", http_status: int = 0, code: str = "", said: str = ""
    ) -> None:
        super().__init__(sentence, service=service)
        self.http_status = http_status
        self.code = code
        self.said = said


class Denied(Refused):
    """It refuses whoever asks: what is wrong is no fault of an item, and each would be refused."""


class Deferred(ServiceError):
    """It will not do this now, and perhaps later; other items it may take."""


class Overloaded(ServiceError, Unavailable):
    """It had too many requests."""


class Unreachable(ServiceError, Unavailable):
    """It failed or could not be reached. `maybe_done`: whether it may have done what it was asked."""

    def __init__(
        self,
        sentence: str,
        *,
        service: str = "",
        maybe_done: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, service=service, retry_after=retry_after)
        self.maybe_done = maybe_done
