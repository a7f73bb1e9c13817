"""What `pointbook verify` finds in a table, for tests whose subject is something else."""

from typing import Any

from pointbook.aws.metered import MeteredClient
from pointbook.services.verification import Fault, Verification, VerificationResult
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.privacy_requests import PrivacyRequests
from pointbook.store.table import Table
from tests.support.ledgers import SetClock
from tests.support.table import TABLE


def verification(
    client: Any, table: str, faults: list[Fault], rate: float | None = None
) -> Verification:
    """A verification of a table that adds its faults to a list."""
    clock = SetClock()
    reader = LedgerReader(MeteredClient(client, clock, rate), table, clock)
    return Verification(reader, PrivacyRequests(Table(client, table)), faults.append)


def verified(client: Any, table: str = TABLE) -> tuple[VerificationResult, list[Fault]]:
    """What was verified, and all faults."""
    faults: list[Fault] = []
    return verification(client, table, faults).everything(None, lambda _: None), faults


def faults_in(client: Any, table: str = TABLE) -> list[Fault]:
    """All faults in a table."""
    return verified(client, table)[1]
