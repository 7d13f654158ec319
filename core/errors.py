"""Every error that a user may see, in one tree.

CallboardError
├── BadInput            what was asked for makes no sense as asked          (400)
│   ├── BadSchedule     a cron expression or time zone is refused           (400)
│   └── BadSettings     a setting in the environment is wrong               (exit 2)
├── NotAllowed          the caller is known, and may not                    (403)
├── NotAuthenticated    the caller is not known                             (401)
├── NotFound            no job, run or schedule of that name                (404)
├── Conflict            it cannot be done in the present state              (409)
│   ├── Disabled        the job is switched off                             (423)
│   └── Outdated        it was changed since the caller has looked at it    (412)
└── Unavailable         a server that this needs does not answer            (503)

The message is one sentence: what was wrong, where, and what to do.
"""

#: The exit code of a command, or a process, that ends with an error that nobody foresaw.
BUG = 70


class CallboardError(Exception):
    """Something went wrong that the user can understand and act upon."""

    #: The HTTP status that stands for this error.
    status = 500
    #: The exit code of a command that ends with this error.
    exit_code = 1


class BadInput(CallboardError, ValueError):
    status = 400
    exit_code = 2


class BadSchedule(BadInput):
    pass


class BadSettings(BadInput):
    pass


class NotAuthenticated(CallboardError):
    status = 401


class NotAllowed(CallboardError):
    status = 403


class NotFound(CallboardError, LookupError):
    status = 404


class Conflict(CallboardError):
    status = 409


class Disabled(Conflict):
    status = 423


class Outdated(Conflict):
    status = 412


class Unavailable(CallboardError):
    status = 503
