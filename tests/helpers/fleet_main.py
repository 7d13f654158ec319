"""Run as a program: a fleet that takes others for dead after seconds instead of minutes.

Arguments: a JSON object of `run`'s parameters, and of `heartbeat_timeout` (ms), `round` (s), `lease` (ms).
"""

import json
import sys

from callboard.core.settings import load_settings
from callboard.middleware import keeper, mutex
from callboard.worker.process import run


def main() -> int:
    options = json.loads(sys.argv[1])
    settings = load_settings()
    # Not checked: it is below what the setting allows.
    timeout = options.pop("heartbeat_timeout", settings.callboard_worker_timeout)
    settings = settings.model_copy(update={"callboard_worker_timeout": timeout})
    keeper.ROUND = options.pop("round", keeper.ROUND)
    mutex.LEASE = options.pop("lease", mutex.LEASE)
    return run(settings, **options)


if __name__ == "__main__":
    sys.exit(main())
