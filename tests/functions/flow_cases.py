"""The sample events that both Flow actions have."""

CARRIED_OUT = (
    "run",
    "customer_as_digits",
    "customer_as_number",
    "customer_without_slash",
    "points_as_text",
    "with_key",
    "with_cause",
    "previous_secret",
    "base64_body",
)

REFUSED = (
    ("wrong_signature", 401, "signature_wrong"),
    ("not_signed", 400, "signature_missing"),
    ("not_json", 400, "malformed_body"),
    ("not_post", 405, "method_not_allowed"),
    ("points_zero", 422, "invalid_request"),
    ("points_fraction", 422, "invalid_request"),
    ("points_too_many", 422, "invalid_request"),
    ("customer_unknown_form", 422, "invalid_request"),
    ("reason_missing", 422, "invalid_request"),
    ("unknown_shop", 422, "unknown_shop"),
)
"""Case, status and code."""
