"""The declared tables of the schema `business`: what the jobs of the five systems work on."""

from callboard.storage.tables.business.air import (
    POLLUTANTS,
    current_day,
    daily_statistics,
    locations,
    measurements,
)
from callboard.storage.tables.business.base import SCHEMA
from callboard.storage.tables.business.content import (
    challenge_solves,
    competitor_totals,
    competitors,
    profiles,
    streamings,
)
from callboard.storage.tables.business.customers import (
    completed_jobs,
    customers,
    portal_daily,
    portal_events,
    portal_sessions,
)
from callboard.storage.tables.business.loyalty import (
    achievements,
    customer_achievements,
    loyalty_tiers,
    points_ledger,
    referrals,
    tier_changes,
)
from callboard.storage.tables.business.outbound import (
    email_queue,
    external_records,
    item_failures,
    outbound_jobs,
    reports,
    sync_cursors,
)
from callboard.storage.tables.business.outreach import (
    offers,
    opportunities,
    opportunity_daily,
    promotion_daily,
    promotion_deliveries,
    promotion_triggers,
    promotions,
    review_requests,
)

__all__ = [
    "POLLUTANTS",
    "SCHEMA",
    "achievements",
    "challenge_solves",
    "competitor_totals",
    "competitors",
    "completed_jobs",
    "current_day",
    "customer_achievements",
    "customers",
    "daily_statistics",
    "email_queue",
    "external_records",
    "item_failures",
    "locations",
    "loyalty_tiers",
    "measurements",
    "offers",
    "opportunities",
    "opportunity_daily",
    "outbound_jobs",
    "points_ledger",
    "portal_daily",
    "portal_events",
    "portal_sessions",
    "profiles",
    "promotion_daily",
    "promotion_deliveries",
    "promotion_triggers",
    "promotions",
    "referrals",
    "reports",
    "review_requests",
    "streamings",
    "sync_cursors",
    "tier_changes",
]
