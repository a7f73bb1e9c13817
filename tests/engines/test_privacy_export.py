"""A data request is answered once, with everything, and the operator learns where the file is."""

from datetime import UTC, date, datetime

import pytest

from pointbook.store.table import Table
from pointbook.store.till_members import CachedMember, Membership, TillMembers
from tests.engines.test_erasure import MERGED, SECRETS, live
from tests.fakes.privacy import PrivacyDriver, everything, naming
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine
from tests.support.examples import CODE, CUSTOMER, ORDER
from tests.support.ledgers import LedgerDriver


@pytest.fixture
def driver(engine: Engine) -> LedgerDriver:
    return live(engine)


ENGINES = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
IN_MEMORY = pytest.mark.parametrize("engine", [MEMORY], indirect=True)


@ENGINES
def test_the_file_holds_everything_and_adds_up(
    driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.request_data(CUSTOMER, request=9, orders=("4711", ORDER))

    found = privacy.file(CUSTOMER)
    assert (found["format"], found["shop"], found["customer_id"]) == (1, SHOP, CUSTOMER)
    assert (found["request"], found["erased"]) == (f"{CUSTOMER}#9", False)
    own, merged = found["books"]
    assert (own["customer_id"], merged["customer_id"]) == (CUSTOMER, MERGED)
    assert own["figures"] == driver.ledger.read(SHOP, CUSTOMER).figures._asdict()
    assert own["entries"][-1]["figures"] == own["figures"]
    assert own["hold"]["discount_code"] == CODE
    assert sum(lot["points"] for lot in own["lots"]) == own["figures"]["approved"]
    assert own["remembered_requests"] == 2
    reasons = [entry["reason"] for account in found["books"] for entry in account["entries"]]
    assert reasons == [f"Welcome {SECRETS[0]}", SECRETS[2], None, None, None, SECRETS[2], None]
    assert own["entries"][1]["cause_entry_id"] == own["entries"][0]["entry_id"]
    assert [order["order_id"] for order in found["orders"]] == [ORDER]
    assert [hold["customer_id"] for hold in found["holds"]] == [CUSTOMER]
    assert len(privacy.operator.messages) == 1


@IN_MEMORY
def test_the_file_holds_what_the_till_said_also_of_those_merged_into_the_customer(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    members = TillMembers(Table(engine.client, engine.table))
    day, now = date(2025, 12, 31), datetime(2026, 11, 30, tzinfo=UTC)
    members.save(
        SHOP, CUSTOMER, CachedMember(Membership.MEMBER, "C-1", now, "77", 1250, day, "gold")
    )
    members.save(SHOP, MERGED, CachedMember(Membership.NOT_REGISTERED, "C-2", now))
    privacy.request_data(CUSTOMER)
    own, merged = privacy.file(CUSTOMER)["till"]
    assert (own["customer_id"], own["membership"], own["member_number"]) == (
        CUSTOMER,
        "member",
        "C-1",
    )
    assert (own["till_id"], own["balance_points"], own["rank"]) == ("77", 1250, "gold")
    assert (own["expires_on"], own["as_of"]) == ("2025-12-31", "2026-11-30T00:00:00.000+00:00")
    assert (merged["customer_id"], merged["membership"]) == (MERGED, "not_registered")


@IN_MEMORY
def test_the_file_of_a_customer_without_points_holds_what_the_till_said(
    engine: Engine, privacy: PrivacyDriver
) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    members = TillMembers(Table(engine.client, engine.table))
    members.save(SHOP, CUSTOMER, CachedMember(Membership.MEMBER, "C-1", now, "77", 5))
    privacy.request_data(CUSTOMER)
    found = privacy.file(CUSTOMER)
    assert found["books"] == []
    assert [one["balance_points"] for one in found["till"]] == [5]
    privacy.redact(CUSTOMER)
    assert members.read(SHOP, CUSTOMER) is None, "gone with the customer"


@IN_MEMORY
def test_a_request_is_answered_once(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.request_data(CUSTOMER)
    before = everything(engine)
    privacy.request_data(CUSTOMER)
    assert everything(engine) == before
    assert len(privacy.operator.messages) == 1
    privacy.request_data(CUSTOMER, request=10)
    assert len(privacy.bucket.objects) == len(privacy.operator.messages) == 2


@IN_MEMORY
def test_of_an_erased_customer_neither_file_nor_request_is_stored(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.request_data(CUSTOMER, request=8)
    privacy.redact(CUSTOMER)
    assert privacy.bucket.objects == {}
    privacy.request_data(CUSTOMER)
    assert privacy.bucket.objects == {}
    message = privacy.operator.messages[-1]
    assert message.endswith("request 9 was erased before: nothing is kept of them.")
    assert CUSTOMER not in message
    assert naming(engine, CUSTOMER) == {
        (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT"),
        (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}"),
    }


@IN_MEMORY
def test_a_customer_without_points_gets_a_file_without_accounts(
    engine: Engine, privacy: PrivacyDriver
) -> None:
    privacy.request_data(CUSTOMER)
    found = privacy.file(CUSTOMER)
    assert (found["erased"], found["books"]) == (False, [])


@IN_MEMORY
def test_the_operator_gets_no_personal_data_and_no_customers_id(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.request_data(CUSTOMER)
    (text,) = privacy.operator.messages
    assert not [secret for secret in (*SECRETS, CUSTOMER) if secret in text]
    assert "9.json" in text


@IN_MEMORY
def test_a_bucket_that_is_down_is_retried(
    engine: Engine, driver: LedgerDriver, privacy: PrivacyDriver
) -> None:
    privacy.bucket.down = 1
    privacy.request_data(CUSTOMER)
    assert (privacy.bucket.objects, privacy.operator.messages) == ({}, [])
    assert privacy.watch().done == 1
    assert privacy.file(CUSTOMER)["books"]
