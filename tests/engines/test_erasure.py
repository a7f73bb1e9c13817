"""An erased customer is gone, and no sum has changed, wherever the erasure was interrupted."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import Any
from unittest.mock import ANY

import pytest

from pointbook.clock import SystemClock
from pointbook.domain.account import Account
from pointbook.domain.buckets import Balances
from pointbook.domain.chain import Cause
from pointbook.domain.commands import UpdateOrder
from pointbook.domain.erase import is_pseudonym
from pointbook.domain.orders import Goods, OrderUpdate
from pointbook.domain.ports import ReadRequest
from pointbook.domain.privacy import Kind, State
from pointbook.domain.reconcile import reconcile
from pointbook.domain.refusal import Code, Refusal
from pointbook.errors import LedgerUnavailable
from pointbook.ledger.instruction import Booked
from pointbook.ledger.ledger import Ledger
from pointbook.store import items
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.faulty_dynamodb import At, Crash, Fault, faulty
from tests.fakes.meanwhile import Meanwhile
from tests.fakes.privacy import PrivacyDriver, everything, naming
from tests.support.engine import ALL, ISOLATED, MEMORY, SHOP, Engine, all_entries, opened
from tests.support.examples import CODE, CUSTOMER, HOLD_ID, ORDER, OTHER
from tests.support.ledgers import FLOW, MONTH, ONE_FOR_A_HUNDRED, LedgerDriver

SECRETS = ("Yamada Taro", "taro@example.com", "090-1234-5678")
MERGED = "7003"
TOMBSTONE = (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT")
PROOF = (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}")
EVERYWHERE = pytest.mark.parametrize("engine", ALL, indirect=True)
IN_MEMORY = pytest.mark.parametrize("engine", [MEMORY], indirect=True)


def live(engine: Engine) -> LedgerDriver:
    """A customer with all that one can have: texts, keys, an order, a merge, an open hold."""
    driver = LedgerDriver(engine)
    driver.grant(500, key=SECRETS[1], reason=f"Welcome {SECRETS[0]}")
    driver.grant(40, customer_id=OTHER, key="k", reason="not theirs")
    driver.grant(70, customer_id=MERGED, reason=SECRETS[2], key="m")
    cause = Cause("flow", "run-1", f"{CUSTOMER}-000000000001")
    driver.consume(30, key="again", reason=SECRETS[2], cause=cause)
    assert isinstance(driver.ledger.merge(SHOP, MERGED, CUSTOMER, FLOW), Booked)
    driver.update_order(
        updated_at=driver.clock.now(), goods=Goods(20_000), confirmed_at=driver.clock.now()
    )
    driver.hold(100)
    return driver


@pytest.fixture
def driver(engine: Engine) -> LedgerDriver:
    """Such a customer's ledger."""
    return live(engine)


def accounts(engine: Engine) -> list[Account]:
    return [items.account_of(item) for item in everything(engine) if item["sk"] == {"S": "ACCOUNT"}]


def shop_sums(engine: Engine) -> Counter[str]:
    """The buckets of the whole shop."""
    sums: Counter[str] = Counter()
    for account in accounts(engine):
        sums.update(account.balances._asdict())
    return sums


def pseudonym(engine: Engine, account_id: str) -> str:
    (name,) = [one.customer_id for one in accounts(engine) if one.account_id == account_id]
    return name


def must_be_erased(engine: Engine, before: Counter[str], privacy: PrivacyDriver) -> None:
    """All that is promised of an erasure that is done."""
    assert shop_sums(engine) == before
    for secret in SECRETS:
        assert naming(engine, secret) == set()
    children = {(f"SHOP#{SHOP}#CUSTOMER#{MERGED}", "ACCOUNT")}
    assert naming(engine, CUSTOMER) == {TOMBSTONE, PROOF}
    assert naming(engine, MERGED) == children
    for account in accounts(engine):
        entries = all_entries(engine.store(), account.customer_id)
        assert reconcile(account, entries) == []
        assert len(entries) == account.version
    request = privacy.requests.find(Kind.CUSTOMER, SHOP, CUSTOMER)
    assert request is not None
    assert (request.state, request.pseudonyms, request.order_ids) == (State.DONE, {}, ())


