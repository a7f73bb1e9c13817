"""What each HTTP function refuses: with its status and code, in the caller's form, without effect.

One table of all sample events that are refused. Any other sample is served.
"""

from typing import Any, NamedTuple

import pytest

from tests.fakes.codes import Codes
from tests.fakes.customers import MemoryCustomers
from tests.fakes.flow import FakeFlow
from tests.functions.import_desk import put_file
from tests.support.harness import EVENTS, TABLE, Answer, Functions, message
from tools.make_events_operator import RUN_ID

MY_PAGE = ("get_points", "points_history", "order_points", "create_hold", "release_hold")
STAFF_API = (
    "staff_me",
    "staff_show_account",
    "staff_account_history",
    "staff_explain_order",
    "staff_books",
    "staff_programme",
    "staff_status",
    "staff_adjust_points",
    "staff_create_hold",
    "staff_release_hold",
)
OPERATOR_API = (
    "adjust_points",
    "extend_points",
    "import_points",
    "import_runs",
    "show_account",
    "account_history",
    "check_customer",
    "explain_order",
    "till_status",
)
FLOW = ("flow_action_grant", "flow_action_consume", "flow_action_report")
WEBHOOKS = ("shopify_webhook", "flow_lifecycle")

READS_ONLY = {
    "no_token": (401, "token_missing"),
    "expired_token": (401, "token_expired"),
    "forged_token": (401, "token_invalid"),
    "another_customer": (403, "not_yours"),
}
WRITES = {
    "no_token": (401, "token_missing"),
    "another_customer": (403, "not_yours"),
    "by_cookie_without_origin": (403, "origin_not_allowed"),
}
FLOW_ACTION = {
    "wrong_signature": (401, "signature_wrong"),
    "not_signed": (400, "signature_missing"),
    "customer_unknown_form": (422, "invalid_request"),
    "unknown_shop": (422, "unknown_shop"),
}
FLOW_POINTS = FLOW_ACTION | {
    "not_json": (400, "malformed_body"),
    "not_post": (405, "method_not_allowed"),
    "points_zero": (422, "invalid_request"),
    "points_fraction": (422, "invalid_request"),
    "points_too_many": (422, "invalid_request"),
    "reason_missing": (422, "invalid_request"),
}
SIGNED_BY_SHOPIFY = {
    "wrong_signature": (401, "signature_wrong"),
    "not_signed": (401, "signature_missing"),
    "unknown_shop": (403, "unknown_shop"),
    "not_json": (400, "malformed_body"),
}
OPERATOR = {
    "not_signed": (403, "operator_missing"),
    "unknown_shop": (422, "unknown_shop"),
    "not_json": (422, "invalid_request"),
    "lone_surrogate": (422, "invalid_request"),
}

OPERATOR_READ = {
    "not_signed": (403, "operator_missing"),
    "unknown_shop": (422, "unknown_shop"),
    "customer_unknown_form": (422, "invalid_request"),
}

NOT_STAFF = {
    "no_token": (401, "token_missing"),
    "by_cookie": (401, "token_missing"),
    "customers_token": (401, "token_invalid"),
    "expired_token": (401, "token_expired"),
    "forged_token": (401, "token_invalid"),
}
NOT_PERMITTED = NOT_STAFF | {
    "by_newcomer": (403, "not_permitted"),
    "by_unknown_form": (422, "invalid_request"),
    "customer_unknown_form": (422, "invalid_request"),
    "not_json": (422, "invalid_request"),
}

