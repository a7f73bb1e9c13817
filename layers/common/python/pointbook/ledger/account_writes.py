"""Chains the entries of a decision to an account."""

from dataclasses import replace

from pointbook.domain.account import Account
from pointbook.domain.chain import Cause, Text, chain_entries
from pointbook.domain.decision import Decision
from pointbook.domain.ports import AccountWrite

TIME = Cause(source="time")
"""The cause of what falls due."""


def account_write(
    before: Account, decision: Decision, cause: Cause, text: Text | None
) -> AccountWrite:
    """The account with its entries chained; what fell due has the cause `TIME`.

    A causing entry of another account is left out: its id contains that customer's, and an erasure
    searches the customer's own account only. The depth is kept.
    """
    if not cause.cause_entry_id.startswith(f"{before.customer_id}-"):
        cause = replace(cause, cause_entry_id="")
    due = chain_entries(
        decision.entries[: decision.settled], before.account_id, before.head, TIME, None
    )
    head = due[-1].entry_hash if due else before.head
    own = chain_entries(decision.command_entries, before.account_id, head, cause, text)
    head = own[-1].entry_hash if own else head
    return AccountWrite(replace(decision.account, head=head), (*due, *own))
