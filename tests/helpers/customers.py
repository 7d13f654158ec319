"""Customers for tests."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

from sqlalchemy import Engine, insert

from callboard.storage.tables.business import customers

AddCustomer = Callable[..., int]


def customer_adder(engine: Engine) -> AddCustomer:
    """Adds customers who have consented to everything, with these columns otherwise."""
    numbers = count(1)

    def add(**columns: Any) -> int:
        number = next(numbers)
        since = datetime(2026, 1, 1, tzinfo=UTC)
        values = {
            "name": f"Customer {number}",
            "email": f"customer{number}@example.org",
            "phone": f"+3361{number:07}",
            "referral_code": f"CODE{number}",
            "whatsapp_consent_at": since,
            "email_consent_at": since,
            "marketing_consent_at": since,
        } | columns
        with engine.begin() as connection:
            return connection.execute(insert(customers).values(values).returning(customers.c.id)).scalar_one()

    return add
