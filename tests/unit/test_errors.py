import re
from collections.abc import Iterator

import pytest

from pointbook import errors


def below(parent: type[Exception], depth: int = 0) -> Iterator[tuple[int, type[Exception]]]:
    """The errors of this module; a package that has errors of its own draws them itself."""
    for child in parent.__subclasses__():
        if child.__module__ != errors.__name__:
            continue
        yield depth, child
        yield from below(child, depth + 1)


def drawn() -> list[tuple[int, str]]:
    """Depth and name of every error in the tree that the module's docstring draws."""
    lines = re.findall(r"^([│ ]*)[├└]── (\w+)", errors.__doc__ or "", re.MULTILINE)
    return [(len(indent) // 4, name) for indent, name in lines]


def test_the_drawn_tree_is_the_real_one() -> None:
    real = [(depth, error.__name__) for depth, error in below(errors.PointbookError)]
    assert sorted(drawn()) == sorted(real)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MalformedBody("x"), "malformed_body"),
        (errors.BodyTooLarge(1), "body_too_large"),
        (errors.MethodNotAllowed("", "POST"), "method_not_allowed"),
        (errors.InvalidRequest("points", "x"), "invalid_request"),
        (errors.UnknownShop("x"), "unknown_shop"),
        (errors.SignatureMissing(), "signature_missing"),
        (errors.SignatureWrong(), "signature_wrong"),
        (errors.Unauthenticated("token_expired"), "token_expired"),
        (errors.NotYours(), "not_yours"),
        (errors.NotAnOperator(), "operator_missing"),
        (errors.OriginRefused(), "origin_not_allowed"),
        (errors.LedgerUnavailable(1), "ledger_unavailable"),
        (errors.ShopifyRefused("x"), "shopify_refused"),
        (errors.ShopifyRefused("x", code="currency_mismatch"), "currency_mismatch"),
        (errors.ShopifyUnavailable(1), "shopify_unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_codes_are_stable_and_every_error_has_something_to_say(
    error: errors.PointbookError, code: str
) -> None:
    assert error.code == code
    assert str(error)