@EVERYWHERE
def test_an_erased_customer_is_gone_and_the_shops_sums_are_what_they_were(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    account, before = driver.account(), shop_sums(engine)

    privacy.redact(CUSTOMER, orders=(ORDER,))

    must_be_erased(engine, before, privacy)
    name = pseudonym(engine, account.account_id)
    assert is_pseudonym(name)
    assert not is_pseudonym(CUSTOMER)
    moved = driver.account(name)
    assert (moved.balances, moved.lots, moved.hold, moved.head, moved.version) == (
        account.balances,
        account.lots,
        account.hold,
        account.head,
        account.version,
    )


@IN_MEMORY
def test_an_order_that_no_entry_is_about_forgets_its_customer_too(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    update = OrderUpdate(updated_at=driver.clock.now(), goods=Goods(1))
    too_little = UpdateOrder("9005", update, ONE_FOR_A_HUNDRED, MONTH)
    assert driver.say(too_little) == Booked((), ANY)
    privacy.redact(CUSTOMER, orders=(ORDER, "9005"))
    assert naming(engine, CUSTOMER) == {TOMBSTONE, PROOF}


@IN_MEMORY
def test_the_files_of_a_customer_whose_number_begins_alike_stay(engine: Engine) -> None:
    privacy = PrivacyDriver(engine)
    for customer in (CUSTOMER, f"{CUSTOMER}0"):
        privacy.request_data(customer)
    privacy.redact(CUSTOMER)
    assert list(privacy.bucket.objects) == [f"data-requests/{SHOP}/{CUSTOMER}0/9.json"]


@IN_MEMORY
@pytest.mark.parametrize("erased", [CUSTOMER, MERGED])
def test_entries_of_others_that_an_entry_of_theirs_caused_do_not_name_them(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver, erased: str
) -> None:
    """A workflow answers one customer's change by a grant to another."""
    cause = Cause("flow", "run-2", f"{erased}-000000000001", depth=1)
    driver.grant(5, customer_id=OTHER, key="answer", cause=cause)
    privacy.redact(erased)
    others = {place for place in naming(engine, erased) if OTHER in place[0]}
    assert others == set()


@IN_MEMORY
def test_the_erased_customer_sees_zeros_and_is_refused(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.redact(CUSTOMER)

    for customer_id in (CUSTOMER, MERGED):
        assert driver.figures(customer_id) == {}
        assert driver.ledger.history(SHOP, customer_id, limit=9, before_version=10**9) == []
        for answer in (driver.grant(5, customer_id=customer_id), driver.grant(5, "again")):
            assert isinstance(answer, Refusal)
            assert answer.code is Code.CUSTOMER_ERASED
    merged = driver.ledger.merge(SHOP, OTHER, CUSTOMER, FLOW)
    assert isinstance(merged, Refusal)
    assert merged.code is Code.CUSTOMER_ERASED
    assert driver.figures(OTHER) == {"approved": 40, "total": 40, "lifetime": 40}


@IN_MEMORY
def test_orders_and_holds_go_on_with_the_account(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    """An issued code is captured, and a late cancellation reverses what the order had earned."""
    account_id = driver.account().account_id
    privacy.redact(CUSTOMER)
    name = pseudonym(engine, account_id)

    captured = driver.capture(60, order_id="9002", customer_id=name)
    cancelled = driver.say(_CANCELLATION, customer_id=name)

    assert isinstance(captured, Booked)
    assert isinstance(cancelled, Booked)
    assert driver.figures(name)["spent"] == 90
    assert driver.account(name).balances.reversed == 200
    assert driver.findings(name) == []


_CANCELLATION = UpdateOrder(ORDER, OrderUpdate(cancelled=True), ONE_FOR_A_HUNDRED, MONTH)


@IN_MEMORY
def test_what_is_due_stays_due_under_the_pseudonym(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    account_id = driver.account().account_id
    privacy.redact(CUSTOMER)
    driver.clock.pass_time(days=400)

    name = pseudonym(engine, account_id)
    stone, moved = (items.account_item(SHOP, driver.account(one)) for one in (CUSTOMER, name))
    assert not [attribute for attribute in stone if attribute.startswith("due_")]
    assert {"due_lot", "due_hold"} <= moved.keys()
    assert "total" not in driver.figures(name)


@IN_MEMORY
def test_erasing_twice_has_the_effect_of_once(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.redact(CUSTOMER)
    first = everything(engine)

    privacy.clock.pass_time(days=1)
    privacy.redact(CUSTOMER)
    privacy.watch()
    assert everything(engine) == first


@IN_MEMORY
def test_a_customer_without_points_is_erased_too_so_that_nothing_brings_it_back(
    engine: Engine,
) -> None:
    driver, privacy = LedgerDriver(engine), PrivacyDriver(engine)
    privacy.redact(CUSTOMER)

    late = driver.update_order(updated_at=driver.clock.now(), goods=Goods(20_000))
    assert isinstance(late, Refusal)
    assert late.code is Code.CUSTOMER_ERASED
    assert naming(engine, CUSTOMER) == {TOMBSTONE, PROOF}


@IN_MEMORY
def test_who_is_known_by_e_mail_only_has_nothing_to_be_erased(engine: Engine) -> None:
    privacy = PrivacyDriver(engine)
    privacy.driver().carry_out(privacy.message("customers/redact", {"customer": {}}))
    (item,) = everything(engine)
    assert item["state"] == {"S": "done"}
    assert item["counts"] == {"M": {"nothing_held": {"N": "1"}}}


@IN_MEMORY
def test_a_customer_who_was_merged_away_is_erased_and_the_survivor_keeps_the_points(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    before, figures = shop_sums(engine), driver.figures()
    privacy.redact(MERGED)

    assert shop_sums(engine) == before
    assert driver.figures() == figures
    assert naming(engine, MERGED) == {
        (f"SHOP#{SHOP}#CUSTOMER#{MERGED}", "ACCOUNT"),
        (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{MERGED}"),
    }
    (child,) = driver.account().merged_from
    assert is_pseudonym(child)
    assert driver.account(child).merged_into == CUSTOMER

    privacy.redact(CUSTOMER)
    assert shop_sums(engine) == before
    assert naming(engine, CUSTOMER) == {TOMBSTONE, PROOF}
    survivor = driver.account(child).merged_into
    assert survivor is not None
    assert is_pseudonym(survivor)
    assert driver.account(survivor).merged_from == (child,)


@IN_MEMORY
def test_a_long_history_moves_in_several_runs(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    for _ in range(700):
        driver.grant(1, reason=SECRETS[0])
    before = shop_sums(engine)
    slow = _Ticking(privacy)

    privacy.redact(CUSTOMER, client=slow)
    runs = 0
    while privacy.watch(12.0, client=slow).open:
        runs += 1
        assert runs < 50, "there is no progress"
    assert runs > 1
    must_be_erased(engine, before, privacy)
    (request,) = privacy.requests.all_of(SHOP)
    assert request.counts["entries"] == 707


class _Ticking:
    """A client whose every call takes 0.4 s of the service's time."""

    def __init__(self, privacy: PrivacyDriver) -> None:
        self._privacy = privacy

    def __getattr__(self, operation: str) -> object:
        self._privacy.clock.monotonic_seconds += 0.4
        return getattr(self._privacy.engine.client, operation)


def _interrupted(at: int, fault: Fault) -> bool:
    """Erase with one fault at one call, then let the schedule run. False: there is no such call."""
    engine = opened(MEMORY, MemoryDynamoDB(page_items=3))
    live(engine)
    privacy, before = PrivacyDriver(engine), shop_sums(engine)
    plan = At(at, fault)
    with suppress(Crash, LedgerUnavailable):  # the queue brings the message again
        privacy.redact(CUSTOMER, orders=(ORDER,), client=faulty(engine.client, plan, seed=at))
    assert shop_sums(engine) == before, "also in between"
    _no_hole(engine)
    privacy.redact(CUSTOMER, orders=(ORDER,))
    privacy.watch()
    must_be_erased(engine, before, privacy)
    return len(plan.seen) > at


def _no_hole(engine: Engine) -> None:
    """Whatever has an account is whole at every moment."""
    for account in accounts(engine):
        if not account.erased:
            entries = all_entries(engine.store(), account.customer_id)
            assert reconcile(account, entries) == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault.CRASH_BEFORE,
        Fault.CRASH_AFTER,
        Fault.REPLY_LOST,
        Fault.THROTTLED,
        Fault.SERVER_ERROR_AFTER,
    ],
)
def test_an_erasure_that_is_interrupted_at_any_call_is_continued(fault: Fault) -> None:
    at = 0
    while _interrupted(at, fault):
        at += 1
    assert at > 30, "it takes more calls than that"


@IN_MEMORY
def test_two_erasures_at_once_have_one_effect(engine: Engine) -> None:
    """A second worker begins before each call of the first; there is one pseudonym for ever."""
    for at in range(0, 60, 4):
        engine = opened(MEMORY, MemoryDynamoDB())
        live(engine)
        privacy, before = PrivacyDriver(engine), shop_sums(engine)
        privacy.redact(CUSTOMER, client=Meanwhile(engine, at, partial(privacy.redact, CUSTOMER)))
        privacy.watch()
        must_be_erased(engine, before, privacy)
        assert len(accounts(engine)) == 5


def test_what_is_spent_meanwhile_is_moved_or_refused() -> None:
    """A consume before each call of the erasure: done and moved, or refused; never lost."""
    done = 0
    for at in range(60):
        engine = opened(MEMORY, MemoryDynamoDB())
        driver = live(engine)
        privacy = PrivacyDriver(engine)
        lifetime = shop_sums(engine)["issued"]
        answers: list[Booked | Refusal] = []

        def consume(driver: LedgerDriver = driver, answers: Any = answers) -> None:
            answers.append(driver.consume(7, reason=SECRETS[0]))

        client = Meanwhile(engine, at, consume)
        privacy.redact(CUSTOMER, client=client)
        privacy.watch()
        consumed = sum(isinstance(answer, Booked) for answer in answers)
        done += consumed
        assert shop_sums(engine)["spent"] == 30 + 7 * consumed
        assert shop_sums(engine)["issued"] == lifetime
        must_be_erased(engine, shop_sums(engine), privacy)
    assert done > 3


@pytest.mark.parametrize("engine", ISOLATED, indirect=True)
def test_many_who_spend_while_it_is_erased_lose_nothing(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    """Real threads: each consume is there under the pseudonym, or was refused."""
    before = shop_sums(engine)
    started = Barrier(4)

    def spend(number: int) -> list[bool]:
        mine = LedgerDriver(engine)
        mine.ledger = Ledger(mine.store, SystemClock())
        started.wait()
        return [
            isinstance(mine.consume(1, f"{number}-{n}", reason=SECRETS[0]), Booked)
            for n in range(12)
        ]

    with ThreadPoolExecutor(3) as pool:
        spending = [pool.submit(spend, number) for number in range(3)]
        started.wait()
        privacy.redact(CUSTOMER, orders=(ORDER,))
        done = sum(sum(one.result()) for one in spending)
    privacy.watch()
    after = shop_sums(engine)
    assert after["spent"] == before["spent"] + done
    assert after["issued"] == before["issued"]
    must_be_erased(engine, after, privacy)
    assert driver.figures() == {}


@IN_MEMORY
def test_a_merge_that_comes_in_between_is_erased_too(engine: Engine) -> None:
    for at in range(30):
        engine = opened(MEMORY, MemoryDynamoDB())
        driver, privacy = live(engine), PrivacyDriver(engine)
        before = shop_sums(engine)
        merge = partial(driver.ledger.merge, SHOP, OTHER, CUSTOMER, FLOW)
        client = Meanwhile(engine, at, merge)
        privacy.redact(CUSTOMER, client=client)
        privacy.watch()
        assert Balances(**shop_sums(engine)) == Balances(**before)
        assert driver.figures(OTHER).get("approved") in (40, None)
        assert naming(engine, CUSTOMER) == {TOMBSTONE, PROOF}


@IN_MEMORY
def test_a_bucket_that_is_down_leaves_the_request_open(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.bucket.objects[f"data-requests/{SHOP}/{CUSTOMER}/1.json"] = b"{}"
    privacy.request_data(OTHER, 1)
    privacy.bucket.down = 3
    privacy.redact(CUSTOMER)
    assert privacy.watch().open == 1
    assert privacy.watch().done == 1
    assert list(privacy.bucket.objects) == [f"data-requests/{SHOP}/{OTHER}/1.json"]


@IN_MEMORY
def test_the_age_of_the_oldest_open_request_is_reported(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.bucket.down = 10
    privacy.redact(CUSTOMER)
    privacy.clock.pass_time(days=8)
    result = privacy.watch()
    assert (result.open, result.oldest_seconds) == (1, 8 * 86_400)
    privacy.bucket.down = 0
    assert privacy.watch().oldest_seconds == 0


@IN_MEMORY
def test_the_code_of_an_erased_customers_hold_still_finds_it(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.redact(CUSTOMER)
    record = driver.store.load(ReadRequest(SHOP, None, hold_id=HOLD_ID), fresh=True).hold_record
    assert record is not None
    assert is_pseudonym(record.customer_id)
    assert record.code == CODE
