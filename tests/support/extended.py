"""A customer with points to extend, for random requests to extend them."""

from datetime import date, timedelta

EXTENDED_CUSTOMER = "8840734670999"
LAST_DAYS = tuple(date(2099, 1, 1) + timedelta(days=number) for number in range(90))
"""The days on which the customer's points expire."""
