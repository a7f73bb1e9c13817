"""Tags of customers, known by a digest alone: what a tag says about somebody is kept nowhere."""

from hashlib import sha256

_DIGITS = 16


def tag_digest(tag: str) -> str:
    """Sixteen hexadecimal digits; the same however the tag is cased and whatever blanks it has."""
    return sha256(tag.strip().casefold().encode()).hexdigest()[:_DIGITS]
