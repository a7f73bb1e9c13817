"""Verifies the ledger: every partition is compared with what it must agree with.

Writes go on meanwhile, so whatever looks wrong is read again until nothing has changed between two
reads of its account; only what is wrong then is a fault. One partition is in memory at a time, and
of it only what has to be compared.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import date
from random import SystemRandom
from typing import Protocol

from pointbook import log
from pointbook.domain.ports import StoreUnavailable
from pointbook.domain.privacy import Kind, State
from pointbook.domain.reconcile import Damage, Finding
from pointbook.domain.records import NO_RECORDS, RecordComparison, Records
from pointbook.errors import LedgerUnavailable, Unavailable
from pointbook.store import keys
from pointbook.store.ledger_reader import LedgerReader
from pointbook.store.partition_checks import AccountCheck, Check
from pointbook.store.privacy_requests import PrivacyRequests

ATTEMPTS = 5
"""How often a partition that looks wrong is read again while it is being written."""

REFERENCE_BATCH = 100
"""References that are read in one call."""

SAMPLE_PAGE_ITEMS = 200

_RANDOM = SystemRandom().randrange


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and the entry version where it is (0: not in an entry)."""

    shop: str
    customer_id: str
    kind: str
    version: int
    what: str


@dataclass(slots=True)
class VerificationResult:
    """What was verified. Not `complete`: units or seconds were used up before the end."""

    accounts: int = 0
    entries: int = 0
    faults: int = 0
    items: int = 0
    units: float = 0.0
    seconds: float = 0.0
    complete: bool = True


@dataclass(frozen=True, slots=True)
class SampleResult:
    """The result of a sample. Not `complete`: there is more in the table than was looked at."""

    accounts: int
    entries: int
    faults: int
    complete: bool


type Report = Callable[[Fault], None]


class Names(Protocol):
    """Whose an account was on a day. Raises Unavailable."""

    def customers(self, shop: str, day: date, account_ids: Iterable[str]) -> dict[str, str]:
        """The customers of accounts that had heads on a day, as far as they are known."""
        ...

    def accounts(self, shop: str, days: Iterable[date], customer_id: str) -> set[str]:
        """All accounts that a customer had on these days; more than one if one was replaced."""
        ...


