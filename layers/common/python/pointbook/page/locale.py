"""The language of a response, chosen from a request."""

import re
from typing import Literal

Locale = Literal["en", "ja"]

LOCALES: tuple[Locale, ...] = ("en", "ja")
"""The languages of answers and pages."""

# RFC 9110, 12.4.2: 0 to 1 with at most three decimals.
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_HEADER_CHARS_MAX = 1_000


def choose_locale(requested: str | None, accept_language: str | None, default: str) -> Locale:
    """Return `requested` (`?locale=`) if supported, else the best of Accept-Language, else default.

    Regions do not matter: `ja-JP` is Japanese. Of equal qualities the first counts.
    """
    if requested is not None and (locale := _supported(requested)):
        return locale
    return _best_accepted(accept_language or "", _supported(default) or "en")


def _best_accepted(header: str, default: Locale) -> Locale:
    best, best_quality = default, 0.0
    for part in header[:_HEADER_CHARS_MAX].split(","):
        language, _, parameters = part.partition(";")
        locale = default if language.strip() == "*" else _supported(language)
        quality = _quality(parameters)
        if locale and quality > best_quality:
            best, best_quality = locale, quality
    return best


def _supported(tag: str) -> Locale | None:
    """Return the locale of a language tag such as `ja`, `ja-JP` or `en_GB`; None for any other."""
    language = re.split("[-_]", tag.strip().lower(), maxsplit=1)[0]
    return next((locale for locale in LOCALES if locale == language), None)


def _quality(parameters: str) -> float:
    """Return the q of `;q=0.8`: 1 if there is none, 0 (not acceptable) if it is malformed."""
    name, equals, value = parameters.strip().partition("=")
    if not equals:
        return 1.0
    if name.strip().lower() != "q" or not _QUALITY.fullmatch(value.strip()):
        return 0.0
    return float(value)
