"""The page Health, on three busy queues and on those where too little runs."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from streamlit.testing.v1 import AppTest

from callboard.control.auth import Role
from callboard.core.settings import Settings
from callboard.panel import home
from helpers.panel_health import add_health, forget_health

Look = Callable[..., AppTest]
HEALTH = "views/health.py"


@pytest.fixture(scope="module", autouse=True)
def busy(filled: object, panel_url: str, panel_settings: Settings) -> Iterator[None]:
    """An hour of samples of three busy queues, gone again afterwards."""
    home.settle(panel_settings)
    context = home.context()
    add_health(panel_url, context.redis, context.keys, days=1 / 24)
    yield
    forget_health(panel_url)
    context.redis.flushdb()


def opened(at: AppTest) -> list[str]:
    """The queues that have a tile, in their order."""
    keys = [str(button.key) for button in at.button]
    return [key.removeprefix("open_queue_") for key in keys if key.startswith("open_queue_")]


def words(at: AppTest) -> str:
    """Whatever is on the page as text."""
    return "\n".join(str(each.value) for each in [*at.html, *at.markdown, *at.caption, *at.metric, *at.text])


def charts(at: AppTest) -> int:
    return len(at.get("vega_lite_chart"))


def test_each_queue_has_a_tile_and_the_worst_is_shown(look: Look) -> None:
    at = look(HEALTH, Role.VIEWER)

    assert not at.exception
    assert opened(at) == ["exports", "search", "webhooks", "default", "mail", "sync"]
    values = [metric.value for metric in at.metric]
    assert values[0] == "0.20"
    assert values[2] == "1.00"
    assert set(values[3:6]) == {"–"}
    assert "No worker serves it" in words(at)
    assert "36 runs are due, and no live worker serves the queue." in words(at)


def test_a_queue_is_shown_with_its_verdict_what_to_do_and_its_charts(look: Look) -> None:
    at = look(HEALTH, Role.VIEWER, queue="search", span="Hour")

    said = words(at)
    assert not at.exception
    assert "One job takes the threads" in said
    assert "Give the job a queue of its own" in said
    assert "of rebuild-catalogue" in said or "The job rebuild-catalogue" in said
    assert "above its limit of 100 already" in said
    assert "Held: limit" in said
    assert "by a limit that was used up" in said
    assert "more than usual" in said
    assert charts(at) == 6


@pytest.mark.parametrize("span", ["Day", "90 days"])
def test_a_job_of_it_is_shown_by_itself_over_another_window(look: Look, span: str) -> None:
    at = look(HEALTH, Role.VIEWER, queue="webhooks", span=span)
    at.selectbox(key="health_job_webhooks").select("refresh-tokens").run()

    assert not at.exception
    assert charts(at) == 6
    assert "Nothing holds this queue up." in words(at)


def test_a_tile_opens_its_queue(look: Look) -> None:
    at = look(HEALTH, Role.VIEWER)
    at.button(key="open_queue_webhooks").click().run()

    assert at.query_params["queue"] in ("webhooks", ["webhooks"])
    assert "Nothing holds this queue up." in words(at)


def test_a_queue_of_which_too_little_ran_says_so_and_has_no_score(look: Look) -> None:
    said = words(look(HEALTH, Role.VIEWER, queue="mail"))

    assert "Not enough data" in said
    assert "20 are needed" in said


def test_a_queue_that_there_is_not_is_said_in_a_sentence(look: Look) -> None:
    at = look(HEALTH, Role.VIEWER, queue="**nowhere**")

    assert not at.exception
    assert any("There is no queue named '**nowhere**'" in text.value for text in at.text)
    assert charts(at) == 0


def test_the_overview_has_the_worst_in_a_row(look: Look, database: psycopg.Connection) -> None:
    at = look()

    assert not at.exception
    assert opened(at) == ["exports", "search", "webhooks", "default"]


def test_a_queues_own_page_and_the_list_of_queues_have_its_score_and_a_way_to_more(look: Look) -> None:
    at = look("views/queue.py", Role.VIEWER, queue="search")
    listed = look("views/queues.py", Role.VIEWER)

    said = words(at)
    assert not at.exception
    assert "One job takes the threads" in said
    assert "Runs wait too long" in said
    assert any(button.key == "open_health" for button in at.button)
    scores = {str(button.key): button.label for button in listed.button}
    assert scores["health_of_exports"] == ":red[**0.20**]"
    assert scores["health_of_webhooks"] == ":green[**1.00**]"
