"""Money as whole numbers of a currency's smallest unit, and as the decimals that others write.

How many decimals a currency has is ISO 4217's business: most have two, and the exceptions stand
here. Sums are made of decimals first and turned into minor units once, so that no cent is lost or
won by rounding each part.
"""

import re
from decimal import ROUND_HALF_UP, Decimal

# fmt: off
_WITHOUT_DECIMALS = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
]
# fmt: on
_WITH_THREE = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
_EXPONENTS = dict.fromkeys(_WITHOUT_DECIMALS, 0) | dict.fromkeys(_WITH_THREE, 3)
_DEFAULT_EXPONENT = 2

_CURRENCY = "[A-Z]{3}"
_DECIMAL = r"-?[0-9]{1,15}(\.[0-9]{1,12})?"
_LIMIT = Decimal(10**15)
"""Far beyond any order, and far below where 28 digits of a Decimal would begin to be short."""


def exponent(currency: str) -> int:
    """How many decimals the amounts of a currency (ISO 4217 code) have: 0, 2 or 3."""
    if not re.fullmatch(_CURRENCY, currency):
        raise ValueError(f"{currency!r} is not a currency; give a code such as JPY")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


def minor_of(amount: Decimal | str, currency: str) -> int:
    """Return `amount` in the currency's smallest unit; a half counts as a whole one, away from 0.

    A text is what Shopify writes: digits, perhaps a sign and a point ("1980", "19.80", "-0.5").
    Raises ValueError for anything else. Sum first: rounding each part gives another total.
    """
    number = _number(amount)
    if not number.is_finite() or abs(number) >= _LIMIT:
        raise ValueError(f"{amount!r} is not an amount; give one below {_LIMIT:,} {currency}")
    scaled = number.scaleb(exponent(currency))
    return int(scaled.to_integral_value(rounding=ROUND_HALF_UP))


def decimal_text(minor: int, currency: str) -> str:
    """Return an amount in the smallest unit as a decimal text: 500 is "500" JPY and "5.00" USD."""
    decimals = exponent(currency)
    if not decimals:
        return str(minor)
    whole, part = divmod(abs(minor), 10**decimals)
    return f"{'-' if minor < 0 else ''}{whole}.{part:0{decimals}d}"


def _number(amount: Decimal | str) -> Decimal:
    if isinstance(amount, Decimal):
        return amount
    if not isinstance(amount, str) or not re.fullmatch(_DECIMAL, amount, re.ASCII):
        raise ValueError(f"{amount!r} is not an amount; give a decimal text such as '19.80'")
    return Decimal(amount)