class Verification:
    """One run over a table. Raises LedgerUnavailable while the table cannot be reached."""

    def __init__(
        self,
        reader: LedgerReader,
        requests: PrivacyRequests,
        report: Report,
        records: Records = NO_RECORDS,
        names: Names | None = None,
    ) -> None:
        """Read by `reader`; `report` gets each fault as it is found.

        `records` are those of the reader, and `names` says whose accounts they name.
        """
        self._reader = reader
        self._requests = requests
        self._report = report
        self._records = records
        self._names = names
        self._met = RecordComparison(records)
        self._result = VerificationResult()
        self._waiting: list[Check] = []
        self._references = 0

    def everything(self, shop: str | None, progress: Callable[[int], None]) -> VerificationResult:
        """Verify all shops, or one; `progress` gets the number of items read so far."""

        def on_page(items: int) -> bool:
            self._result.items = items
            progress(items)
            return True

        for partition in self._reader.partitions(on_page=on_page):
            if partition.check is not None and shop in (None, partition.check.shop):
                self._add(partition.check)
        self._compare()
        self._compare_records([one for one in self._records.shops() if shop in (None, one)])
        return self._finished()

    def customer(self, shop: str, customer_id: str) -> VerificationResult:
        """Verify one customer's account."""
        check = self._reader.account_check(shop, customer_id)
        self._add(check)
        self._compare()
        self._compare_name(check)
        return self._finished()

    def sample(self, after: tuple[str, str], units: float, seconds: float) -> VerificationResult:
        """Verify from somewhere in the table on, and around its end, within these limits.

        A partition that is larger than what is left of them is not verified.
        """

        def on_page(items: int) -> bool:
            self._result.items = read_before + items
            in_time = self._reader.units < units and self._reader.seconds < seconds
            self._result.complete = self._result.complete and in_time
            return in_time

        first, read_before = "", 0
        for begin in (after, None):
            read_before = self._result.items
            for partition in self._reader.partitions(begin, SAMPLE_PAGE_ITEMS, on_page):
                if not self._result.complete or partition.key == first:
                    break
                first = first or partition.key
                if partition.check is not None:
                    self._add(partition.check)
        return self._finished()

    def _add(self, check: Check) -> None:
        if isinstance(check, AccountCheck):
            self._result.accounts += check.account is not None
            self._result.entries += check.entries
            self._met.take(check.shop, check.account_name, check.sums)
        self._waiting.append(check)
        self._references += sum(1 for _ in check.references())
        if self._references >= REFERENCE_BATCH or len(self._waiting) >= REFERENCE_BATCH:
            self._compare()

    def _compare(self) -> None:
        waiting, self._waiting, self._references = self._waiting, [], 0
        found = self._reader.referenced(key for one in waiting for key in one.references())
        for check in waiting:
            if check.findings(found):
                self._report_all(check, self._confirmed(check))

    def _confirmed(self, check: Check) -> list[Finding]:
        """What is wrong with a partition while nobody writes it.

        If it is written all the time: what is wrong in the same words each time.
        """
        each_time: list[list[Finding]] = []
        for _ in range(ATTEMPTS):
            try:
                fresh = self._reader.again(check)
                found = fresh.findings(self._reader.referenced(fresh.references(), fresh=True))
            except StoreUnavailable as error:
                raise LedgerUnavailable(retry_after_seconds=1) from error
            if not found or self._reader.is_unchanged(fresh):
                return found
            each_time.append(found)
        return [one for one in each_time[0] if all(one in found for found in each_time)]

    def _compare_records(self, shops: list[str]) -> None:
        """Report what a reading of everything misses; what is missed twice is missing."""
        if not any(self._met.gone(shop) or self._met.differences(shop) for shop in shops):
            return
        again = RecordComparison(self._records)
        for partition in self._reader.partitions():
            if isinstance(check := partition.check, AccountCheck):
                again.take(check.shop, check.account_name, check.sums)
        for shop in shops:
            gone = self._met.gone(shop) & again.gone(shop)
            self._report_gone(shop, gone)
            differ = self._met.differences(shop) & again.differences(shop)
            for day, which in sorted(differ):
                what = f"the statement of {day} does not close with what the entries say: {which}"
                self._report_one(shop, "", Finding(Damage.STATEMENT, 0, what))

    def _compare_name(self, check: AccountCheck) -> None:
        """Report the accounts that a customer had, and has no more."""
        heads, shop = self._records.heads, check.shop
        if self._names is None or (check.account is not None and check.account.erased):
            return
        names = self._names.accounts(shop, heads.days(shop), check.customer_id)
        self._report_gone(shop, names & heads.accounts(shop) - {check.account_name})

    def _report_gone(self, shop: str, account_ids: set[str]) -> None:
        heads = self._records.heads
        customers, unread = self._customers(shop, account_ids)
        for one in sorted(account_ids):
            entries = max(version for version, _ in heads.of(shop, one))
            day = heads.last_day(shop, one)
            what = f"account {one} had {entries} entries on {day}, and there is no such account now"
            self._report_one(shop, customers.get(one, ""), Finding(Damage.GONE, 0, what + unread))

    def _customers(self, shop: str, account_ids: set[str]) -> tuple[dict[str, str], str]:
        """Whose accounts were, as far as that is known, and what is to be said of it."""
        found: dict[str, str] = {}
        if self._names is None or not account_ids:
            return found, ""
        try:
            for day in {self._records.heads.last_day(shop, one) for one in account_ids}:
                found |= self._names.customers(shop, day, account_ids)
        except Unavailable:
            return found, "; whose it was cannot be read now"
        return found, ""

    def _report_all(self, check: Check, findings: list[Finding]) -> None:
        for one in findings:
            self._report_one(check.shop, check.customer_id, one)

    def _report_one(self, shop: str, customer_id: str, found: Finding) -> None:
        if self._is_being_erased(shop):
            return
        self._result.faults += 1
        self._report(Fault(shop, customer_id, found.damage, found.version, found.message))

    def _is_being_erased(self, shop: str) -> bool:
        """Whether the shop's items are being deleted just now, in no order."""
        request = self._requests.find(Kind.SHOP, shop, shop)
        return request is not None and request.state is State.OPEN

    def _finished(self) -> VerificationResult:
        self._compare()
        self._result.units = round(self._reader.units, 1)
        self._result.seconds = round(self._reader.seconds, 1)
        return self._result


def verify_sample(
    verification: Verification,
    shop: str,
    limits: tuple[float, float],
    random: Callable[[int], int] = _RANDOM,
) -> SampleResult:
    """Verify a random stretch of the table within units and seconds; count the faults.

    DynamoDB orders partitions by a hash of their keys, so a stretch is a random sample.
    """
    after = keys.customer(shop, str(random(10**13)))
    verified = verification.sample((after, keys.ACCOUNT), *limits)
    log.info("sample_verified", **asdict(verified))
    log.metric("LedgerFaults", verified.faults)
    return SampleResult(verified.accounts, verified.entries, verified.faults, verified.complete)


def log_fault(fault: Fault) -> None:
    """Log a fault by its ids: what is wrong in words may quote what is stored."""
    log.error(
        "ledger_fault",
        shop=fault.shop,
        customer_id=fault.customer_id,
        kind=fault.kind,
        version=fault.version,
    )
