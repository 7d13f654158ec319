"""People are told of alerts: once, by mail and by webhook, whatever fails and however many tell."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from callboard.core.errors import BadSettings
from callboard.core.settings import Settings
from callboard.scheduler.messenger import find_places
from callboard.scheduler.teller import Teller
from callboard.storage.alert_messages import claim_messages
from callboard.storage.alerts import open_alert, resolve_alert
from helpers.answering import Answer, answering
from helpers.rows import change, rows
from helpers.sandboxed import Sandboxed, sandboxed
from helpers.waiting import wait_for

HOUR = "UPDATE callboard.alert_messages SET {0} = {0} - interval '5 hours'"


@pytest.fixture(scope="module")
def running() -> Iterator[Sandboxed]:
    with sandboxed() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandboxed) -> Sandboxed:
    running.reset()
    return running


@pytest.fixture
def told(settings: Settings, sandbox: Sandboxed) -> Settings:
    """Settings that name a mailbox and a webhook."""
    host = sandbox.smtp_url.rpartition("@")[2]
    hook = sandbox.url.removeprefix("http://")
    urls = (
        f"mailto://sandbox:{sandbox.token}@{host}?mode=insecure&from=us@example.org&to=ada@example.org"
        f",json://{hook}/webhook/alerts"
    )
    return settings.model_copy(update={"callboard_alert_urls": SecretStr(urls)})


def teller(engine: Engine, settings: Settings) -> Teller:
    return Teller(engine, find_places(settings), settings)


def tell(engine: Engine, settings: Settings) -> None:
    """Plan, let what is planned be due, and send it."""
    made = teller(engine, settings)
    made.tell()
    change(engine, HOUR.format("due_at"))
    made.tell()


def opened(engine: Engine, *subjects: str, severity: str = "critical", message: str = "Full.") -> None:
    with engine.begin() as connection:
        for subject in subjects:
            open_alert(connection, "health", subject, message, severity=severity)


def resolved(engine: Engine, subject: str) -> None:
    with engine.begin() as connection:
        resolve_alert(connection, "health", subject)


def silenced(engine: Engine, hours: str = "1") -> None:
    change(
        engine,
        "INSERT INTO callboard.silences (kind, subject, from_at, until_at, reason)"
        f" VALUES ('health', 'di*', now() - interval '1 minute', now() + interval '{hours} hours', 'x')",
    )


def titles(sandbox: Sandboxed) -> list[str]:
    """The titles that the webhook was sent, the oldest first."""
    return [each["body"]["title"] for each in reversed(sandbox.deliveries("webhook"))]


def test_opened_and_resolved_are_told_once_each_by_mail_and_by_webhook(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk", message="The <b>disk</b> *is* full,\nby redis://:hunter2@cache.")
    tell(engine, told)
    tell(engine, told)
    resolved(engine, "disk")
    tell(engine, told)
    tell(engine, told)

    mails = list(reversed(sandbox.deliveries("mail")))
    names = ["Callboard (local): critical: health disk", "Callboard (local): resolved: health disk"]
    assert [mail["subject"] for mail in mails] == titles(sandbox) == names
    assert (mails[0]["from"], mails[0]["to"]) == ("us@example.org", "ada@example.org")
    for body in (mails[0]["text"], sandbox.deliveries("webhook")[-1]["body"]["message"]):
        assert "The <b>disk</b> *is* full, by redis://:***@cache." in body
    assert sandbox.deliveries("webhook")[-1]["body"]["type"] == "failure"


def test_alerts_that_open_together_are_one_message(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk", "redis", "workers", severity="warning")
    teller(engine, told).tell()
    assert titles(sandbox) == [], "the first waits a little for the others"

    tell(engine, told)

    assert titles(sandbox) == ["Callboard (local): 3 alerts opened"]
    assert len(sandbox.deliveries("mail")) == 1


def test_what_fails_is_tried_again_at_that_place_alone(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    sandbox.turn("webhook", outage=True)
    opened(engine, "disk")
    tell(engine, told)

    (row,) = rows(
        engine,
        "SELECT place, attempts, last_error, due_at > now() FROM callboard.alert_messages"
        " WHERE sent_at IS NULL",
    )
    assert row[0].startswith("json://127.0.0.1:")
    assert "503" in row[2]
    assert (row[1], row[3]) == (1, True)
    sandbox.turn("webhook", outage=False)
    tell(engine, told)
    assert titles(sandbox) == ["Callboard (local): critical: health disk"]
    assert len(sandbox.deliveries("mail")) == 1


def test_what_was_over_before_it_was_told_is_not_told(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk")
    teller(engine, told).tell()
    resolved(engine, "disk")
    tell(engine, told)

    assert titles(sandbox) == []


def test_what_is_silenced_is_told_when_the_silence_is_over(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    silenced(engine)
    opened(engine, "disk", "redis")
    tell(engine, told)
    assert titles(sandbox) == ["Callboard (local): critical: health redis"]

    change(engine, "UPDATE callboard.silences SET until_at = now()")
    tell(engine, told)
    assert titles(sandbox)[1:] == ["Callboard (local): critical: health disk"]


def test_people_are_reminded_of_critical_ones_until_somebody_acknowledges(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk")
    opened(engine, "redis", severity="warning")
    tell(engine, told)
    tell(engine, told)
    for _ in range(2):
        change(engine, HOUR.format("sent_at"))
        tell(engine, told)
    change(engine, "UPDATE callboard.alerts SET acknowledged_at = now(), acknowledged_by = 'otto'")
    change(engine, HOUR.format("sent_at"))
    tell(engine, told)

    still = "Callboard (local): still critical: health disk"
    assert titles(sandbox) == ["Callboard (local): 2 alerts opened, critical", still, still]


def test_what_has_become_critical_is_told_at_once(engine: Engine, told: Settings, sandbox: Sandboxed) -> None:
    never = told.model_copy(update={"callboard_alert_reminder": 0})
    opened(engine, "disk", severity="warning")
    tell(engine, never)
    opened(engine, "disk")
    for _ in range(2):
        change(engine, HOUR.format("sent_at"))
        tell(engine, never)

    assert titles(sandbox)[1:] == ["Callboard (local): still critical: health disk"]


def test_less_than_the_least_severity_is_not_told(engine: Engine, told: Settings, sandbox: Sandboxed) -> None:
    opened(engine, "disk", severity="warning")
    tell(engine, told.model_copy(update={"callboard_alert_severity": "critical"}))

    assert titles(sandbox) == []


def test_of_several_schedulers_one_tells(engine: Engine, told: Settings, sandbox: Sandboxed) -> None:
    opened(engine, *(f"part-{number}" for number in range(30)))
    tellers = [teller(engine, told) for _ in range(4)]
    tellers[0].tell()
    change(engine, HOUR.format("due_at"))
    begin = threading.Barrier(4)

    def work(each: Teller) -> None:
        begin.wait(10)
        each.tell()

    threads = [threading.Thread(target=work, args=(each,)) for each in tellers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert rows(engine, "SELECT count(*), sum(attempts) FROM callboard.alert_messages") == [(60, 60)]
    said = "\n".join(each["body"]["message"] for each in sandbox.deliveries("webhook"))
    assert [said.count(f"health part-{number}\n") for number in range(30)] == [1] * 30


def test_what_a_killed_scheduler_had_claimed_another_sends_later(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk")
    places = find_places(told)
    other = teller(engine, told)
    other.tell()
    change(engine, HOUR.format("due_at"))
    with engine.begin() as connection:
        for place in places:
            assert claim_messages(connection, place.name)

    other.tell()
    assert titles(sandbox) == [], "it is the first one's for three minutes"
    change(engine, HOUR.format("claimed_until"))
    other.tell()
    assert titles(sandbox) == ["Callboard (local): critical: health disk"]


def test_a_scheduler_killed_while_it_tells_leaves_the_alert_to_the_next(
    engine: Engine,
    told: Settings,
    monkeypatch: pytest.MonkeyPatch,
    spawn_scheduler: Callable[[], subprocess.Popen[bytes]],
) -> None:
    # Given a webhook that holds its answer back, and a scheduler that waits for it
    message = "SELECT attempts, sent_at IS NOT NULL, claimed_until > now() FROM callboard.alert_messages"
    with answering() as hook:
        hook.script = [Answer(after_s=60), Answer()]
        url = f"json://{hook.url.removeprefix('http://')}/alerts"
        monkeypatch.setenv("CALLBOARD_ALERT_URLS", url)
        opened(engine, "disk", message="Full.")
        teller(engine, told.model_copy(update={"callboard_alert_urls": SecretStr(url)})).tell()
        change(engine, HOUR.format("due_at"))
        first = spawn_scheduler()
        wait_for(lambda: hook.asked, 20)

        # When it is killed, and another one starts, after the time that the first one had for it
        first.kill()
        first.wait()
        assert rows(engine, message) == [(1, False, True)]
        change(engine, HOUR.format("claimed_until"))
        spawn_scheduler()

        # Expect the same to be told once more, and then to be done with
        wait_for(lambda: rows(engine, message) == [(2, True, None)], 20)
        assert [json.loads(each.body) for each in hook.asked] == [json.loads(hook.asked[0].body)] * 2
        assert json.loads(hook.asked[0].body)["title"] == "Callboard (local): critical: health disk"


def test_no_transaction_is_open_while_something_is_sent(
    engine: Engine, told: Settings, sandbox: Sandboxed
) -> None:
    opened(engine, "disk")
    teller(engine, told).tell()
    change(engine, HOUR.format("due_at"))
    sandbox.turn("webhook", latency_ms=1_000)
    thread = threading.Thread(target=teller(engine, told).tell)
    thread.start()
    claimed = "SELECT 1 FROM callboard.alert_messages WHERE place LIKE 'json%' AND attempts = 1"
    wait_for(lambda: rows(engine, claimed))

    idle = (
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()"
    )
    assert rows(engine, idle) == [(0,)]
    assert titles(sandbox) == []
    thread.join(30)
    assert len(titles(sandbox)) == 1


def test_a_place_that_makes_no_sense_ends_the_start_with_a_sentence(settings: Settings) -> None:
    given = settings.model_copy(update={"callboard_alert_urls": SecretStr("nonsense://hunter2")})

    with pytest.raises(BadSettings, match="cannot read the URL at place 1 \\(nonsense\\)") as caught:
        find_places(given)
    assert "hunter2" not in str(caught.value)


def test_a_scheduler_tells_in_a_thread_of_its_own(
    engine: Engine, told: Settings, sandbox: Sandboxed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callboard.scheduler.process import SchedulerProcess

    monkeypatch.setattr("callboard.storage.alert_messages.GATHER_S", 0)
    sandbox.turn("webhook", latency_ms=1_500)
    opened(engine, "disk")
    with SchedulerProcess(told) as process:
        wait_for(lambda: sandbox.deliveries("webhook"))
        assert any(thread.name == "callboard-teller" for thread in threading.enumerate())
        assert process.alive
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM callboard.alert_messages")) == 2
