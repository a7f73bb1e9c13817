"""A customer who asks gets all that is held of them, once, and the operator learns where it is."""

import pytest

from tests.engines.test_erasure import MERGED, SECRETS, live
from tests.fakes.privacy import PrivacyDriver, everything, naming
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine
from tests.support.examples import CODE, CUSTOMER, ORDER

ENGINES = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
IN_MEMORY = pytest.mark.parametrize("engine", [MEMORY], indirect=True)


@ENGINES
def test_the_file_holds_everything_and_adds_up(engine: Engine) -> None:
    driver, privacy_driver = live(engine), PrivacyDriver(engine)
    privacy_driver.request_data(CUSTOMER, request=9, orders=("4711", ORDER))

    found = privacy_driver.file(CUSTOMER)
    assert (found["format"], found["shop"], found["customer_id"]) == (1, SHOP, CUSTOMER)
    assert (found["request"], found["erased"]) == (f"{CUSTOMER}#9", False)
    own, merged = found["books"]
    assert (own["customer_id"], merged["customer_id"]) == (CUSTOMER, MERGED)
    assert own["figures"] == driver.ledger.read(SHOP, CUSTOMER).figures._asdict()
    assert own["entries"][-1]["figures"] == own["figures"]
    assert own["hold"]["discount_code"] == CODE
    assert sum(lot["points"] for lot in own["lots"]) == own["figures"]["approved"]
    assert own["remembered_requests"] == 2
    reasons = [entry["reason"] for book in found["books"] for entry in book["entries"]]
    assert reasons == [f"Welcome {SECRETS[0]}", SECRETS[2], None, None, None, SECRETS[2], None]
    assert own["entries"][1]["cause_entry_id"] == own["entries"][0]["entry_id"]
    assert [order["order_id"] for order in found["orders"]] == [ORDER]
    assert [hold["customer_id"] for hold in found["holds"]] == [CUSTOMER]
    assert [CUSTOMER in told for told in privacy_driver.operator.messages] == [True]


@IN_MEMORY
def test_a_request_is_answered_once(engine: Engine) -> None:
    live(engine)
    privacy_driver = PrivacyDriver(engine)
    privacy_driver.request_data(CUSTOMER)
    before = everything(engine)
    privacy_driver.request_data(CUSTOMER)
    assert everything(engine) == before
    assert len(privacy_driver.operator.messages) == 1
    privacy_driver.request_data(CUSTOMER, request=10)
    assert len(privacy_driver.bucket.objects) == len(privacy_driver.operator.messages) == 2


@IN_MEMORY
def test_of_who_was_erased_neither_file_nor_request_is_kept(engine: Engine) -> None:
    live(engine)
    privacy_driver = PrivacyDriver(engine)
    privacy_driver.request_data(CUSTOMER, request=8)
    privacy_driver.redact(CUSTOMER)
    assert privacy_driver.bucket.objects == {}
    privacy_driver.request_data(CUSTOMER)
    assert privacy_driver.bucket.objects == {}
    assert privacy_driver.operator.messages[-1].endswith(
        "was erased before: nothing is kept of them."
    )
    assert naming(engine, CUSTOMER) == {
        (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT"),
        (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}"),
    }


@IN_MEMORY
def test_who_has_no_points_gets_a_file_that_says_so(engine: Engine) -> None:
    privacy_driver = PrivacyDriver(engine)
    privacy_driver.request_data(CUSTOMER)
    assert (privacy_driver.file(CUSTOMER)["erased"], privacy_driver.file(CUSTOMER)["books"]) == (
        False,
        [],
    )


@IN_MEMORY
def test_the_operator_is_told_no_personal_data(engine: Engine) -> None:
    live(engine)
    privacy_driver = PrivacyDriver(engine)
    privacy_driver.request_data(CUSTOMER)
    (told,) = privacy_driver.operator.messages
    assert not [secret for secret in SECRETS if secret in told]


@IN_MEMORY
def test_a_bucket_that_is_down_is_tried_again(engine: Engine) -> None:
    live(engine)
    privacy_driver = PrivacyDriver(engine)
    privacy_driver.bucket.down = 1
    privacy_driver.request_data(CUSTOMER)
    assert (privacy_driver.bucket.objects, privacy_driver.operator.messages) == ({}, [])
    assert privacy_driver.watch().done == 1
    assert privacy_driver.file(CUSTOMER)["books"]
