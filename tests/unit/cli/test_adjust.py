"""`pointbook adjust`: what it sends, and what it prints."""

import re

import pytest

from cli import adjust, target
from cli.app import main
from cli.operator_api import Answer
from tests.fakes.operator_api import Api, a_target
from tests.support.commands import failure

CUSTOMER = "8840734670934"
FIGURES = {"approved": 50, "pending": 5, "total": 55, "lifetime": 300, "spent": 0, "hold": 0}
DONE = Answer(201, {"entry_id": f"{CUSTOMER}-000000000002", "figures": FIGURES})


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Api:
    api = Api([DONE])
    monkeypatch.setattr(adjust, "post", api.post)
    monkeypatch.setattr(adjust, "get", api.get)
    monkeypatch.setattr(target, "target_of", lambda _: a_target())
    return api


def run(*more: str, points: str = "-200") -> int:
    return main(["adjust", CUSTOMER, "--points", points, "--reason", "Booked twice", *more])


def failed(*more: str, points: str = "-200", status: int = 1) -> str:
    arguments = ("--points", points, "--reason", "Booked twice", *more)
    return failure("adjust", CUSTOMER, *arguments, status=status)


def test_points_are_removed_and_the_figures_shown_before_and_after(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--key", "k1") == 0
    ((path, content, headers),) = api.sent
    assert path == f"/v1/operator/customers/{CUSTOMER}/adjustments"
    assert content == {
        "shop": "demo.myshopify.com",
        "points": -200,
        "reason": "Booked twice",
        "expires_on": None,
    }
    assert headers == {"Idempotency-Key": "k1"}
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert said[0][-1] == "k1"
    assert said[1] == ["entry", f"{CUSTOMER}-000000000002"]
    assert said[3] == ["approved", "250", "50"]
    assert said[5:7] == [["total", "255", "55"], ["lifetime", "300", "300"]]


def test_added_points_raise_lifetime_too(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(points="20") == 0
    assert ["lifetime", "280", "300"] in [
        line.split() for line in capsys.readouterr().out.splitlines()
    ]


def test_every_run_without_a_key_is_a_new_request(api: Api) -> None:
    run()
    run()
    keys = {headers["Idempotency-Key"] for _, _, headers in api.sent}
    assert len(keys) == 2


@pytest.mark.parametrize("key", ["", " ", "払い戻し", "Rückgabe", "k1\n", "k1\r\nX-More: 1"])
def test_a_key_that_is_no_valid_header_is_refused_before_anything_is_sent(
    api: Api, key: str
) -> None:
    assert re.search(r"--key is .* must be printable ASCII", failed("--key", key, status=2))
    assert api.sent == []


@pytest.mark.parametrize("points", ["５", "1_000", "1,000", " 5", "5.0", "1000000001", ""])
def test_points_that_are_no_whole_number_are_refused_before_anything_is_sent(
    api: Api, points: str
) -> None:
    assert re.search(r"--points is .* must be a whole number", failed(points=points, status=2))
    assert api.sent == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"--points": "0"}, "--points is 0; give a positive number"),
        ({"--reason": ""}, "--reason is '', but must be a text of 1 to 255 characters"),
        ({"--reason": "Twice\nbooked"}, "--reason has a line break or a control character"),
        ({"--reason": "Twice\x1b[2J"}, "--reason has a line break or a control character"),
        ({"--expires-on": "tomorrow", "--points": "5"}, "--expires-on is 'tomorrow', but must be"),
        ({"--expires-on": "2099-12-31"}, "--expires-on is only for points that are added"),
    ],
)
def test_what_is_wrong_is_named_by_its_option_before_anything_is_sent(
    api: Api, options: dict[str, str], said: str
) -> None:
    given = {"--points": "-200", "--reason": "Booked twice"} | options
    arguments = [word for option in given.items() for word in option]
    assert said in " ".join(failure("adjust", CUSTOMER, *arguments, status=2).split())
    assert api.sent == []


def test_a_reason_may_be_in_any_language(api: Api) -> None:
    reason = "お詫び\u3000ポイント 🙇\u200d♀️"
    assert main(["adjust", CUSTOMER, "--points", "-5", "--reason", reason]) == 0
    assert api.sent[0][1]["reason"] == reason


def test_a_repetition_is_reported(api: Api, capsys: pytest.CaptureFixture[str]) -> None:
    api.answers = [Answer(201, DONE.body, repeated=True)]
    assert run("--key", "k1") == 0
    assert "(already booked)" in capsys.readouterr().out


def test_any_form_of_a_customers_id_is_accepted_and_nothing_else(api: Api) -> None:
    gid = f"gid://shopify/Customer/{CUSTOMER}"
    assert main(["adjust", gid, "--points", "1", "--reason", "r"]) == 0
    assert api.sent[0][0].endswith(f"/{CUSTOMER}/adjustments")
    assert "Taro" in failure("adjust", "Taro", "--points", "1", "--reason", "r", status=2)


def test_a_refusal_prints_the_apis_message(api: Api) -> None:
    api.answers = [Answer(422, {"code": "insufficient_points", "detail": "The customer has 9"})]
    assert "422 insufficient_points: The customer has 9" in failed()
    api.answers = [Answer(403, {"message": "Forbidden"})]
    assert "403: Forbidden" in failed()


@pytest.mark.parametrize("answer", [None, Answer(503, {"code": "ledger_unavailable"})])
def test_an_unknown_outcome_prints_the_key_for_the_next_try(
    api: Api, answer: Answer | None
) -> None:
    api.answers = [answer]
    assert "--key k1" in failed("--key", "k1", status=3)


UNKNOWN = {"has_entries": False, "at_shopify": False, "why": None}
UNASKED = {"has_entries": False, "at_shopify": None, "why": "Shopify could not be asked: 503"}


@pytest.mark.parametrize(
    ("known", "said"),
    [
        (UNKNOWN, f"demo.myshopify.com has no customer {CUSTOMER} at Shopify"),
        (UNASKED, "is not known: Shopify could not be asked: 503"),
    ],
)
def test_points_for_an_unknown_id_need_a_yes(
    api: Api, capsys: pytest.CaptureFixture[str], known: dict[str, object], said: str
) -> None:
    api.known = known
    assert "pass --yes" in failed(points="20")
    assert said in capsys.readouterr().out
    assert api.sent == []
    assert run("--yes", points="20") == 0
    assert len(api.sent) == 1


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("", 1), ("n", 1)])
def test_a_person_at_the_terminal_is_asked(
    api: Api, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    api.known = UNKNOWN
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert run(points="20") == status
    assert len(api.sent) == (0 if status else 1)


@pytest.mark.parametrize(
    "known",
    [{"has_entries": True, "at_shopify": False}, {"has_entries": False, "at_shopify": True}],
)
def test_a_customer_whom_the_ledger_or_shopify_knows_needs_none(
    api: Api, known: dict[str, object]
) -> None:
    api.known = known
    assert run(points="20") == 0


def test_nobody_is_asked_before_points_are_removed(api: Api) -> None:
    api.known = UNKNOWN
    assert run() == 0
