"""Who works on the books by hand: callers whom AWS's IAM has proved, on routes that ask for it."""

from pointbook.entrypoints.request import Request
from pointbook.errors import InvalidRequest, NotAnOperator, UnknownShop
from pointbook.validation import shown

ACTOR_LENGTH_MAX = 128


def operator(request: Request) -> str:
    """The operator as entries name them: `user/hanako`, `assumed-role/Operator/hanako`.

    It is the caller's ARN from behind the account on. Raises NotAnOperator where API Gateway has
    proved nobody, as for a request that reached the function on another way.
    """
    arn = request.iam.get("userArn")
    if not isinstance(arn, str) or not arn.startswith("arn:"):
        raise NotAnOperator
    return arn.split(":", 5)[-1][:ACTOR_LENGTH_MAX]


def shop_of(value: object, shops: tuple[str, ...]) -> str:
    """The shop that an operator's request names; may be left out where there is only one.

    Raises UnknownShop for one that this stack does not serve, InvalidRequest where it has to be
    named.
    """
    if value is None and len(shops) == 1:
        return shops[0]
    if value is None:
        raise InvalidRequest("shop", f"shop is missing: name one of {', '.join(shops)}.")
    if value not in shops:
        raise UnknownShop(f"{shown(value)} is no shop of this stack.")
    return str(value)
