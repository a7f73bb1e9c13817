"""Digests of customers' tags: the tags themselves are personal data and stored nowhere."""

from hashlib import sha256

_DIGITS = 16


def tag_digest(tag: str) -> str:
    """Sixteen hexadecimal digits; case and surrounding blanks of the tag make no difference."""
    return sha256(tag.strip().casefold().encode()).hexdigest()[:_DIGITS]
