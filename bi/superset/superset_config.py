"""Superset's settings, over its defaults. Superset reads this file; it holds no secret.

SUPERSET_HOME, which `server` makes, holds what differs per installation: the metadata database and
the key that signs sessions.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

HOME = Path(os.environ["SUPERSET_HOME"])

SECRET_KEY = (HOME / "secret_key").read_text(encoding="utf-8").strip()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME / 'superset.db'}?check_same_thread=false"

# The chart of a figure above that of the period before is behind the first flag. With the second,
# a dataset knows which departments are chosen.
FEATURE_FLAGS = {"CHART_PLUGINS_EXPERIMENTAL": True, "ENABLE_TEMPLATE_PROCESSING": True}

# The browser fetches nothing from anywhere else: no telemetry pixels, fonts or maps.
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}


def DB_CONNECTION_MUTATOR(  # noqa: N802 - the name is Superset's
    uri: Any, params: dict[str, Any], *_: Any
) -> tuple[Any, dict[str, Any]]:
    """Let every query open the release that is current when it starts.

    DuckDB keeps one instance for each path in a process: while a query of the old release runs,
    another one of the same path would see the old release too, whatever the link points to by
    now. With the release's own path it does not.
    """
    if uri.drivername == "duckdb" and uri.database not in (None, ":memory:"):
        uri = uri.set(database=os.path.realpath(uri.database))
    return uri, params
