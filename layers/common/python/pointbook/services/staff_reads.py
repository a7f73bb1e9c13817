"""A customer's history as the shop's staff read it: an operator's, without names of AWS roles."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pointbook.services.account_reads import AccountReads

_OPERATOR = re.compile(
    r"(?:assumed-role|federated-user|user)/(?:\S+/)?([^/\s]+)((?: for .*)?)", re.DOTALL
)
"""An operator as entries name them, such as `assumed-role/PointbookOperator/hanako for Taro`."""


def history_for_staff(
    reads: "AccountReads", shop: str, customer_id: str, limit: int, cursor: int, *, own: bool
) -> dict[str, Any]:
    """Return the body of `GET /staff/customers/{customer}/history`. Raises LedgerUnavailable."""
    history = reads.history(shop, customer_id, limit, cursor, own=own)
    entries = [one | {"actor": shown_actor(one["actor"])} for one in history["entries"]]
    return history | {"entries": entries}


def shown_actor(actor: str) -> str:
    """Return who acted as the staff may know them: of an operator the name, `operator:hanako`.

    The rest of an operator's name is how the AWS account is set up, which no page has to know.
    """
    found = _OPERATOR.fullmatch(actor)
    return f"operator:{found[1]}{found[2]}" if found else actor
