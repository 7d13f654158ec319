"""Air quality: what is measured, hour by hour, and what comes of a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dramatiq
from sqlalchemy import Connection

from callboard import cron
from callboard.actors.alerting import alert, all_clear
from callboard.actors.database import engine
from callboard.actors.items import Batch, Item, MostFailed, Work, work_through
from callboard.actors.providers.errors import Denied, Refused
from callboard.actors.providers.open_meteo import OpenMeteo, Reading
from callboard.core.aqi import POLLUTANTS, eu_aqi, us_aqi
from callboard.core.aqi.us import UNHEALTHY, category
from callboard.core.clock import utcnow
from callboard.core.policies import ANALYTICS, DATA_FETCH, HIGH, NORMAL
from callboard.storage.business import air_days, air_index, air_quality

#: The place that is there from the beginning.
PARIS = {
    "slug": "paris",
    "name": "Paris",
    "latitude": 48.8566,
    "longitude": 2.3522,
    "time_zone": "Europe/Paris",
}
#: What stands for every place.
ALL = "all"
#: The kind of the alerts, and the index from which on one is critical: "Very Unhealthy".
ALERT, CRITICAL = "air_quality", 201
#: Measurements that are given their indices in one go.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Measured:
    """A place with what was read there."""

    id: int
    reading: Reading

    @property
    def error(self) -> str:
        """Why nothing was read, "" if something was."""
        return self.reading.error


@dramatiq.actor(
    actor_name="fetch-paris-data",
    description="Fetch air quality data for Paris",
    category="data",
    periodic=cron("* * * * *", tz="Europe/Paris"),
    misfire="skip",
    time_limit=50_000,
    priority=NORMAL,
    breaker="open-meteo",
    when_open="skip",
    throws=(MostFailed,),
    mutex=True,
    **DATA_FETCH,
)
def fetch_paris_data(place: str = "paris", batch_size: int = 50, dry_run: bool = False) -> dict[str, Any]:
    """Keep what Open-Meteo says of the air of a place (`all`: of each), with the indices that follow from it.

    It has new figures every hour: until then a run finds what is known and changes nothing. A place that it
    does not take is recorded and passed over.
    """
    with engine().begin() as connection:
        air_quality.add_place(connection, **PARIS)
    slug = None if place == ALL else place
    source = OpenMeteo()
    work = Work("fetch-paris-data", batch_size=batch_size, dry_run=dry_run, counts=("new", "changed"))

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        rows = [_row(item) for item in items]
        new, changed = air_quality.keep_measurements(connection, rows)
        index(connection, [row["id"] for row in rows], min(row["at"] for row in rows))
        return {"new": new, "changed": changed}

    places = work.rows(
        lambda connection, after, limit: air_quality.fetch_places(connection, slug, after, limit)
    )
    work.through_batches(
        "locations",
        (Batch(_read(source, rows)) for rows in places),
        handle,
        count=lambda connection: air_quality.count_places(connection, slug),
        what="places read",
    )
    return work.outcome()


@dramatiq.actor(
    actor_name="hourly-aggregations",
    description="Calculate current day aggregations for all locations",
    category="analytics",
    periodic=cron("0 * * * *"),
    time_limit=300_000,
    priority=NORMAL,
    mutex=True,
    **ANALYTICS,
)
def hourly_aggregations(place: str = ALL, batch_size: int = 100, dry_run: bool = False) -> dict[str, Any]:
    """Bring the figures of each place's present day, in its own time zone, up to date."""
    now, slug = utcnow(), None if place == ALL else place

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        ids = [item.id for item in items]
        index(connection, ids, now - timedelta(days=2))
        _index_days(connection, "current_day_aggregates", air_quality.add_up_today(connection, ids, now), now)
        return {}

    return _through_places("hourly-aggregations", slug, handle, batch_size, dry_run=dry_run)


