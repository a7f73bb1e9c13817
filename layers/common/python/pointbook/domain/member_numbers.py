"""Member numbers: how a till knows a customer, by the programme's rule `member_number`."""

import re
from dataclasses import dataclass

_DIGITS = "digits"
_PREFIX, _METAFIELD = "prefix:", "metafield:"

PREFIX_LENGTH_MAX = 44
"""With the up to 20 digits of a customer's id a number has at most 64 characters."""

_PREFIX_TEXT = rf"[A-Za-z0-9_+-]{{1,{PREFIX_LENGTH_MAX}}}"
_NAME = r"([A-Za-z0-9_-]{3,255})\.([A-Za-z0-9_-]{2,64})"
"""Namespace and key (https://shopify.dev/docs/api/admin-graphql/latest/objects/Metafield)."""

_NUMBER = r"[A-Za-z0-9_+-]{1,64}"


@dataclass(frozen=True, slots=True)
class Metafield:
    """The name of a customer's metafield in Shopify."""

    namespace: str
    key: str

    def __str__(self) -> str:
        """As `namespace.key`."""
        return f"{self.namespace}.{self.key}"


@dataclass(frozen=True, slots=True)
class MemberNumberRule:
    """A metafield of the customer, or `prefix` and the digits of the customer's id."""

    prefix: str = ""
    metafield: Metafield | None = None

    def number(self, customer_id: str) -> str | None:
        """Return a customer's number; None if only the metafield has it."""
        return None if self.metafield else checked_number(self.prefix + customer_id)


def checked_number(text: str) -> str | None:
    """Return a member number as it is, None if it is none.

    It has 1 to 64 ASCII letters, digits, `_`, `+` or `-`, so that it means the same in a till's
    address, search and table.
    """
    return text if re.fullmatch(_NUMBER, text) else None


def parse_member_number(text: str) -> MemberNumberRule:
    """Parse `digits`, `prefix:TEXT` or `metafield:namespace.key`. Raises ValueError."""
    if text == _DIGITS:
        return MemberNumberRule()
    prefix = text.removeprefix(_PREFIX)
    if prefix != text and re.fullmatch(_PREFIX_TEXT, prefix):
        return MemberNumberRule(prefix)
    name = re.fullmatch(_NAME, text.removeprefix(_METAFIELD))
    if text.startswith(_METAFIELD) and name:
        return MemberNumberRule(metafield=Metafield(name[1], name[2]))
    raise ValueError(
        f"{text!r} is not a rule for member numbers; give {_DIGITS}, {_PREFIX} and up to "
        f"{PREFIX_LENGTH_MAX} letters, digits, _, + or -, as in {_PREFIX}EC-, or "
        f"{_METAFIELD}namespace.key, as in {_METAFIELD}custom.member_number"
    )


def member_number_text(rule: MemberNumberRule) -> str:
    """Return a rule as `parse_member_number` reads it."""
    if rule.metafield:
        return f"{_METAFIELD}{rule.metafield}"
    return f"{_PREFIX}{rule.prefix}" if rule.prefix else _DIGITS
