"""The names of all keys that Callboard keeps in Redis.

Every key begins with the broker's namespace, so that a namespace in braces puts them all into one
slot of a Redis Cluster. Dramatiq's own keys are described in its `dispatch.lua`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names within one namespace."""

    namespace: str

    # Dramatiq's

    def queue(self, queue: str) -> str:
        """List of message ids, oldest first."""
        return f"{self.namespace}:{queue}"

    def messages(self, queue: str) -> str:
        """Hash of message id to encoded message."""
        return f"{self.namespace}:{queue}.msgs"

    def dead(self, queue: str) -> str:
        """Sorted set of dead-lettered message ids by the time (ms) of their death."""
        return f"{self.namespace}:{queue}.XQ"

    def dead_messages(self, queue: str) -> str:
        """Hash of message id to encoded message of the dead-lettered ones."""
        return f"{self.namespace}:{queue}.XQ.msgs"

    def acks(self, broker_id: str, queue: str) -> str:
        """Set of message ids that one broker fetched and has not acknowledged."""
        return f"{self.namespace}:__acks__.{broker_id}.{queue}"

    @property
    def heartbeats(self) -> str:
        """Sorted set of broker ids by the time (ms) of their last sign of life."""
        return f"{self.namespace}:__heartbeats__"

    # Callboard's

    @property
    def rescued(self) -> str:
        """Hash of message id to how often it was taken from a worker that had died with it."""
        return f"{self.namespace}:__rescued__"

    def group(self, uuid: str) -> str:
        """Set of the ids of a group's runs that have succeeded."""
        return f"{self.namespace}:__group__.{uuid}"

    def group_total(self, uuid: str) -> str:
        """How many runs a group has."""
        return f"{self.namespace}:__group_total__.{uuid}"

    @property
    def begun(self) -> str:
        """Hash of message id to how often a rescued message has been begun."""
        return f"{self.namespace}:__begun__"

    @property
    def events(self) -> str:
        """Stream of recorded events; each entry's field `e` is a JSON array of event objects."""
        return f"{self.namespace}:__events__"

    def wake(self, queue: str) -> str:
        """List of tokens that wake consumers of a queue."""
        return f"{self.namespace}:__wake__.{queue}"

    def sent(self, run_id: str) -> str:
        """Marks a message that the outbox has sent, so that a repeated send does nothing."""
        return f"{self.namespace}:__sent__.{run_id}"

    @property
    def control(self) -> str:
        """Hash of the switches that workers obey, each to a JSON object {reason, by, at}.

        Fields: `disabled:<job>`, `paused:job:<job>`, `paused:queue:<queue>` and `paused:all:`; `resumed:`
        tells when a pause has last ended.
        """
        return f"{self.namespace}:__control__"

    @property
    def ended(self) -> str:
        """Hash of run id to a JSON object {state, reason, by}: runs that must not go on."""
        return f"{self.namespace}:__ended__"

    @property
    def signals(self) -> str:
        """Pub/sub channel.

        `control` when the control hash has changed, `end <run id>` to end a run, `look` when what is parked
        may go on, `stack <run id> <ask>` to ask where a run is.
        """
        return f"{self.namespace}:__signals__"

    @property
    def workers(self) -> str:
        """Hash of broker id to a JSON object that describes the worker process."""
        return f"{self.namespace}:__workers__"

    @property
    def schedulers(self) -> str:
        """Hash of scheduler id to a JSON object about the process; `at` (ms) is its last sign of life."""
        return f"{self.namespace}:__schedulers__"

    @property
    def processes(self) -> str:
        """The same for recorders, APIs and panels; `part` says which of them one is."""
        return f"{self.namespace}:__processes__"

    def stack(self, ask: str) -> str:
        """List with the answer to somebody who asks where a run is, as a JSON object; kept for a moment."""
        return f"{self.namespace}:__stack__.{ask}"

    @property
    def memory(self) -> str:
        """A token kept in PostgreSQL as well: where the two differ, Redis has lost what it held."""
        return f"{self.namespace}:__memory__"

    @property
    def lots(self) -> str:
        """Sorted set of the lots in which messages are parked, by the time (ms) to look at each next."""
        return f"{self.namespace}:__lots__"

    def lot(self, name: str) -> str:
        """List of parked messages, oldest first: `<queue> <message id>`. The name is `<kind>|<what for>`."""
        return f"{self.namespace}:__lot__.{name}"

    @property
    def parked(self) -> str:
        """Hash of queue to how many of its messages are parked."""
        return f"{self.namespace}:__parked__"

    @property
    def held(self) -> str:
        """Hash of message id to a JSON object: for how long (ms) it was parked, by cause.

        While it is parked also `at` (ms) and `cause`.
        """
        return f"{self.namespace}:__held__"

    def slots(self, name: str) -> str:
        """Sorted set of the tokens of a limit's holders by the end (ms) of their leases."""
        return f"{self.namespace}:__slots__.{name}"

    def rate(self, name: str) -> str:
        """Hash of second (since the epoch) to how many runs of a limit have begun in it."""
        return f"{self.namespace}:__rate__.{name}"

    @property
    def limits(self) -> str:
        """Hash of a limit's name to `<concurrent> <per minute>`, for those that runs are parked for."""
        return f"{self.namespace}:__limits__"

    def breaker(self, name: str) -> str:
        """Hash of a breaker's state."""
        return f"{self.namespace}:__breaker__.{name}"

    @property
    def breakers(self) -> str:
        """Set of the names of all breakers that have ever counted a failure."""
        return f"{self.namespace}:__breakers__"

    def once(self, job: str, key: str) -> str:
        """The id of the run that a job's idempotency key stands for."""
        return f"{self.namespace}:__once__.{job}.{key}"

    def answer(self, digest: str) -> str:
        """What the request with an idempotency key was answered; the digest is of its caller and the key."""
        return f"{self.namespace}:__answer__.{digest}"

    def mutex(self, name: str) -> str:
        """The holder's token, with a lease."""
        return f"{self.namespace}:__mutex__.{name}"

    def fence(self, name: str) -> str:
        """Counter of the fencing numbers handed out with a mutex."""
        return f"{self.namespace}:__fence__.{name}"
