"""The rate limit on one customer's requests: within a minute, by this process alone."""

import pytest

from pointbook.errors import RateLimited
from pointbook.request_limiter import RequestLimiter

SHOP, OTHER_SHOP = "demo.myshopify.com", "second.myshopify.com"


class Requests:
    """Requests to a process that serves three of a customer in a minute, and its clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self._limiter = RequestLimiter(3, lambda: self.now)

    def served(self, customer_id: str = "7001", shop: str = SHOP) -> bool:
        """Whether one more request is served."""
        try:
            self._limiter.count(shop, customer_id)
        except RateLimited:
            return False
        return True

    def wait_seconds(self) -> int:
        """How long a refused customer is told to wait."""
        with pytest.raises(RateLimited) as refused:
            self._limiter.count(SHOP, "7001")
        return refused.value.retry_after_seconds


def test_a_customer_is_served_up_to_the_limit_and_again_when_the_wait_is_over() -> None:
    requests = Requests()
    assert [requests.served() for _ in range(5)] == [True, True, True, False, False]
    wait_seconds = requests.wait_seconds()
    assert wait_seconds == 20, "the minute ends at 1,020"
    requests.now += wait_seconds - 0.1
    assert requests.wait_seconds() == 1
    requests.now += 0.1
    assert [requests.served() for _ in range(4)] == [True, True, True, False]


def test_one_customer_takes_nothing_from_another_nor_from_the_same_number_in_another_shop() -> None:
    requests = Requests()
    assert [requests.served() for _ in range(4)] == [True, True, True, False]
    assert requests.served("7002")
    assert requests.served(shop=OTHER_SHOP)
