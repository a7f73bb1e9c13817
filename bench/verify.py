"""python -m bench.verify [ENTRIES]: time, read units and memory of verifying a whole table.

On AWS's DynamoDB Local, with accounts of 20 entries each; 100,000 entries unless another number is
given. Units are what DynamoDB counts. Most of the seconds are the emulator's, which reads its whole
file for each page; those of our own processor are given beside them.
"""

import os
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import batched
from pathlib import Path

from pointbook.aws.metered import MeteredClient
from pointbook.clock import SystemClock
from pointbook.domain.account import Account
from pointbook.domain.chain import Text, chain_entries
from pointbook.domain.commands import Command, Consume, Grant
from pointbook.domain.decide import decide
from pointbook.domain.decision import Decision
from pointbook.domain.entry import Entry
from pointbook.domain.state import State
from pointbook.services.verification import Fault, Verification
from pointbook.store import items
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from pointbook.store.values import Item
from tests.support.engine import DYNAMODB_LOCAL, REGION, SHOP, connected, opened
from tests.support.examples import NOON
from tests.support.ledgers import FLOW, MONTH
from tests.support.servers import dynamodb_local

ENTRIES = 100_000
_EACH = 20
_COMMANDS: list[Command] = [Grant(2, MONTH), Consume(1)] * (_EACH // 2)


def accounts(entries: int) -> Iterator[Item]:
    """The items of accounts with so many entries together."""
    for number in range(entries // _EACH):
        account = Account(str(8_840_734_000_000 + number), account_id=secrets.token_hex(8))
        booked = list[Entry]()
        for command in _COMMANDS:
            decision = decide(State(account), command, NOON)
            assert isinstance(decision, Decision)
            account = decision.account
            booked += decision.entries
        text = Text("A gift of the shop", secrets.token_hex(16))
        chained = chain_entries(booked, account.account_id, "", FLOW, text)
        account = replace(account, revision=1, head=chained[-1].entry_hash)
        yield items.account_item(SHOP, account)
        yield from (items.entry_item(SHOP, one) for one in chained)


def main(entries: int) -> None:
    """Write the entries, verify them, and print what it took."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": REGION,
    }
    with tempfile.TemporaryDirectory() as directory, dynamodb_local(Path(directory)) as url:
        engine = opened(DYNAMODB_LOCAL, connected(url))
        table, began = Table(engine.client, engine.table), time.monotonic()
        for batch in batched(accounts(entries), 25, strict=False):
            assert not table.batch_put(batch)
        print(f"{entries:,} entries written in {time.monotonic() - began:,.0f} s", flush=True)
        before_mb = _memory_mb()
        clock, faults = SystemClock(), list[Fault]()
        reader = LedgerReader(MeteredClient(engine.client, clock), engine.table, clock)
        verification = Verification(reader, PrivacyRequests(table), faults.append)
        processor = time.process_time()
        found = verification.everything(None, lambda _: None)
        processor = time.process_time() - processor
        print(
            f"{found.accounts:,} accounts, {found.entries:,} entries, {len(faults)} faults:"
            f" {found.seconds:,.1f} s, {processor:,.1f} s of them ours,"
            f" {found.units:,.0f} read units, {_memory_mb() - before_mb:,.0f} MB more memory"
        )
        assert not faults


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ENTRIES)
