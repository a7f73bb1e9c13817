"""Every new account has the time zone of the shop's programme."""

import pytest

from local import demo
from tests.support.harness import CUSTOMER, Functions, event
from tools.make_events_webhooks import messages


@pytest.mark.parametrize(
    ("function", "case"),
    [
        ("flow_action_grant", "run"),
        ("adjust_points", "add"),
        ("import_points", "run"),
        ("order_events", "orders_paid"),
        ("customer_events", "customers_create"),
    ],
)
def test_a_new_account_has_the_programmes_time_zone_whoever_opens_it(
    function: str, case: str
) -> None:
    functions = Functions(PROGRAMME_TIME_ZONE="America/New_York")
    if case in messages():
        assert functions.work(function, messages()[case][1]) == []
    else:
        assert functions.request(function, event(function, case)).status in (200, 201)
    account = functions.container.store.account(demo.SHOP_DOMAIN, CUSTOMER)
    assert account is not None
    assert account.time_zone == "America/New_York"
