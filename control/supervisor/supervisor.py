"""Starts the servers and the parts, keeps them alive, and ends them in order.

One thread, the main one, starts and ends processes: on Linux a child is told of its parent's death by the
kernel, and the parent in question is the thread. Signals only raise a flag that the loop looks at.
"""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from callboard.control.addresses import choose_ports, url
from callboard.control.context import Context
from callboard.control.first_start import FirstCredentials, ensure_first_credentials
from callboard.control.processes import LOCK_FD, SUPERVISOR, explain
from callboard.control.reads.readiness import check_redis
from callboard.control.supervisor.credentials import PASSWORD_FILE, TOKEN_FILE, keep_credentials, kept
from callboard.control.supervisor.newcomer import WarmUp, fill, welcomed
from callboard.control.supervisor.part import RESTART_DELAYS, Part
from callboard.control.supervisor.plans import ENDS, Options, make_plans
from callboard.control.supervisor.readiness import Readiness
from callboard.control.supervisor.report import Reporter, Running
from callboard.core.errors import CallboardError, Unavailable
from callboard.core.instance import Instance, remove_instance, write_instance
from callboard.core.settings import Settings
from callboard.storage.embedded import EmbeddedServers
from callboard.storage.migrate import migrate

#: Seconds between two looks at the processes.
LOOK_S = 0.1
#: Seconds that the parts have to become ready.
START_S = 90.0
#: Seconds between two looks at the length of the servers' logs.
TRIM_S = 60.0
#: Seconds that the recorder has to record what is left when everything ends.
RECORD_S = 5.0

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """Somebody asked to end while things were starting."""


