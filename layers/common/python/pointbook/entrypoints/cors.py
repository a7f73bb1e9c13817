"""Cross-origin resource sharing (CORS): which pages may read an answer, and which with a cookie.

The functions answer for themselves, preflights included, because the CORS configuration of an HTTP
API knows one rule for all origins: docs/decisions/0051-functions-answer-cors-themselves.md.
"""

from collections.abc import Mapping, Set

from pointbook.entrypoints.response import EXPOSED_HEADERS, Response

PREFLIGHT_METHOD = "OPTIONS"
PREFLIGHT_SECONDS = 7200
"""How long a browser may cache a preflight: the most that Chromium does."""

ALLOWED_METHODS = ("GET", "POST", "DELETE")
ALLOWED_HEADERS = ("authorization", "content-type", "idempotency-key", "accept-language")


def cors_headers(origin: str | None, allowed_origins: Set[str]) -> Mapping[str, str]:
    """Return the headers for a page of `origin`.

    An allowed origin may read with its customer's cookie. Any other one may read without
    credentials, so only what its own token shows; that includes `null`, the origin of extensions.
    """
    allowed = {"Access-Control-Allow-Origin": "*"}
    if origin is not None and origin in allowed_origins:
        allowed = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
        }
    return {
        **allowed,
        "Access-Control-Expose-Headers": ", ".join(EXPOSED_HEADERS),
        "Timing-Allow-Origin": "*",
        "Vary": "Origin",
    }


def preflight() -> Response:
    """Return the answer to a browser that asks what a page may send; no customer is in it."""
    headers = {
        "Access-Control-Allow-Methods": ", ".join(ALLOWED_METHODS),
        "Access-Control-Allow-Headers": ", ".join(ALLOWED_HEADERS),
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return Response(204, "", headers)
