"""The staff are told who acted, and nothing of how operators sign in to AWS."""

import pytest

from pointbook.services.staff_reads import shown_actor


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("assumed-role/PointbookOperator/hanako", "operator:hanako"),
        ("assumed-role/PointbookOperator/hanako for Taro Y/N", "operator:hanako for Taro Y/N"),
        (
            "assumed-role/PointbookOperator/hanako for Taro\nYamada",
            "operator:hanako for Taro\nYamada",
        ),
        ("assumed-role/AWSReservedSSO_Admin_0a/h.k@shop.jp", "operator:h.k@shop.jp"),
        ("user/hanako", "operator:hanako"),
        ("user/division/team/hanako", "operator:hanako"),
        ("federated-user/hanako", "operator:hanako"),
        ("root", "root"),
        ("staff:70000000001 for staff:70000000002", "staff:70000000001 for staff:70000000002"),
        ("reconcile_orders", "reconcile_orders"),
        ("", ""),
    ],
)
def test_of_an_operator_the_name_is_shown_and_anybody_else_as_they_are(
    actor: str, shown: str
) -> None:
    assert shown_actor(actor) == shown