@dramatiq.actor(
    actor_name="daily-statistics",
    description="Finalize daily statistics and generate reports",
    category="analytics",
    periodic=cron("59 23 * * *"),
    time_limit=600_000,
    priority=HIGH,
    mutex=True,
    **ANALYTICS,
)
def daily_statistics(
    place: str = ALL, days: int = 7, alert_at: int = UNHEALTHY, batch_size: int = 100, dry_run: bool = False
) -> dict[str, Any]:
    """Keep the figures of each place's last `days` that are over where it is, and make the days' reports.

    What is kept already is left, unless measurements have come since. A place whose latest day reached
    `alert_at` (US AQI of the day; 151 is unhealthy for everybody) has an alert until a better day. A day of
    which less than three quarters were measured has no such index.
    """
    if days < 1:
        raise ValueError(f"days is {days}; it must be at least 1.")
    now, slug = utcnow(), None if place == ALL else place

    def handle(connection: Connection, items: Sequence[Item]) -> Mapping[str, int]:
        ids = [item.id for item in items]
        index(connection, ids, now - timedelta(days=days + 2))
        finalised = air_days.finalise(connection, ids, now, days)
        _index_days(connection, "daily_statistics", finalised, now)
        written = {(row.location_id, row.day) for row in finalised}
        places = {item.id: item for item in items}
        alerts = sum(
            _judge(connection, places[day.location_id], day, alert_at)
            for day in air_days.latest_days(connection, ids)
            if (day.location_id, day.day) in written
        )
        return {"finalised": len(finalised), "alerts": alerts}

    result = _through_places("daily-statistics", slug, handle, batch_size, dry_run=dry_run)
    if dry_run:
        return result
    with engine().begin() as connection:
        return result | {"reports": air_days.make_reports(connection, now, days)}


def index(connection: Connection, ids: Sequence[int], since: datetime) -> None:
    """Give the measurements of these places since that moment their indices, where they have none.

    The US index goes by the means that the EPA asks for (24 hours of particles, 8 of ozone and carbon
    monoxide), as far back as there are measurements; the European one by the hour.
    """
    while rows := air_quality.without_index(connection, ids, since, AT_ONCE):
        air_quality.set_indices(connection, [_indices(row) for row in rows])


def _through_places(
    job: str, slug: str | None, handle: Any, batch_size: int, *, dry_run: bool
) -> dict[str, Any]:
    return work_through(
        job,
        "locations",
        lambda connection, after, limit: air_quality.fetch_places(connection, slug, after, limit),
        handle,
        count=lambda connection: air_quality.count_places(connection, slug),
        batch_size=batch_size,
        dry_run=dry_run,
        what="places added up",
    )


def _read(source: OpenMeteo, places: Sequence[Any]) -> list[Measured]:
    """What is read at places. Where one of them is refused, halves are asked for until it is found."""
    try:
        readings = source.current([(place.latitude, place.longitude) for place in places])
    except Denied:
        raise
    except Refused as refusal:
        if len(places) == 1:
            return [Measured(places[0].id, Reading(error=str(refusal)))]
        half = len(places) // 2
        return _read(source, places[:half]) + _read(source, places[half:])
    return [Measured(place.id, reading) for place, reading in zip(places, readings, strict=True)]


def _row(item: Measured) -> dict[str, Any]:
    return {"id": item.id, "at": item.reading.measured_at, **item.reading.concentrations}


def _index_days(connection: Connection, table: air_index.Table, days: Sequence[Any], now: datetime) -> None:
    """Give these days (`location_id, day`) their own index."""
    keys = [(day.location_id, day.day) for day in days]
    rows = []
    for row in air_index.means_of_days(connection, keys, now):
        us = us_aqi(_by_pollutant(row), o3_1h=row.o3_1h, so2_24h=row.so2_24h)
        found = {"us": us.value, "dominant": us.dominant} if us else {"us": None, "dominant": None}
        rows.append({"id": row.location_id, "day": row.day, **found})
    air_index.keep_indices(connection, table, rows)


def _indices(row: Any) -> dict[str, Any]:
    hour = _by_pollutant(row)
    means = hour | {"pm2_5": row.pm2_5_24h, "pm10": row.pm10_24h, "o3": row.o3_8h, "co": row.co_8h}
    us = us_aqi(means, o3_1h=row.o3, so2_24h=row.so2_24h)
    eu = eu_aqi(hour)
    return {
        "id": row.location_id,
        "at": row.measured_at,
        "us": us.value if us else None,
        "eu": eu.value if eu else None,
        "dominant": us.dominant if us else None,
    }


def _by_pollutant(row: Any) -> dict[str, float | None]:
    return {name: getattr(row, name) for name in POLLUTANTS}


def _judge(connection: Connection, place: Any, day: Any, alert_at: int) -> int:
    """Open or close a place's alert, by its latest day; returns 1 if there is one."""
    if day.us_aqi is None:
        return 0
    if day.us_aqi < alert_at:
        all_clear(connection, ALERT, place.slug)
        return 0
    words = category(day.us_aqi)
    alert(
        connection,
        ALERT,
        place.slug,
        f"The air of {place.name} was {words} on {day.day}: US AQI {day.us_aqi}, from {day.dominant}.",
        severity="critical" if day.us_aqi >= CRITICAL else "warning",
        day=str(day.day),
        us_aqi=day.us_aqi,
        dominant=day.dominant,
    )
    return 1
