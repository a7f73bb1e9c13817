"""Authentication for the operators' API: callers whom IAM has authenticated."""

from pointbook.entrypoints.request import Request
from pointbook.errors import InvalidRequest, NotAnOperator, UnknownShop
from pointbook.validation import shown

ACTOR_LENGTH_MAX = 128


def operator(request: Request) -> str:
    """Return the operator as entries name them: `user/hanako`, `assumed-role/Operator/hanako`.

    This is the caller's ARN after the account id. Raises NotAnOperator if API Gateway has
    not authenticated the caller, for example if the function was invoked another way.
    """
    arn = request.iam.get("userArn")
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        raise NotAnOperator
    return arn.split(":", 5)[-1][:ACTOR_LENGTH_MAX]


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
