"""Which of the page's two languages a request asks for."""

import re
from typing import Literal

Locale = Literal["en", "ja"]

_LOCALES: tuple[Locale, ...] = ("en", "ja")
# RFC 9110, 12.4.2: 0 to 1 with at most three decimals.
_QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")
_HEADER_LIMIT_CHARACTERS = 1_000


def choose_locale(asked: str | None, accept_language: str | None, default: str) -> Locale:
    """`?locale=` if it names a language of the page, else the best of Accept-Language, else usual.

    Regions do not matter: `ja-JP` is Japanese. Of languages equally welcome the first is taken.
    """
    if asked is not None and (locale := _spoken(asked)):
        return locale
    return _best_accepted(accept_language or "", _spoken(default) or "en")


def _best_accepted(header: str, default: Locale) -> Locale:
    best, best_quality = default, 0.0
    for part in header[:_HEADER_LIMIT_CHARACTERS].split(","):
        language, _, parameters = part.partition(";")
        locale = default if language.strip() == "*" else _spoken(language)
        quality = _quality(parameters)
        if locale and quality > best_quality:
            best, best_quality = locale, quality
    return best


def _spoken(tag: str) -> Locale | None:
    """The page's language for a tag such as `ja`, `ja-JP` or `en_GB`; None for any other."""
    language = re.split("[-_]", tag.strip().lower(), maxsplit=1)[0]
    return next((locale for locale in _LOCALES if locale == language), None)


def _quality(parameters: str) -> float:
    """The q of `;q=0.8`: 1 when there is none, 0 (not wanted) when it cannot be read."""
    name, equals, value = parameters.strip().partition("=")
    if not equals:
        return 1.0
    if name.strip().lower() != "q" or not _QUALITY.fullmatch(value.strip()):
        return 0.0
    return float(value)