REFUSED: dict[str, dict[str, tuple[int, str]]] = {
    "health": {},
    "app_page": {},
    "get_points": READS_ONLY | {"till_unknown_word": (422, "invalid_request")},
    "points_history": READS_ONLY,
    "order_points": READS_ONLY
    | {
        "unknown_order": (404, "order_not_found"),
        "order_no_number": (422, "invalid_request"),
    },
    "create_hold": WRITES
    | {
        "by_cookie_of_a_strange_page": (403, "origin_not_allowed"),
        "no_key": (400, "idempotency_key_missing"),
        "blank_key": (400, "idempotency_key_missing"),
        "long_key": (422, "invalid_request"),
        "points_missing": (422, "invalid_request"),
        "points_zero": (422, "invalid_request"),
        "points_fraction": (422, "invalid_request"),
        "points_too_many": (422, "invalid_request"),
        "key_in_body_blank": (400, "idempotency_key_missing"),
        "key_in_body_no_text": (422, "invalid_request"),
        "key_in_body_and_another": (422, "invalid_request"),
        "not_json": (422, "invalid_request"),
        "another_key": (409, "hold_open"),
    },
    "release_hold": WRITES
    | {
        "by_post_by_cookie_without_origin": (403, "origin_not_allowed"),
        "unknown_hold": (404, "hold_not_found"),
    },
    "staff_me": NOT_STAFF,
    "staff_show_account": NOT_STAFF
    | {
        "customer_unknown_form": (422, "invalid_request"),
        "instant_without_zone": (422, "invalid_request"),
        "instant_to_come": (422, "invalid_request"),
    },
    "staff_account_history": NOT_STAFF
    | {
        "customer_unknown_form": (422, "invalid_request"),
        "limit_too_high": (422, "invalid_request"),
    },
    "staff_explain_order": NOT_STAFF
    | {
        "unknown_order": (404, "order_not_found"),
        "order_no_number": (422, "invalid_request"),
    },
    "staff_books": NOT_STAFF
    | {
        "by_another": (403, "not_permitted"),
        "month_to_come": (422, "invalid_request"),
        "month_unknown_form": (422, "invalid_request"),
    },
    "staff_programme": NOT_STAFF
    | {
        "by_another": (403, "not_permitted"),
        "rules_no_object": (422, "invalid_request"),
        "amount_no_number": (422, "invalid_request"),
        "not_json": (422, "invalid_request"),
    },
    "staff_status": NOT_STAFF | {"by_another": (403, "not_permitted")},
    "staff_adjust_points": NOT_PERMITTED
    | {
        "at_the_counter": (403, "not_permitted"),
        "preview_by_newcomer": (403, "not_permitted"),
        "no_key": (400, "idempotency_key_missing"),
        "points_zero": (422, "invalid_request"),
        "points_fraction": (422, "invalid_request"),
        "reason_missing": (422, "invalid_request"),
        "day_past": (422, "day_past"),
        "day_of_removal": (422, "invalid_request"),
        "preview_as_text": (422, "invalid_request"),
        "remove_too_many": (422, "insufficient_points"),
        "too_many_at_once": (422, "action_limit_exceeded"),
        "too_many_removed_at_once": (422, "action_limit_exceeded"),
    },
    "staff_create_hold": NOT_PERMITTED
    | {
        "no_key": (400, "idempotency_key_missing"),
        "points_missing": (422, "invalid_request"),
        "points_zero": (422, "invalid_request"),
        "points_too_many": (422, "invalid_request"),
        "another_key": (409, "hold_open"),
    },
    "staff_release_hold": NOT_PERMITTED | {"unknown_hold": (404, "hold_not_found")},
    "adjust_points": OPERATOR
    | {
        "no_key": (400, "idempotency_key_missing"),
        "blank_key": (400, "idempotency_key_missing"),
        "points_zero": (422, "invalid_request"),
        "points_fraction": (422, "invalid_request"),
        "points_too_many": (422, "invalid_request"),
        "reason_missing": (422, "invalid_request"),
        "day_past": (422, "day_past"),
        "day_unknown_form": (422, "invalid_request"),
        "day_of_removal": (422, "invalid_request"),
        "customer_unknown_form": (422, "invalid_request"),
        "remove_too_many": (422, "insufficient_points"),
        "by_too_long": (422, "invalid_request"),
        "origin_unknown": (422, "invalid_request"),
    },
    "import_points": OPERATOR
    | {
        "too_many_rows": (422, "invalid_request"),
        "no_rows": (422, "invalid_request"),
        "row_twice": (422, "invalid_request"),
        "row_without_number": (422, "invalid_request"),
        "dry_run_as_text": (422, "invalid_request"),
        "import_id_unknown_form": (422, "invalid_request"),
    },
    "extend_points": OPERATOR
    | {
        "no_key": (400, "idempotency_key_missing"),
        "no_such_lot": (422, "lot_not_found"),
        "day_missing": (422, "invalid_request"),
        "day_not_later": (422, "invalid_request"),
        "day_unknown_form": (422, "invalid_request"),
        "reason_missing": (422, "invalid_request"),
    },
    "show_account": OPERATOR_READ
    | {
        "instant_without_zone": (422, "invalid_request"),
        "instant_to_come": (422, "invalid_request"),
    },
    "account_history": OPERATOR_READ | {"limit_too_high": (422, "invalid_request")},
    "check_customer": OPERATOR_READ,
    "explain_order": {
        "not_signed": (403, "operator_missing"),
        "unknown_shop": (422, "unknown_shop"),
        "unknown_order": (404, "order_not_found"),
        "order_no_number": (422, "invalid_request"),
    },
    "import_runs": OPERATOR
    | {
        "no_file": (422, "invalid_request"),
        "kind_unknown": (422, "invalid_request"),
        "run_id_unknown_form": (422, "invalid_request"),
        "dry_run_as_text": (422, "invalid_request"),
        "import_id_unknown_form": (422, "invalid_request"),
        "undo_of_none": (404, "import_not_found"),
        "report_of_none": (404, "import_not_found"),
    },
    "till_status": {"not_signed": (403, "operator_missing")},
    "flow_action_grant": FLOW_POINTS,
    "flow_action_consume": FLOW_POINTS,
    "flow_action_report": FLOW_ACTION,
    "flow_lifecycle": SIGNED_BY_SHOPIFY | {"timestamp_missing": (400, "invalid_request")},
    "shopify_webhook": SIGNED_BY_SHOPIFY
    | {
        "customers_redact_forged": (401, "signature_wrong"),
        "another_shop_in_the_body": (403, "unknown_shop"),
        "order_as_redaction": (400, "topic_mismatch"),
        "not_post": (405, "method_not_allowed"),
    },
}


