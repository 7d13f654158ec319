"""Air quality, on the real tables, against the sandbox's Open-Meteo."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine, insert, select, text
from sqlalchemy.exc import IntegrityError

from callboard.actors.providers.errors import Refused, Unreachable
from callboard.core.aqi import us_aqi
from callboard.storage.tables.business import (
    current_day,
    daily_statistics,
    locations,
    measurements,
    reports,
)
from helpers.promises import Promise, assert_kept
from helpers.sandboxed import Sandboxed, sandboxed

PROMISED = {
    "fetch-paris-data": Promise("* * * * *", 50, 3, "data", "Europe/Paris"),
    "hourly-aggregations": Promise("0 * * * *", 300, 2, "analytics"),
    "daily-statistics": Promise("59 23 * * *", 600, 2, "analytics"),
}
#: The last minute of a Tuesday in UTC: in Paris it is Wednesday, in New York Tuesday still.
LATE = datetime(2026, 3, 10, 23, 59, tzinfo=UTC)
TUESDAY, MONDAY = date(2026, 3, 10), date(2026, 3, 9)


@pytest.fixture
def sandbox(surroundings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandboxed]:
    with sandboxed() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        yield running


def add_place(engine: Engine, slug: str, zone: str = "UTC", **columns: Any) -> int:
    values = {"slug": slug, "name": slug.title(), "latitude": 40.0, "longitude": 3.0, "time_zone": zone}
    with engine.begin() as connection:
        statement = insert(locations).values(values | columns).returning(locations.c.id)
        return connection.execute(statement).scalar_one()


def measure(engine: Engine, place: int, *values: tuple[datetime, float]) -> None:
    rows = [{"location_id": place, "measured_at": at, "pm2_5": fine} for at, fine in values]
    with engine.begin() as connection:
        connection.execute(insert(measurements), rows)


def measure_day(engine: Engine, place: int, day: datetime, value: float, hours: int = 24) -> None:
    """The same value in each of that many hours from that moment on."""
    measure(engine, place, *((day + timedelta(hours=n), value) for n in range(hours)))


def rows_of(engine: Engine, table: Any, *order: Any) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.execute(select(table).order_by(*order)))


def alerts(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        statement = "SELECT subject, severity, message, resolved_at IS NULL AS open FROM callboard.alerts"
        return list(connection.execute(text(f"{statement} WHERE kind = 'air_quality' ORDER BY opened_at")))


@pytest.mark.parametrize("name", PROMISED)
def test_the_jobs_are_declared_as_promised(surroundings: Any, name: str) -> None:
    assert_kept(surroundings, name, PROMISED[name])


def test_the_jobs_go_before_or_after_others_as_promised(surroundings: Any) -> None:
    priorities = {name: surroundings.get_actor(name).priority for name in [*PROMISED, "health-check"]}

    assert priorities["daily-statistics"] == priorities["health-check"] < 0
    assert priorities["fetch-paris-data"] == priorities["hourly-aggregations"] == 0


def test_paris_is_there_from_the_first_fetch_and_a_second_one_changes_nothing(
    surroundings: Any, sandbox: Sandboxed, engine: Engine
) -> None:
    job = surroundings.get_actor("fetch-paris-data")

    with time_machine.travel(LATE, tick=True):
        first, second = job(), job()

    assert first == {"processed": 1, "failed": 0, "new": 1, "changed": 0}
    assert second == {"processed": 1, "failed": 0, "new": 0, "changed": 0}
    (place,) = rows_of(engine, locations)
    assert (place.slug, place.time_zone, round(place.latitude)) == ("paris", "Europe/Paris", 49)
    (row,) = rows_of(engine, measurements)
    assert row.measured_at == LATE.replace(minute=0)
    assert all(getattr(row, name) > 0 for name in ("pm2_5", "pm10", "o3", "no2", "so2", "co"))
    assert 0 < row.us_aqi <= 500
    assert 1 <= row.eu_aqi <= 6
    assert row.dominant in ("pm2_5", "pm10", "o3", "no2", "so2", "co")


def test_a_figure_that_is_corrected_there_is_corrected_here_with_its_index(
    surroundings: Any, sandbox: Sandboxed, engine: Engine
) -> None:
    job = surroundings.get_actor("fetch-paris-data")
    with time_machine.travel(LATE, tick=True):
        job()
        (before,) = rows_of(engine, measurements)
        with engine.begin() as connection:
            connection.execute(text("UPDATE business.measurements SET pm2_5 = 900, us_aqi = 500"))

        result = job()

    assert result == {"processed": 1, "failed": 0, "new": 0, "changed": 1}
    (after,) = rows_of(engine, measurements)
    assert (after.pm2_5, after.us_aqi, after.dominant) == (before.pm2_5, before.us_aqi, before.dominant)


def test_every_place_is_read_in_batches_and_those_that_are_off_are_not(
    surroundings: Any, sandbox: Sandboxed, engine: Engine
) -> None:
    for number in range(4):
        add_place(engine, f"place-{number}", longitude=float(number))
    add_place(engine, "closed", enabled=False)

    result = surroundings.get_actor("fetch-paris-data")(place="all", batch_size=2)

    assert result == {"processed": 5, "failed": 0, "new": 5, "changed": 0}
    assert sandbox.counts("open-meteo")["requests"] == 3


def test_a_place_that_is_refused_is_recorded_and_the_others_are_read(
    surroundings: Any, sandbox: Sandboxed, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from callboard.actors.providers.open_meteo import OpenMeteo

    bad = add_place(engine, "nowhere", latitude=-89.5)
    add_place(engine, "somewhere")
    asked = OpenMeteo._ask
    # Given a provider that takes the southernmost place for none
    monkeypatch.setattr(
        OpenMeteo, "_ask", lambda self, places: asked(self, [(a if a > -89 else 95, b) for a, b in places])
    )

    result = surroundings.get_actor("fetch-paris-data")(place="all")

    assert result == {"processed": 2, "failed": 1, "new": 2, "changed": 0}
    with engine.connect() as connection:
        item, error = connection.execute(text("SELECT item, error FROM business.item_failures")).one()
    assert item == f"locations:{bad}"
    assert "Latitude must be in range" in error


def test_one_bad_place_among_many_costs_few_requests_and_a_wrong_key_one(
    surroundings: Any, sandbox: Sandboxed, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given sixteen places of which one lies outside of the world, as the provider sees it
    from callboard.actors.providers.open_meteo import OpenMeteo

    for number in range(14):
        add_place(engine, f"place-{number}")
    add_place(engine, "nowhere", latitude=-89.5)
    asked = OpenMeteo._ask
    monkeypatch.setattr(
        OpenMeteo, "_ask", lambda self, places: asked(self, [(a if a > -89 else 95, b) for a, b in places])
    )
    job = surroundings.get_actor("fetch-paris-data")
    # Expect halves to be asked for, and not each
    assert job(place="all") == {"processed": 15, "failed": 1, "new": 15, "changed": 0}
    assert sandbox.counts("open-meteo")["requests"] == 9
    # And a key that is none to be tried once
    monkeypatch.setenv("OPEN_METEO_URL", f"{sandbox.url}/open-meteo")
    monkeypatch.setenv("OPEN_METEO_API_KEY", "wrong")
    with pytest.raises(Refused, match="The supplied API key is invalid"):
        job(place="all")
    assert sandbox.counts("open-meteo")["requests"] == 10


def test_an_outage_fails_the_run_and_is_no_places_fault(
    surroundings: Any, sandbox: Sandboxed, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callboard.actors.providers.open_meteo.PATIENCE_S", 0.3)
    sandbox.turn("open-meteo", outage=True)

    with pytest.raises(Unreachable):
        surroundings.get_actor("fetch-paris-data")()

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM business.item_failures")) == 0


def test_a_dry_fetch_reads_and_keeps_nothing(surroundings: Any, sandbox: Sandboxed, engine: Engine) -> None:
    result = surroundings.get_actor("fetch-paris-data")(dry_run=True)

    assert result == {"processed": 1, "failed": 0, "new": 1, "changed": 0, "dry_run": True}
    assert rows_of(engine, measurements) == []


def test_the_us_index_goes_by_the_means_of_the_day_and_the_european_one_by_the_hour(
    surroundings: Any, engine: Engine
) -> None:
    # Given 23 clean hours and a bad one: 23 x 4 and 100 make a mean of 8.0
    place = add_place(engine, "smoky")
    noon = datetime(2026, 3, 10, 12, tzinfo=UTC)
    measure(engine, place, *((noon - timedelta(hours=n), 100.0 if n == 0 else 4.0) for n in range(24)))

    with time_machine.travel(noon + timedelta(minutes=30)):
        surroundings.get_actor("hourly-aggregations")()

    worst = rows_of(engine, measurements, measurements.c.measured_at)[-1]
    assert (worst.us_aqi, worst.eu_aqi, worst.dominant) == (44, 5, "pm2_5")


def test_a_present_day_is_that_of_the_places_own_zone(surroundings: Any, engine: Engine) -> None:
    paris = add_place(engine, "paris", "Europe/Paris")
    new_york = add_place(engine, "new-york", "America/New_York")
    empty = add_place(engine, "empty", "Asia/Tokyo")
    for place in (paris, new_york):
        # 22:30 UTC is Tuesday in both, 23:30 UTC is Wednesday in Paris
        measure(engine, place, (LATE - timedelta(minutes=89), 10.0), (LATE - timedelta(minutes=29), 30.0))
    job = surroundings.get_actor("hourly-aggregations")

    with time_machine.travel(LATE):
        first, second = job(batch_size=2), job()

    assert first == second == {"processed": 3, "failed": 0}
    found = {row.location_id: row for row in rows_of(engine, current_day)}
    assert (found[paris].day, found[paris].measurements, found[paris].pm2_5_mean) == (
        date(2026, 3, 11),
        1,
        30.0,
    )
    assert (found[new_york].day, found[new_york].measurements) == (TUESDAY, 2)
    assert (found[new_york].pm2_5_mean, found[new_york].pm2_5_max) == (20.0, 30.0)
    assert (found[empty].measurements, found[empty].us_aqi_max) == (0, None)
    assert (found[new_york].us_aqi_max, found[new_york].us_aqi) == (71, None), "two hours are no day"


def test_a_place_in_no_zone_is_recorded_and_passed_over(surroundings: Any, engine: Engine) -> None:
    add_place(engine, "atlantis", "Europe/Atlantis")
    for slug in ("one", "two"):
        add_place(engine, slug)

    result = surroundings.get_actor("hourly-aggregations")()

    assert result == {"processed": 2, "failed": 1}
    assert len(rows_of(engine, current_day)) == 2


def test_days_are_finalised_once_they_are_over_where_they_are(surroundings: Any, engine: Engine) -> None:
    # Given measurements on Monday and Tuesday at noon, local time
    paris = add_place(engine, "paris", "Europe/Paris")
    new_york = add_place(engine, "new-york", "America/New_York")
    london = add_place(engine, "london", "Europe/London")
    for place, noon in ((paris, 11), (new_york, 16), (london, 12)):
        tuesday = datetime(2026, 3, 10, noon, tzinfo=UTC)
        measure(engine, place, (tuesday - timedelta(days=1), 8.0), (tuesday, 12.0))
    job = surroundings.get_actor("daily-statistics")
    # When the job runs twice, in the last minute of Tuesday in UTC
    with time_machine.travel(LATE):
        first, second = job(batch_size=2), job()
    # Expect Tuesday to be over in Paris and, but for that minute, in London, and not in New York
    assert first == {"processed": 3, "failed": 0, "finalised": 5, "alerts": 0, "reports": 2}
    assert second == {"processed": 3, "failed": 0, "finalised": 0, "alerts": 0, "reports": 0}
    kept = [
        (row.location_id, row.day, row.pm2_5_mean, row.us_aqi_max)
        for row in rows_of(engine, daily_statistics, daily_statistics.c.location_id, daily_statistics.c.day)
    ]
    assert kept == [
        (paris, MONDAY, 8.0, 44), (paris, TUESDAY, 12.0, 56),
        (new_york, MONDAY, 8.0, 44),
        (london, MONDAY, 8.0, 44), (london, TUESDAY, 12.0, 56),
    ]  # fmt: skip


def test_a_day_that_gets_more_measurements_is_finalised_and_reported_again(
    surroundings: Any, engine: Engine
) -> None:
    paris = add_place(engine, "paris", "Europe/Paris")
    measure(engine, paris, (datetime(2026, 3, 10, 11, tzinfo=UTC), 12.0))
    job = surroundings.get_actor("daily-statistics")
    with time_machine.travel(LATE):
        job()
        measure(engine, paris, (datetime(2026, 3, 10, 12, tzinfo=UTC), 30.0))

        again = job()

    assert again == {"processed": 1, "failed": 0, "finalised": 1, "alerts": 0, "reports": 1}
    (day,) = rows_of(engine, daily_statistics)
    assert (day.measurements, day.pm2_5_mean, day.pm2_5_max) == (2, 21.0, 30.0)
    (report,) = rows_of(engine, reports)
    assert (report.kind, report.day, report.scope) == ("air-quality", "2026-03-10", "all")
    assert report.content["worst"] == "paris"
    assert report.content["by_place"]["paris"]["measurements"] == 2


def test_bad_air_has_an_alert_until_a_better_day(surroundings: Any, engine: Engine) -> None:
    place = add_place(engine, "paris")
    job = surroundings.get_actor("daily-statistics")
    measure_day(engine, place, datetime(2026, 3, 9, tzinfo=UTC), 130.0)

    with time_machine.travel(LATE):
        assert job()["alerts"] == 1
        assert job()["alerts"] == 0, "nothing is new"
    assert alerts(engine) == [
        (
            "paris",
            "critical",
            "The air of Paris was Very Unhealthy on 2026-03-09: US AQI 205, from pm2_5.",
            True,
        )
    ]

    # The first hours of the better day have the bad air of the night before in their means, the day has not
    measure_day(engine, place, datetime(2026, 3, 10, tzinfo=UTC), 5.0)
    with time_machine.travel(LATE):
        assert job()["alerts"] == 0
    assert [each.open for each in alerts(engine)] == [False]
    better = rows_of(engine, daily_statistics, daily_statistics.c.day)[-1]
    assert (better.us_aqi, better.dominant) == (28, "pm2_5")
    assert better.us_aqi_max > 150


@pytest.mark.parametrize(("hours", "index"), [(17, None), (18, 205)])
def test_a_day_has_an_index_when_three_quarters_of_it_were_measured(
    surroundings: Any, engine: Engine, hours: int, index: int | None
) -> None:
    place = add_place(engine, "paris")
    measure_day(engine, place, datetime(2026, 3, 9, tzinfo=UTC), 130.0, hours)

    with time_machine.travel(LATE):
        surroundings.get_actor("daily-statistics")()

    (day,) = rows_of(engine, daily_statistics)
    assert day.us_aqi == index
    assert len(alerts(engine)) == (index is not None)


def test_a_present_day_goes_by_its_own_hours_so_far(surroundings: Any, engine: Engine) -> None:
    # Given a bad Monday, and a Tuesday of which half is over
    place = add_place(engine, "paris")
    measure_day(engine, place, datetime(2026, 3, 9, tzinfo=UTC), 130.0)
    measure_day(engine, place, datetime(2026, 3, 10, tzinfo=UTC), 5.0, hours=12)

    with time_machine.travel(datetime(2026, 3, 10, 12, tzinfo=UTC)):
        surroundings.get_actor("hourly-aggregations")()

    (today,) = rows_of(engine, current_day)
    assert (today.day, today.us_aqi, today.dominant) == (TUESDAY, 28, "pm2_5")


def test_gases_go_by_their_best_known_hours_within_the_day(surroundings: Any, engine: Engine) -> None:
    # Given much ozone in the evening of Monday, and from eight to four on Tuesday some; one hour of bad air
    place = add_place(engine, "paris")
    begin = datetime(2026, 3, 9, 12, tzinfo=UTC)
    rows = [
        {
            "location_id": place,
            "measured_at": begin + timedelta(hours=n),
            "o3": 400.0 if n < 12 else 140.0 if 20 <= n < 28 else 10.0,
            "no2": 300.0 if n == 30 else 1.0,
        }
        for n in range(36)
    ]
    with engine.begin() as connection:
        connection.execute(insert(measurements), rows)

    with time_machine.travel(LATE):
        surroundings.get_actor("daily-statistics")()

    tuesday = rows_of(engine, daily_statistics, daily_statistics.c.day)[-1]
    expected = us_aqi({"o3": 140.0, "no2": 300.0}, o3_1h=140.0)
    assert expected is not None
    assert (tuesday.us_aqi, tuesday.dominant) == (expected.value, expected.dominant)


def test_what_is_no_concentration_is_not_kept(surroundings: Any, engine: Engine) -> None:
    place = add_place(engine, "paris")
    for value in (float("nan"), float("inf"), -1.0):
        with pytest.raises(IntegrityError, match="concentrations"):
            measure(engine, place, (LATE, value))


def test_statistics_outlive_a_part_of_their_measurements(surroundings: Any, engine: Engine) -> None:
    place = add_place(engine, "paris")
    measure_day(engine, place, datetime(2026, 3, 9, tzinfo=UTC), 130.0)
    job = surroundings.get_actor("daily-statistics")
    with time_machine.travel(LATE):
        job()
        with engine.begin() as connection:
            connection.execute(
                text("DELETE FROM business.measurements WHERE measured_at < '2026-03-09T12:00Z'")
            )

        assert job()["finalised"] == 0

    (day,) = rows_of(engine, daily_statistics)
    assert (day.measurements, day.us_aqi) == (24, 205)


def test_no_alert_is_opened_where_the_settings_switch_them_off(
    surroundings: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRON_ENABLE_ALERT_NOTIFICATIONS", "false")
    measure_day(engine, add_place(engine, "paris"), datetime(2026, 3, 9, tzinfo=UTC), 130.0)

    with time_machine.travel(LATE):
        surroundings.get_actor("daily-statistics")()

    assert alerts(engine) == []
    assert len(rows_of(engine, daily_statistics)) == 1


def test_a_dry_finalisation_counts_and_keeps_nothing(surroundings: Any, engine: Engine) -> None:
    measure_day(engine, add_place(engine, "paris"), datetime(2026, 3, 9, tzinfo=UTC), 200.0)

    with time_machine.travel(LATE):
        result = surroundings.get_actor("daily-statistics")(dry_run=True)

    assert result == {"processed": 1, "failed": 0, "finalised": 1, "alerts": 1, "dry_run": True}
    assert rows_of(engine, daily_statistics) == rows_of(engine, reports) == alerts(engine) == []


def test_the_other_jobs_can_be_told_one_place_too(surroundings: Any, engine: Engine) -> None:
    add_place(engine, "paris")
    add_place(engine, "berlin")

    assert surroundings.get_actor("hourly-aggregations")(place="berlin")["processed"] == 1
    assert surroundings.get_actor("daily-statistics")(place="berlin")["processed"] == 1
    with pytest.raises(ValueError, match=r"^days is 0; it must be at least 1"):
        surroundings.get_actor("daily-statistics")(days=0)