class Supervisor:
    """One instance of Callboard in one home."""

    def __init__(
        self,
        settings: Settings,
        reporter: Reporter,
        options: Options,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._environ = dict(os.environ if environ is None else environ)
        self._settings = settings
        self._report = reporter
        self._options = options
        self._sandbox = settings.wants_sandbox
        self._parts: list[Part] = []
        self._asked = 0
        self._server_failures = 0
        self._servers_due = 0.0
        self._trim_at = 0.0
        self._made_up = 0
        self._warm_up: WarmUp | None = None
        self._servers = EmbeddedServers(
            settings.home, postgres=not self._given("DATABASE_URL"), valkey=not self._given("REDIS_URL")
        )

    def run(self) -> None:
        """Run everything until SIGINT, SIGTERM or SIGHUP.

        Raises:
            CallboardError: something did not start; what had started has ended again.
        """
        with self._signals():
            try:
                self._start()
                while not self._asked:
                    self._look()
                    time.sleep(LOOK_S)
            except Stopped:
                pass
            except CallboardError:
                # Ctrl-C ends what is being started too, and that is no failure.
                if not self._asked:
                    raise
            finally:
                self._stop()

    # Start

    def _start(self) -> None:
        self._servers.lock.acquire()
        settings = choose_ports(self._settings)
        if names := self._embedded():
            self._report.step(f"Starting {' and '.join(names)}")
        database_url, redis_url = self._servers.start()
        changes = {"database_url": database_url, "redis_url": redis_url, "callboard_home": settings.home}
        self._settings = settings.model_copy(update={name: value for name, value in changes.items() if value})
        self._check()
        self._report.step("Bringing the database up to date")
        migrate(self._settings.database_url)
        context = Context(self._settings, application_name="callboard up")
        try:
            check_redis(context)
            made = ensure_first_credentials(context.writer, self._settings)
            keep_credentials(self._settings.home, made)
            write_instance(self._settings.home, self._instance())
            self._start_parts(context)
        finally:
            context.close()
        self._report.running(self._running(made))

    def _start_parts(self, context: Context) -> None:
        readiness, environment = Readiness(context), self._environment()
        self._parts = [
            Part(
                plan,
                environment=environment,
                logs=self._settings.home / "logs",
                show=self._report.line,
                inherited=(self._servers.lock.fd,),
            )
            for plan in make_plans(self._options, sandbox=self._sandbox)
        ]
        for part in self._parts:
            self._check()
            if part.name == "worker":
                self._welcome(context)
            part.start()
        deadline = time.monotonic() + START_S
        while waiting := [part for part in self._parts if not part.ready]:
            self._report.step(f"Waiting for {_listed([part.name for part in waiting])}")
            for part in waiting:
                part.ready = readiness.of(part)
                how = None if part.ready else part.reap()
                if how is not None:
                    raise Unavailable(f"The {part.name} did not start: it {how}.")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"The {waiting[0].name} was not ready after {START_S:.0f} s: "
                    f"see {self._settings.home / 'logs' / waiting[0].name}.log."
                )
            self._check()
            time.sleep(LOOK_S)

    def _welcome(self, context: Context) -> None:
        """Make up data for a newcomer, while the parts that run no jobs are starting."""
        if not welcomed(self._settings, self._embedded(), sandbox=self._sandbox):
            return
        self._report.step("Making up demo data")
        try:
            self._made_up = fill(context)
        except Exception as error:  # noqa: BLE001 - everything else starts all the same
            self._report.trouble("demo", f"could not be made up: {explain(error) or error}".rstrip("."))
        if self._made_up:
            self._warm_up = WarmUp(self._settings)

    def _check(self) -> None:
        if self._asked:
            raise Stopped

    # Watch

    def _look(self) -> None:
        if time.monotonic() >= self._trim_at:
            self._trim_at = time.monotonic() + TRIM_S
            self._servers.trim_logs()
        if self._warm_up is not None and not self._warm_up.look():
            self._warm_up = None
        for name in self._servers.dead():
            if not self._server_failures:
                self._report.trouble(name, "died; it is being started again")
            self._revive()
        for part in self._parts:
            how = part.reap()
            if how is not None:
                self._report.trouble(part.name, f"{how}; it starts again in {part.restart_delay_s:g} s")
            elif part.due:
                part.start()
                self._report.trouble(part.name, f"was started again as process {part.pid}")

    def _revive(self) -> None:
        if time.monotonic() < self._servers_due:
            return
        try:
            for name in self._servers.revive():
                self._report.trouble(name, "was started again")
            self._server_failures = 0
        except Unavailable as error:
            delay = RESTART_DELAYS[min(self._server_failures, len(RESTART_DELAYS) - 1)]
            self._server_failures += 1
            self._servers_due = time.monotonic() + delay
            self._report.trouble("servers", f"{error} The next try is in {delay:g} s")

    # Stop

    def _stop(self) -> None:
        if not self._servers.lock.held:
            return
        started = [part for part in self._parts if part.pid is not None]
        for group in ENDS:
            self._end([part for part in started if part.name in group])
        remove_instance(self._settings.home)
        if self._servers.pids:
            self._report.step(f"Stopping {' and '.join(self._embedded())}")
        self._servers.stop()

    def _end(self, parts: list[Part]) -> None:
        if not parts:
            return
        if any(part.name == "recorder" for part in parts):
            self._wait_until_recorded()
        asked = self._asked
        for part in parts:
            part.terminate()
        begun = time.monotonic()
        while waiting := [part for part in parts if not part.ended]:
            self._report.step(f"Waiting for {_listed([part.name for part in waiting])} to end")
            if self._asked > max(asked, 1) or all(
                time.monotonic() - begun > part.plan.drain_s for part in waiting
            ):
                break
            time.sleep(LOOK_S / 2)
        for part in parts:
            killed = not part.ended
            part.sweep()
            if killed:
                self._report.trouble(part.name, "did not end in time and was killed")

    def _wait_until_recorded(self) -> None:
        asked, deadline = self._asked, time.monotonic() + RECORD_S
        with Context(self._settings, application_name="callboard up") as context:
            readiness = Readiness(context)
            while (
                self._asked <= max(asked, 1) and time.monotonic() < deadline and not readiness.all_recorded()
            ):
                time.sleep(LOOK_S)

    # What is where

    def _given(self, name: str) -> bool:
        return bool(self._environ.get(name) or self._environ.get(f"{name}_FILE"))

    def _embedded(self) -> tuple[str, ...]:
        servers = {"PostgreSQL": self._servers.postgres, "Valkey": self._servers.valkey}
        return tuple(name for name, server in servers.items() if server is not None)

    def _environment(self) -> dict[str, str]:
        """What the parts are told: everything that this process was, and what it has decided since."""
        settings = self._settings
        told = {
            "CALLBOARD_HOME": str(settings.home),
            "CALLBOARD_API_PORT": str(settings.callboard_api_port),
            "CALLBOARD_PANEL_PORT": str(settings.callboard_panel_port),
            SUPERVISOR: str(os.getpid()),
            LOCK_FD: str(self._servers.lock.fd),
            "PYTHONUNBUFFERED": "1",
        }
        if self._sandbox:
            told |= {
                "CALLBOARD_SANDBOX_PORT": str(settings.callboard_sandbox_port),
                "CALLBOARD_SANDBOX_SMTP_PORT": str(settings.callboard_sandbox_smtp_port),
                "CALLBOARD_SANDBOX_URL": settings.callboard_sandbox_url,
                "CALLBOARD_SANDBOX_SMTP_URL": settings.callboard_sandbox_smtp_url,
            }
        if not self._given("DATABASE_URL"):
            told["DATABASE_URL"] = settings.database_url
        if not self._given("REDIS_URL"):
            told["REDIS_URL"] = settings.redis_url
        return {**self._environ, **told}

    def _instance(self) -> Instance:
        settings = self._settings
        return Instance(
            pid=os.getpid(),
            database_url=settings.database_url,
            redis_url=settings.redis_url,
            api_url=url(settings.callboard_host, settings.callboard_api_port),
            panel_url=url(settings.callboard_host, settings.callboard_panel_port),
            sandbox_url=settings.callboard_sandbox_url if self._sandbox else "",
            sandbox_smtp_url=settings.callboard_sandbox_smtp_url if self._sandbox else "",
        )

    def _running(self, made: FirstCredentials) -> Running:
        settings, instance = self._settings, self._instance()
        return Running(
            home=settings.home,
            embedded=self._embedded(),
            elsewhere=self._servers.data_elsewhere,
            api_url=instance.api_url,
            panel_url=instance.panel_url,
            admin_password=made.admin_password,
            api_token=made.api_token,
            password_file=None if settings.callboard_admin_password else kept(settings.home, PASSWORD_FILE),
            token_file=None if settings.callboard_api_token else kept(settings.home, TOKEN_FILE),
            sandbox_url=instance.sandbox_url or None,
            sandboxed=tuple(settings.unnamed_services),
            made_up=self._made_up,
        )

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def ask(_number: int, _frame: FrameType | None) -> None:
            self._asked += 1

        before = {number: signal.signal(number, ask) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
