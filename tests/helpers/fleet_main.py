"""Run as a program: a fleet that takes others for dead after seconds instead of minutes.

Arguments: a JSON object of `run`'s parameters, and of `heartbeat_timeout` (ms), `round` (s), `lease` (ms).
"""

import json
import sys

from callboard.core.settings import load_settings
from callboard.middleware import keeper, mutex
from callboard.middleware.broker import Broker
from callboard.worker.process import run


def main() -> int:
    options = json.loads(sys.argv[1])
    defaults = Broker.__init__.__kwdefaults__
    assert defaults is not None
    defaults["heartbeat_timeout"] = options.pop("heartbeat_timeout", defaults["heartbeat_timeout"])
    keeper.ROUND = options.pop("round", keeper.ROUND)
    mutex.LEASE = options.pop("lease", mutex.LEASE)
    return run(load_settings(), **options)


if __name__ == "__main__":
    sys.exit(main())
