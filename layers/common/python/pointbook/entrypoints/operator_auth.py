"""Authentication for the operators' API: callers whom IAM has authenticated."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from pointbook.domain.chain import TILL, Cause
from pointbook.entrypoints.request import Request
from pointbook.errors import InvalidRequest, NotAnOperator, UnknownShop
from pointbook.shopify.ids import customer_digits
from pointbook.validation import optional_text, shown

ACTOR_LENGTH_MAX = 128
BY_LENGTH_MAX = 64


def operator(request: Request) -> str:
    """Return the operator as entries name them: `user/hanako`, `assumed-role/Operator/hanako`.

    This is the caller's ARN after the account id. Raises NotAnOperator if API Gateway has
    not authenticated the caller, for example if the function was invoked another way.
    """
    arn = request.iam.get("userArn")
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        raise NotAnOperator
    return arn.split(":", 5)[-1][:ACTOR_LENGTH_MAX]


def operator_cause(body: Mapping[str, Any], actor: str) -> Cause:
    """Return the cause of an operator's entry: who signed, and for whom if `by` names somebody.

    Of `origin` "till" the ledger follows the till with it, so it is not pushed there. Raises
    InvalidRequest.
    """
    origin, by = body.get("origin"), optional_text(body.get("by"), "by", BY_LENGTH_MAX)
    if origin not in (None, TILL):
        raise InvalidRequest("origin", f'origin is {shown(origin)}; give "{TILL}" or leave it out.')
    return Cause(TILL if origin else "manual", f"{actor} for {by}" if by else actor)


def shop_of(value: object, shops: tuple[str, ...]) -> str:
    """Return the shop that an operator's request names, or the only one of the stack.

    Raises UnknownShop for a shop that this stack does not serve, InvalidRequest if it is missing
    and there are several.
    """
    if value is None and len(shops) == 1:
        return shops[0]
    if value is None:
        raise InvalidRequest("shop", f"shop is missing: name one of {', '.join(shops)}.")
    if value not in shops:
        raise UnknownShop(f"{shown(value)} is not a shop of this stack.")
    return str(value)


def requested_customer(request: Request, shops: tuple[str, ...]) -> tuple[str, str]:
    """Return the shop that the query names, or the only one, and the customer of the path.

    Raises UnknownShop, InvalidRequest.
    """
    shop = shop_of(request.query_value("shop"), shops)
    customer = unquote(request.path_parameters.get("customer", ""))
    return shop, customer_digits(customer, "customer")
