"""An OpenID Connect provider: the authorisation code flow, with PKCE, state and nonce.

    begin    -> the browser goes to the provider, with a *ticket* in a cookie of ours
    finish   <- it comes back with a code; the ticket proves that it is the browser that had begun.
                The code is exchanged for an ID token, whose signature and claims are checked.

The ticket is signed with a key made of the client's secret, so that any panel of several takes it.
"""

import hashlib
import hmac
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt

from callboard.core.errors import BadSettings, NotAuthenticated, Unavailable
from callboard.core.settings import Settings

#: Seconds that somebody has to sign in there, and by which clocks may differ.
LIFE_S: Final = 600
LEEWAY_S: Final = 60
#: Seconds that the provider has for each answer, and after which what it publishes is read again.
TIMEOUT_S: Final = 10.0
FRESH_S: Final = 3600.0
#: Seconds between two readings of its keys because of one that was not among them.
AGAIN_S: Final = 10.0
#: Signatures that only the provider can make: no shared secret, and not none.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)

ELSEWHERE: Final = "That sign-in was begun in another browser, or too long ago; begin again."


class Refused(NotAuthenticated):
    """The provider, or what it says, does not let somebody in."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it is to bring back."""

    address: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom the provider vouches for, and the way onward that was asked for."""

    issuer: str
    subject: str
    claims: Mapping[str, Any]
    onward: str


class Provider:
    """The provider that the settings name.

    Raises:
        BadSettings: something of it is not set.
    """

    def __init__(self, settings: Settings) -> None:
        if settings.oidc_missing is not None:
            raise BadSettings(f"CALLBOARD_OIDC_ISSUER is set, and {settings.oidc_missing} is not; set both.")
        self.label = settings.oidc_label
        self._issuer = settings.callboard_oidc_issuer
        self._client_id = settings.callboard_oidc_client_id
        secret = settings.callboard_oidc_client_secret
        self._secret = "" if secret is None else secret.get_secret_value()
        self._scopes = settings.callboard_oidc_scopes
        self._ticket_key = hmac.digest(self._secret.encode(), b"callboard sign-in ticket", "sha256")
        self._lock = threading.Lock()
        self._published: dict[str, Any] = {}
        self._keys: dict[str | None, dict[str, Any]] = {}
        self._published_at = self._keys_at = -FRESH_S

    def begin(self, back: str, onward: str) -> Begun:
        """Begin a sign-in that comes back to the address `back`, and goes on to the path `onward`.

        Raises:
            Unavailable: the provider does not answer.
        """
        published = self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        ticket = {
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "onward": onward,
            "exp": int(time.time()) + LIFE_S,
        }
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": back,
            "scope": self._scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        return Begun(
            address=_with_query(published["authorization_endpoint"], query),
            ticket=jwt.encode(ticket, self._ticket_key, algorithm="HS256"),
        )

    def finish(self, ticket: str, back: str, answer: Mapping[str, str]) -> Vouched:
        """End a sign-in with the query that the browser has come back with.

        Raises:
            Refused: it was not begun here, the provider has refused it, or what it says is not to be trusted.
            Unavailable: the provider does not answer.
        """
        try:
            begun = jwt.decode(ticket, self._ticket_key, algorithms=["HS256"], options={"require": ["exp"]})
        except jwt.PyJWTError:
            raise Refused(ELSEWHERE) from None
        if not hmac.compare_digest(begun["state"].encode(), answer.get("state", "").encode()):
            raise Refused(ELSEWHERE)
        if "error" in answer or not answer.get("code"):
            raise Refused(f"{self.label} has refused the sign-in: {_word(answer.get('error', 'no code'))}.")
        token = self._exchange(answer["code"], back, begun["verifier"])
        claims = self._checked(token, begun["nonce"])
        return Vouched(claims["iss"], claims["sub"], claims, begun["onward"])

    def way_out(self, back: str) -> str | None:
        """Where the browser ends its session with the provider; None where it has no such address.

        Raises:
            Unavailable: the provider does not answer.
        """
        address = self._discover().get("end_session_endpoint")
        if not isinstance(address, str):
            return None
        return _with_query(address, {"client_id": self._client_id, "post_logout_redirect_uri": back})

    def _exchange(self, code: str, back: str, verifier: str) -> str:
        published = self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": verifier,
        }
        methods = published.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        login = None
        if "client_secret_basic" in methods:
            # As RFC 6749 has it, both are encoded like a form first.
            login = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._secret, safe=""))
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret}
        said = self._ask("POST", published["token_endpoint"], data=form, auth=login)
        token = said.get("id_token")
        if not isinstance(token, str):
            why = _word(said.get("error", "it gives no ID token"))
            raise Refused(f"{self.label} has not taken the code of this sign-in: {why}.")
        return token

    def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token: signed by the provider, for this client, now, for this sign-in."""
        try:
            head = jwt.get_unverified_header(token)
            algorithm = head.get("alg")
            if algorithm not in ALGORITHMS:
                raise Refused(
                    f"The ID token of {self.label} is signed with {_word(algorithm)}, not by a key."
                )
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(head.get("kid"), algorithm),
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=self._discover()["issuer"],
                leeway=LEEWAY_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise Refused(f"The ID token of {self.label} is not to be trusted: {_word(error)}.") from None
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise Refused(f"The ID token of {self.label} is not of this sign-in (its nonce differs).")
        azp, shared = claims.get("azp"), isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if azp != self._client_id and (azp is not None or shared):
            raise Refused(f"The ID token of {self.label} was made for another client.")
        if not claims["sub"]:
            raise Refused(f"The ID token of {self.label} names nobody.")
        return claims

    def _key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        with self._lock:
            age = time.monotonic() - self._keys_at
            if age > FRESH_S or (kid not in self._keys and age > AGAIN_S):
                self._keys = self._read_keys()
                self._keys_at = time.monotonic()
            found = self._keys.get(kid)
            if found is None and kid is None and len(self._keys) == 1:
                found = next(iter(self._keys.values()))
        if found is None or found.get("alg", algorithm) != algorithm:
            raise Refused(f"The ID token of {self.label} is signed with a key that it does not publish.")
        return jwt.PyJWK(found, algorithm=algorithm)

    def _read_keys(self) -> dict[str | None, dict[str, Any]]:
        """What the provider signs with, by its names for it; a key that both sides know is no signature's."""
        said = self._ask("GET", self._discover()["jwks_uri"]).get("keys")
        keys = [each for each in said or () if isinstance(each, dict)]
        return {
            each.get("kid"): each
            for each in keys
            if each.get("use", "sig") == "sig" and each.get("kty") != "oct"
        }

    def _discover(self) -> dict[str, Any]:
        """What the provider publishes about itself.

        Raises:
            Unavailable: it does not answer, or not with that.
        """
        if time.monotonic() - self._published_at < FRESH_S:
            return self._published
        said = self._ask("GET", f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if str(said.get("issuer", "")).rstrip("/") != self._issuer.rstrip("/"):
            raise Unavailable(
                f"{self.label} calls itself {_word(said.get('issuer'))}; set CALLBOARD_OIDC_ISSUER to that."
            )
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if urlsplit(str(said.get(name, ""))).scheme not in ("https", urlsplit(self._issuer).scheme):
                raise Unavailable(f"{self.label} publishes no {name} that could be used.")
        self._published, self._published_at = said, time.monotonic()
        return said

    def _ask(self, method: str, address: str, **what: Any) -> dict[str, Any]:
        try:
            with httpx.Client(timeout=TIMEOUT_S, headers={"accept": "application/json"}) as client:
                answer = client.request(method, address, **what)
            said = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Unavailable(
                f"{self.label} does not answer ({type(error).__name__}); sign in with a password, or later."
            ) from None
        # A refused code is a 400 that says why.
        if not isinstance(said, dict) or (answer.is_error and "error" not in said):
            raise Unavailable(f"{self.label} answers with {answer.status_code}; try again later.")
        return said


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"


def _word(said: object) -> str:
    """What somebody outside says, short and on one line."""
    return " ".join(str(said).split())[:100].rstrip(".") or "nothing"
