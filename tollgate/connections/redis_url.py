"""Checks URLs of Redis; one may hold a password, also in a wrong place: no message repeats any."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

CLUSTER: Final = "cluster"
AUTH: Final = "auth"

_SCHEMES: Final = ("redis", "rediss", "unix")
_OPTIONS: Final = (
    AUTH,
    CLUSTER,
    "db",
    "ssl_ca_certs",
    "ssl_cert_reqs",
    "ssl_certfile",
    "ssl_check_hostname",
    "ssl_keyfile",
)


def check_redis_url(url: str) -> None:
    """Make sure that redis-py will understand a URL as we do.

    Raises:
        ValueError: The URL cannot be used; the message says why and does not repeat it.
    """
    try:
        parts = urlsplit(url)
        problem = _problem(parts) or _problem_of_options(parts)
    except ValueError:
        problem = (
            "its host or port cannot be read (in a password, write / as %2F, @ as %40, # as %23)"
        )
    if problem:
        raise ValueError(
            f"the Redis URL cannot be used: {problem}."
            " Write redis://HOST:PORT, rediss://:PASSWORD@HOST:PORT or unix:///PATH"
        ) from None


def _problem(parts: SplitResult) -> str | None:
    is_unix = parts.scheme == "unix"
    database = parts.path.strip("/")
    found = {
        f"it begins with none of {_SCHEMES}": parts.scheme not in _SCHEMES,
        "it has a #; in a password, write it as %23": bool(parts.fragment),
        "it has no path": is_unix and not database,
        "it has no host": not is_unix and not parts.hostname,
        "its port is 0": not is_unix and parts.port == 0,
        "its database is not a number": not is_unix and not database.isdecimal() and database != "",
    }
    return _first(found)


def _problem_of_options(parts: SplitResult) -> str | None:
    options = parse_qs(parts.query, keep_blank_values=True)
    is_cluster = options.get(CLUSTER, ["false"]) == ["true"]
    database = options.get("db", [parts.path.strip("/")])[-1]
    found = {
        f"it has an option that is none of {_OPTIONS}": not options.keys() <= set(_OPTIONS),
        "cluster is neither true nor false": options.get(CLUSTER, ["true"])
        not in (["true"], ["false"]),
        "a cluster has no unix socket": is_cluster and parts.scheme == "unix",
        "a cluster has one database, 0": is_cluster and database not in ("", "0"),
        "auth is not entra": options.get(AUTH, ["entra"]) != ["entra"],
        "auth=entra needs TLS: write rediss://": AUTH in options and parts.scheme != "rediss",
        "auth=entra takes no user or password": AUTH in options and "@" in parts.netloc,
    }
    return _first(found)


def _first(found: dict[str, bool]) -> str | None:
    return next((problem for problem, is_there in found.items() if is_there), None)