class Refusal(NamedTuple):
    """A sample event, and what it is answered."""

    function: str
    case: str
    status: int
    code: str


REFUSALS = [
    Refusal(function, case, *answer)
    for function, cases in REFUSED.items()
    for case, answer in cases.items()
]
SERVED = [
    (function, path.stem)
    for function, cases in REFUSED.items()
    for path in sorted((EVENTS / function).glob("*.json"))
    if path.stem not in cases
]


class Shop:
    """A customer of 1,250 points holds 500 of them; whatever happens now can be seen.

    The hold is the customer's own, or one that the staff took, by the function that is asked.
    """

    def __init__(self, function: str = "") -> None:
        self.codes, self.flow = Codes(), FakeFlow()
        customers = MemoryCustomers()
        self.functions = Functions(
            {
                "discounts": lambda _: self.codes,
                "flow": lambda _: self.flow,
                "customers": lambda _: customers,
            }
        )
        own, staffs = ("create_hold", "by_header"), ("staff_create_hold", "sale")
        hold = staffs if function in STAFF_API else own
        with_day = [("adjust_points", "add_until")] if function == "extend_points" else []
        for sample in (*with_day, ("flow_action_grant", "run"), hold):
            assert self.functions.sample(*sample).status in (200, 201)
        assert self.functions.work("order_events", message("orders_paid")) == []
        put_file(self.functions, RUN_ID)

    def everything(self) -> tuple[Any, ...]:
        """All that a request could have an effect on."""
        codes = (set(self.codes.made), set(self.codes.off))
        table = self.functions.table.items(TABLE)
        files = dict(self.functions.bucket.objects)
        return table, codes, self.flow.calls, list(self.functions.queues.sent), files


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: f"{one.function}-{one.case}")
def test_what_is_refused_has_its_status_and_code_and_no_effect(refusal: Refusal) -> None:
    shop = Shop(refusal.function)
    before = shop.everything()
    answer = shop.functions.sample(refusal.function, refusal.case)
    assert (answer.status, answer.body["code"]) == (refusal.status, refusal.code)
    assert_form(refusal.function, answer)
    assert shop.everything() == before


def assert_form(function: str, answer: Answer) -> None:
    """A problem for my page and operators; the code, and words for a merchant, for Shopify."""
    if function in (*MY_PAGE, *STAFF_API, *OPERATOR_API):
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.body["status"] == answer.status
        assert answer.body["detail"]
        assert ("login_url" in answer.body) == (function in MY_PAGE and answer.status == 401)
        return
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.body) == ({"code", "message"} if function in FLOW else {"code"})
    assert all(answer.body.values())


@pytest.mark.parametrize(("function", "case"), SERVED)
def test_every_other_sample_is_served(function: str, case: str) -> None:
    assert Shop(function).functions.sample(function, case).status < 400


def test_the_table_has_every_function_that_answers_over_http() -> None:
    assert {*REFUSED} == {
        *("health", "app_page"),
        *(*MY_PAGE, *STAFF_API, *OPERATOR_API, *FLOW, *WEBHOOKS),
    }
    assert [
        one for one in REFUSALS if not (EVENTS / one.function / f"{one.case}.json").exists()
    ] == []


GOOD = {
    "get_points": "by_header",
    "points_history": "by_header",
    "order_points": "by_header",
    "create_hold": "by_header",
    "release_hold": "by_header",
    "staff_me": "manager",
    "staff_show_account": "get",
    "staff_account_history": "get",
    "staff_explain_order": "get",
    "staff_books": "month",
    "staff_programme": "rules",
    "staff_status": "now",
    "staff_adjust_points": "add",
    "staff_create_hold": "sale",
    "staff_release_hold": "given_up",
    "adjust_points": "add",
    "import_points": "run",
    "extend_points": "extend",
    "show_account": "get",
    "account_history": "get",
    "check_customer": "get",
    "explain_order": "get",
    "import_runs": "report",
    "till_status": "get",
    "flow_action_grant": "run",
    "flow_action_consume": "run",
    "flow_action_report": "run",
    "flow_lifecycle": "switched_on",
    "shopify_webhook": "orders_create",
}


class Broken:
    """A client of AWS that fails as no client should."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("secret detail")


@pytest.mark.parametrize("function", GOOD)
def test_an_unexpected_fault_is_answered_500_without_detail(
    function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = Functions({"dynamodb": Broken(), "sqs": Broken(), "s3": Broken()}).sample(
        function, GOOD[function]
    )
    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert_form(function, answer)
    assert "secret detail" not in str(answer.body)
    assert "secret detail" in capsys.readouterr().out, "the log has it"
