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
