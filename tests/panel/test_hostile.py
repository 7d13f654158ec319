"""What others wrote is text on every page, in a real browser: it asks nobody, runs nothing, turns nothing."""

from collections.abc import Callable, Iterator
from urllib.parse import quote

import psycopg
import pytest
from playwright.sync_api import Page, expect

from callboard.core.clock import utcnow
from callboard.core.settings import Settings
from callboard.panel import home
from helpers.browser import Visitor
from helpers.hostile import ERROR, JOB, MARKUP, NAME, QUEUE, RUN, TEXT, add_hostile, remove_hostile

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("filled", "tokens")]

PASSWORD = "stage-left-42"
#: How the end of its texts is shown: what would turn it around is a sign.
EXE = "⟨202E⟩gpj.exe"
#: The address of each page, and what is to be found on it.
PAGES: dict[str, tuple[str, ...]] = {
    "/": (EXE, "1 of 2, ![p]("),
    "/jobs?q=gpj": (EXE,),
    f"/job?job={quote(JOB)}": (EXE, "1 of 2, ![p]("),
    "/queues": (EXE, QUEUE),
    f"/queue?queue={QUEUE}": (EXE, QUEUE),
    f"/runs?q={quote(TEXT)}": (),
    "/runs?q=state:failed,dead": (EXE,),
    "/schedules?q=gpj": (EXE,),
    "/schedules?schedule={schedule}": (EXE, NAME),
    "/schedules?schedules_tab=Calendar": (),
    "/schedules?schedules_tab=Collisions": (),
    "/schedules?schedules_tab=Ledger": (EXE,),
    "/anomalies": (EXE, "times the usual"),
    f"/health?queue={QUEUE}": (QUEUE,),
    "/workers": (EXE, "␀"),
    "/alerts": (MARKUP,),
    "/alerts?alerts_tab=History": (EXE,),
    "/alerts?alerts_tab=Silences": (EXE,),
    "/dead-letters": (f"{MARKUP} ␛[31m",),
    "/audit": (EXE, NAME),
    "/users": (NAME,),
    "/tokens": (NAME,),
}
#: As they are shown nowhere, or as the browser would obey them.
OBEYED = "img[src*=evil], img[src=x], a[href*=javascript], a[href*=evil], .katex, [data-testid=stException]"


@pytest.fixture
def schedule(panel_settings: Settings, database: psycopg.Connection) -> Iterator[int]:
    """The id of a schedule with such a text in it, as in everything else."""
    home.settle(panel_settings)
    context = home.context()
    try:
        yield add_hostile(database, context.redis, context.keys, utcnow())
    finally:
        remove_hostile(database)
        context.redis.flushdb()


def test_what_others_wrote_is_text_on_every_page(visit: Callable[[], Visitor], schedule: int) -> None:
    visitor = visit()
    obeyed: list[str] = []
    received: list[int] = []
    visitor.page.on("dialog", lambda dialog: (obeyed.append(dialog.message), dialog.dismiss()))
    visitor.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda data: received.append(len(data)))
    )
    page = visitor.sign_in("ada", PASSWORD, f"/run?run={RUN}")

    # A megabyte of error is cut where it is shown, and can be had as a whole
    visitor.ready()
    expect(page.get_by_text(f"The first 40,000 of {len(f'{TEXT}: {ERROR}'):,} characters")).to_be_visible()
    check(page, EXE, "INFO", f"Asked for by{MARKUP}")
    assert sum(received) < 400_000
    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").filter(has_text="All of it").get_by_role("button").click()
    assert download.value.path().read_text() == f"{TEXT}: {ERROR}"

    for path, words in PAGES.items():
        visitor.go(path.format(schedule=schedule))
        check(page, *words)
        fits_a_phone(page)
        if path.startswith("/job?"):
            for tab in ("Slots", "Schedule and options", "Audit"):
                page.get_by_role("tab", name=tab).click()
                expect(page.get_by_role("tabpanel", name=tab)).to_contain_text(EXE)
                check(page)

    assert obeyed == []


def check(page: Page, *words: str) -> None:
    """The words are on the page, and nothing in them was obeyed."""
    main = page.get_by_test_id("stMain")
    for word in words:
        expect(main).to_contain_text(word)
    assert page.locator(OBEYED).evaluate_all("found => found.map(each => each.outerHTML)") == []
    assert "\u202e" not in page.locator("body").inner_text()
    assert page.evaluate("window.pwned === undefined")


def fits_a_phone(page: Page) -> None:
    """However long the words are, the page is as wide as a phone and no wider."""
    page.set_viewport_size({"width": 400, "height": 900})
    page.wait_for_function(
        "() => ['stMain', 'stMainBlockContainer'].flatMap("
        "name => [...document.querySelectorAll(`[data-testid=${name}]`)])"
        ".every(each => each.clientWidth <= 400 && each.scrollWidth <= each.clientWidth)"
    )
    page.set_viewport_size({"width": 1600, "height": 1000})
