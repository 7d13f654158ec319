"""A service outside that is called over HTTP: with timeouts, at a pace, and again while that makes sense.

A call is repeated after 429, and where a connection could not be made: then nothing has been done. After
another 5xx, or silence, it is repeated only if doing it twice is as good as once: a GET, PUT or DELETE, or a
call with an idempotency key. All of that, waits and slow answers included, within `patience_s`.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

from callboard.actors.providers.answers import explanation
from callboard.actors.providers.errors import Deferred, Overloaded, Refused, ServiceError, Unreachable
from callboard.actors.providers.pace import Pace, backoff_s, retry_after_s, sleep

__all__ = ["Deferred", "Overloaded", "Refused", "Service", "ServiceError", "Unreachable"]

#: Methods by which doing it twice is as good as once.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
#: After these nothing has been sent, whatever the method.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
#: The longest answer that is read, in bytes.
MAX_BYTES = 32 * 1024 * 1024
#: Connections that one process keeps to one address.
CONNECTIONS = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service has answered. Names of `headers` are found in any case."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body. Raises ValueError or RecursionError: it is no JSON."""
        return json.loads(self.content)


class _TooMuch(Exception):
    """The answer is longer than anything sensible."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service. Cheap to make for each run: connections and pace are shared by the process.

    `name` is what people call it. `timeout_s` are the seconds that an answer may take, `connect_s` those of a
    connection, `patience_s` those of a call with all its repetitions. `per_second` is the most calls of this
    process (None: no limit), `max_bytes` the longest answer. `busy_codes` are the provider's own codes that
    mean too many requests, whatever the status; `later_codes` those by which it takes this one item later.
    """

    name: str
    base_url: str = field(repr=False)
    token: str = field(repr=False, default="")
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    timeout_s: float = 15.0
    connect_s: float = 5.0
    patience_s: float = 30.0
    per_second: float | None = None
    busy_codes: frozenset[str] = frozenset()
    later_codes: frozenset[str] = frozenset()
    max_bytes: int = MAX_BYTES

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """The JSON that a GET of the path answers. Raises ServiceError."""
        return self._json(f"GET {path}", self.call("GET", path, params=params))

    def post(
        self, path: str, body: Any, *, idempotency_key: str | None = None, repeatable: bool | None = None
    ) -> Any:
        """The JSON that a POST of a JSON body answers; `repeatable` as of `call`. Raises ServiceError."""
        answer = self.call("POST", path, body=body, idempotency_key=idempotency_key, repeatable=repeatable)
        return self._json(f"POST {path}", answer)

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
        repeatable: bool | None = None,
    ) -> Answer:
        """An answer of 2xx. `repeatable` says whether doing it twice is as good as once, where nothing tells.

        Raises:
            Refused: it answered 3xx or 4xx.
            Deferred: it answered one of `later_codes`.
            Overloaded: it answered 429 until patience ended, or asked for a longer wait than that.
            Unreachable: it answered 5xx, too much, or nothing, until patience ended.
        """
        headers = dict(self.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if repeatable is None:
            repeatable = method in REPEATABLE or idempotency_key is not None
        request = {"params": params, "headers": headers}
        if body is not None:
            request["json"] = body
        what = f"{method} {path}"
        until, failures = time.monotonic() + self.patience_s, 0
        while True:
            self._keep_pace(what, until)
            left = until - time.monotonic()
            error: Overloaded | Unreachable
            wait: float | None = None
            try:
                answer = self._send(method, path, left, request)
            except _TooMuch:
                size = f"{self.max_bytes / 1024 / 1024:g} MiB"
                raise self._unreachable(what, f"its answer is longer than {size}", maybe_done=True) from None
            except httpx.HTTPError as trouble:
                again = repeatable or isinstance(trouble, UNSENT)
                error = self._unreachable(
                    what, _in_words(trouble), maybe_done=not isinstance(trouble, UNSENT)
                )
            else:
                if 200 <= answer.status < 300:
                    return answer
                wait = retry_after_s(answer.headers.get("Retry-After"))
                error = self._judge(answer, what, wait)
                # One that is too busy has done nothing.
                again = repeatable or isinstance(error, Overloaded)
            failures += 1
            delay = max(backoff_s(failures), wait or 0.0)
            if not again or time.monotonic() + delay >= until:
                raise error
            sleep(delay)

    def _send(self, method: str, path: str, left: float, request: dict[str, Any]) -> Answer:
        left = max(left, 0.001)
        timeout = httpx.Timeout(min(self.timeout_s, left), connect=min(self.connect_s, left))
        url = f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"
        client = _client(os.getpid(), _is_local(self.base_url))
        until, body = time.monotonic() + left, bytearray()
        with client.stream(method, url, timeout=timeout, **request) as answer:
            for piece in answer.iter_bytes():
                body += piece
                if len(body) > self.max_bytes:
                    raise _TooMuch
                # The timeout is that of one piece: a trickle would go on for ever.
                if time.monotonic() >= until:
                    raise httpx.ReadTimeout("", request=answer.request)
        return Answer(answer.status_code, answer.headers, bytes(body))

    def _judge(self, answer: Answer, what: str, wait: float | None) -> Overloaded | Unreachable:
        """The error that a later attempt may do without. Raises Refused or Deferred where none will."""
        status = answer.status
        code, said = explanation(answer.content)
        words = f"{self._hide(said)} ({code}, HTTP {status})" if said and code else ""
        words = words or (f"{self._hide(said)} (HTTP {status})" if said else f"HTTP {status}")
        if code in self.later_codes:
            raise Deferred(
                f"{self.name} does not take {what} now: {words}.", service=self.name, retry_after=wait
            )
        if status == 429 or code in self.busy_codes:
            asks = f", and asks to be left alone for {wait:g} s" if wait is not None else ""
            return Overloaded(
                f"{self.name} had too many requests at {what}{asks}: {words}.",
                service=self.name,
                retry_after=wait,
            )
        if status >= 500 or status == 408:
            return self._unreachable(what, words, maybe_done=status != 503, retry_after=wait)
        raise Refused(
            f"{self.name} refused {what}: {words}.",
            service=self.name,
            http_status=status,
            code=code,
            said=self._hide(said),
        )

    def _unreachable(
        self, what: str, words: str, *, maybe_done: bool, retry_after: float | None = None
    ) -> Unreachable:
        return Unreachable(
            f"{self.name} could not be asked for {what}: {self._hide(words)}.",
            service=self.name,
            maybe_done=maybe_done,
            retry_after=retry_after,
        )

    def _json(self, what: str, answer: Answer) -> Any:
        try:
            return answer.json()
        except (ValueError, RecursionError):
            raise self._unreachable(what, "its answer is no JSON", maybe_done=True) from None

    def _keep_pace(self, what: str, until: float) -> None:
        if self.per_second is None:
            return
        wait = _pace(self.base_url, self.per_second, os.getpid()).wait_s()
        if time.monotonic() + wait >= until:
            raise Overloaded(
                f"{self.name} is called {self.per_second:g} times a second at most, "
                f"and {what} would have waited too long.",
                service=self.name,
                retry_after=wait,
            )
        if wait:
            sleep(wait)

    def _hide(self, words: str) -> str:
        return words.replace(self.token, "***") if self.token else words


@cache
def _client(_pid: int, local: bool) -> httpx.Client:
    # One for each process: sockets that came through a fork would be shared with the parent. A proxy that the
    # environment names is for what is outside, not for this machine.
    return httpx.Client(
        limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
        trust_env=not local,
        follow_redirects=False,
    )


@cache
def _pace(_base_url: str, per_second: float, _pid: int) -> Pace:
    return Pace(per_second)


@cache
def _is_local(url: str) -> bool:
    return httpx.URL(url).host in ("127.0.0.1", "::1", "localhost")


def _in_words(trouble: httpx.HTTPError) -> str:
    if isinstance(trouble, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(trouble, httpx.TimeoutException):
        return "no answer in time"
    said = " ".join(str(trouble).split()).rstrip(".")
    return said or type(trouble).__name__
