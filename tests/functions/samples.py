"""The functions that answer over HTTP: a sample event that each serves, and all that it refuses."""

MY_PAGE = ("get_points", "points_history", "order_points", "create_hold", "release_hold")
STAFF_READS = ("staff_show_account", "staff_account_history", "staff_explain_order")
STAFF_WRITES = ("staff_adjust_points", "staff_create_hold", "staff_release_hold")
MANAGERS = {"staff_books": "month", "staff_programme": "rules", "staff_status": "now"}
STAFF = ("staff_me", *STAFF_READS, *MANAGERS, *STAFF_WRITES)
OPERATOR_READS = ("show_account", "account_history", "check_customer", "explain_order")
OPERATORS = (
    *("adjust_points", "extend_points", "import_points", "import_runs", "till_status"),
    *OPERATOR_READS,
)
FLOW = ("flow_action_grant", "flow_action_consume", "flow_action_report")
SIGNED = (*FLOW, "flow_lifecycle", "shopify_webhook")
WITHOUT_TABLE = ("health", "app_page")

SERVED = {
    **dict.fromkeys(MY_PAGE, "by_header"),
    **dict.fromkeys(FLOW, "run"),
    "staff_me": "manager",
    **dict.fromkeys(STAFF_READS, "get"),
    **MANAGERS,
    "staff_adjust_points": "add",
    "staff_create_hold": "sale",
    "staff_release_hold": "given_up",
    "adjust_points": "add",
    "import_points": "run",
    "extend_points": "extend",
    **dict.fromkeys(OPERATOR_READS, "get"),
    "import_runs": "undo",
    "flow_lifecycle": "switched_on",
    "shopify_webhook": "customers_create",
    "till_status": "get",
    "health": "get",
    "app_page": "opened",
}
"""A sample event of each function that is served."""

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
"""Status and code of each sample event that is refused. Any other sample is served."""
