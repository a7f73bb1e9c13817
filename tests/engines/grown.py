"""Accounts with a long history, written as the ledger writes them but twenty entries at a time."""

import secrets
from dataclasses import replace

from pointbook.domain.account import Account
from pointbook.domain.chain import chain_entries
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.entry import Entry
from pointbook.domain.ports import AccountWrite, Committed, Write
from pointbook.domain.state import State
from pointbook.ledger.ledger import ENTRIES_PER_WRITE_MAX
from pointbook.store.dynamodb import DynamoStore
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER, NOON
from tests.support.ledgers import FLOW, MONTH

_PAIR: list[Command] = [Grant(2, MONTH), Consume(1)]
_COMMANDS = _PAIR * (ENTRIES_PER_WRITE_MAX // 2)


def grow(store: DynamoStore, entries: int, customer_id: str = CUSTOMER) -> Account:
    """Write an account with so many entries, in turn a grant and a consumption; returns it."""
    account = Account(customer_id, account_id=secrets.token_hex(8))
    for _ in range(entries // ENTRIES_PER_WRITE_MAX):
        before, booked = account, list[Entry]()
        for command in _COMMANDS:
            decision = decide(State(account), command, NOON)
            assert isinstance(decision, Decision)
            account = decision.account
            booked += decision.entries
        chained = chain_entries(booked, before.account_id, before.head, FLOW, None)
        account = replace(account, revision=before.revision + 1, head=chained[-1].entry_hash)
        assert store.commit(Write(SHOP, (AccountWrite(account, chained),))) == Committed()
    return account
