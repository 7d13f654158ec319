"""The connection pool that the jobs of this process share."""

import os
from functools import cache

from sqlalchemy import Engine

from callboard.core.errors import BadSettings
from callboard.core.settings import load_settings
from callboard.storage.engine import make_engine


def engine() -> Engine:
    """The pool on the database that the settings name, made on first use.

    Raises:
        BadSettings: they name none.
    """
    url = load_settings().database_url
    if not url:
        raise BadSettings("This job needs PostgreSQL, and DATABASE_URL is not set; set it for the workers.")
    return _pool(url, os.getpid())


@cache
def _pool(url: str, _pid: int) -> Engine:
    # One for each process: a pool that came through a fork would share its sockets with the parent.
    return make_engine(url, application_name="callboard job", pool_size=2)
