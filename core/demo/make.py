"""All tables, in an order in which each refers only to those before it.

The rows are what the system would have left behind had it run for 90 days, up to the midnight (UTC) at which
today begins: the jobs of the night that follows find their work.
"""

from collections.abc import Iterator
from datetime import date

from callboard.core.demo import air, care, loyalty, messages, opportunities, people, promotions, reviews
from callboard.core.demo.platform import platform_rows
from callboard.core.demo.portal import portal_rows
from callboard.core.demo.rows import Ground, Rows
from callboard.core.demo.services import service_rows


def make(customers: int, seed: int, today: date, competitors: int | None = None) -> Iterator[Rows]:
    """The rows of each table. There is at least one customer.

    Args:
        competitors: of the game platform; by default one for 20 customers, and ten at least.
    """
    ground = Ground(customers, seed, today, max(10, customers // 20) if competitors is None else competitors)
    everybody = people.make_customers(ground)
    people.note_stops(ground, everybody)
    jobs = people.make_jobs(ground, everybody)
    outbox = messages.Outbox(ground)
    requests = reviews.make_requests(ground, jobs, outbox)
    chances = opportunities.make_opportunities(ground, everybody, outbox)
    deliveries = promotions.make_deliveries(ground, everybody, jobs, outbox)
    messages.correspondence(ground, everybody, outbox)
    referrals = loyalty.make_referrals(ground, everybody, jobs)
    lives = loyalty.live(ground, everybody, jobs, requests, referrals)

    yield from loyalty.scheme_rows()
    yield people.customer_rows(everybody, lives.standing)
    yield people.job_rows(jobs)
    yield from loyalty.loyalty_rows(lives)
    yield loyalty.referral_rows(referrals)
    yield outbox.rows()
    yield messages.letters(ground, jobs, lives.standing)
    yield from opportunities.opportunity_rows(ground, chances)
    yield from promotions.promotion_rows(ground, deliveries)
    yield reviews.request_rows(requests)
    yield from portal_rows(ground, everybody)
    yield from platform_rows(ground)
    yield from service_rows(ground)
    hours = air.measure(ground)
    days = air.finalise(ground, hours)
    yield from air.air_rows(ground, hours, days)
    yield from care.care_rows(ground, requests, days)
