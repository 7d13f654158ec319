"""Where the sandbox listens, for those who start it and those who look for it; cheap to import."""

from urllib.parse import quote

#: Whatever CALLBOARD_HOST says: the sandbox takes a token that everybody knows.
HOST = "127.0.0.1"
#: Who logs in to its mail; the password is its token.
MAIL_USER = "sandbox"


def http_url(port: int) -> str:
    """The address of its services, each under a path of its own."""
    return f"http://{HOST}:{port}"


def smtp_url(port: int, token: str) -> str:
    """The address of its mail, with the login that it wants."""
    return f"smtp://{MAIL_USER}:{quote(token, safe='')}@{HOST}:{port}"
