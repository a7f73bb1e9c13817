"""A customer who asks gets all that is held of them, once, and the operator learns where it is."""

import pytest

from tests.engines.test_erasure import MERGED, SECRETS, live
from tests.fakes.privacy import Office, everything, naming
from tests.support.engine import DYNAMODB_LOCAL, MEMORY, SHOP, Engine
from tests.support.examples import CODE, CUSTOMER, ORDER

ENGINES = pytest.mark.parametrize("engine", [MEMORY, DYNAMODB_LOCAL], indirect=True)
IN_MEMORY = pytest.mark.parametrize("engine", [MEMORY], indirect=True)


@ENGINES
def test_the_file_holds_everything_and_adds_up(engine: Engine) -> None:
    desk, office = live(engine), Office(engine)
    office.ask_for_data(CUSTOMER, request=9, orders=("4711", ORDER))

    found = office.file(CUSTOMER)
    assert (found["format"], found["shop"], found["customer_id"]) == (1, SHOP, CUSTOMER)
    assert (found["request"], found["erased"]) == (f"{CUSTOMER}#9", False)
    own, merged = found["books"]
    assert (own["customer_id"], merged["customer_id"]) == (CUSTOMER, MERGED)
    assert own["figures"] == desk.ledger.read(SHOP, CUSTOMER).figures._asdict()
    assert own["entries"][-1]["figures"] == own["figures"]
    assert own["hold"]["discount_code"] == CODE
    assert sum(lot["points"] for lot in own["lots"]) == own["figures"]["approved"]
    assert own["remembered_requests"] == 2
    reasons = [entry["reason"] for book in found["books"] for entry in book["entries"]]
    assert reasons == [f"Welcome {SECRETS[0]}", SECRETS[2], None, None, None, SECRETS[2], None]
    assert own["entries"][1]["cause_entry_id"] == own["entries"][0]["entry_id"]
    assert [order["order_id"] for order in found["orders"]] == [ORDER]
    assert [hold["customer_id"] for hold in found["holds"]] == [CUSTOMER]
    assert [CUSTOMER in told for told in office.operator.told] == [True]


@IN_MEMORY
def test_a_request_is_answered_once(engine: Engine) -> None:
    live(engine)
    office = Office(engine)
    office.ask_for_data(CUSTOMER)
    before = everything(engine)
    office.ask_for_data(CUSTOMER)
    assert everything(engine) == before
    assert len(office.operator.told) == 1
    office.ask_for_data(CUSTOMER, request=10)
    assert len(office.bucket.objects) == len(office.operator.told) == 2


@IN_MEMORY
def test_of_who_was_erased_neither_file_nor_request_is_kept(engine: Engine) -> None:
    live(engine)
    office = Office(engine)
    office.ask_for_data(CUSTOMER, request=8)
    office.redact(CUSTOMER)
    assert office.bucket.objects == {}
    office.ask_for_data(CUSTOMER)
    assert office.bucket.objects == {}
    assert office.operator.told[-1].endswith("was erased before: nothing is kept of them.")
    assert naming(engine, CUSTOMER) == {
        (f"SHOP#{SHOP}#CUSTOMER#{CUSTOMER}", "ACCOUNT"),
        (f"SHOP#{SHOP}", f"PRIVACY_REQUEST#customers/redact#{CUSTOMER}"),
    }


@IN_MEMORY
def test_who_has_no_points_gets_a_file_that_says_so(engine: Engine) -> None:
    office = Office(engine)
    office.ask_for_data(CUSTOMER)
    assert (office.file(CUSTOMER)["erased"], office.file(CUSTOMER)["books"]) == (False, [])


@IN_MEMORY
def test_the_operator_is_told_no_personal_data(engine: Engine) -> None:
    live(engine)
    office = Office(engine)
    office.ask_for_data(CUSTOMER)
    (told,) = office.operator.told
    assert not [secret for secret in SECRETS if secret in told]


@IN_MEMORY
def test_a_bucket_that_is_down_is_tried_again(engine: Engine) -> None:
    live(engine)
    office = Office(engine)
    office.bucket.down = 1
    office.ask_for_data(CUSTOMER)
    assert (office.bucket.objects, office.operator.told) == ({}, [])
    assert office.watch().done == 1
    assert office.file(CUSTOMER)["books"]
