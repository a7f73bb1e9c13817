"""Our own pushes that come back as the till's reports are told from what the counter did."""

import pytest

from pointbook.domain.chain import Cause
from pointbook.domain.commands import Consume, Grant
from pointbook.domain.expiry import Days
from pointbook.domain.refusal import Refusal
from pointbook.domain.till_pushes import PUSHES_MAX
from pointbook.ledger.instruction import Booked, Identity, Instruction
from pointbook.services.till_push.echoes import TillEchoes, TillReportUndecided
from tests.fakes.pushed_till import digits, down, hangs, reply_lost, well
from tests.support.engine import SHOP
from tests.support.examples import CUSTOMER
from tests.unit.services.till_push.test_delivery import Shop


class Reporting(Shop):
    """A shop whose till reports every change of a member's points, ours as well."""

    def report(self, points: int, run: str = "run", balance: int | None = None) -> Booked | Refusal:
        """The till says that `points` were added, or taken if below zero."""
        command = Grant(points, Days(9)) if points > 0 else Consume(-points)
        instruction = Instruction(
            SHOP,
            CUSTOMER,
            command,
            Cause.reported("flow", run),
            identity=Identity("flow:run", run),
            content={"points": points},
        )
        echoes = TillEchoes(self.pushes, self.ledger.ledger, lambda: self.till, self.clock, digits)
        return echoes.answer(instruction, points, balance) or self.ledger.ledger.execute(
            instruction
        )

    @property
    def approved(self) -> int:
        return self.ledger.figures()["approved"]


@pytest.fixture
def shop() -> Reporting:
    """1,000 points here and there, pushed and not reported; then 300 used here and pushed."""
    made = Reporting()
    made.grant(1000)
    made.consume(300)
    return made


def is_echo(answer: Booked | Refusal) -> bool:
    assert isinstance(answer, Booked), answer
    return answer.duplicate


def test_a_push_that_comes_back_moves_nothing_and_names_the_pushed_entry(shop: Reporting) -> None:
    answer = shop.report(-300, balance=700)
    assert isinstance(answer, Booked)
    assert (answer.entry_ids, answer.duplicate) == ((f"{CUSTOMER}-000000000002",), True)
    assert answer.figures.approved == shop.approved == 700
    assert is_echo(shop.report(1000, "another run", balance=1000))
    assert shop.approved == 700


def test_without_a_balance_it_is_recognized_by_the_till_where_nothing_else_happened(
    shop: Reporting,
) -> None:
    assert is_echo(shop.report(-300))
    assert shop.approved == 700


def test_the_same_points_used_at_the_counter_are_a_movement(shop: Reporting) -> None:
    shop.till.use(CUSTOMER, 300)
    assert not is_echo(shop.report(-300))
    assert shop.approved == 400


def test_the_same_points_with_another_balance_are_a_movement(shop: Reporting) -> None:
    shop.till.use(CUSTOMER, 300)
    assert not is_echo(shop.report(-300, balance=400))
    assert shop.approved == 400


def test_other_points_are_a_movement(shop: Reporting) -> None:
    shop.till.use(CUSTOMER, 299)
    assert not is_echo(shop.report(-299))
    assert is_echo(shop.report(-300, "late", balance=700)), "the push may still come back"


def test_points_in_the_other_direction_are_a_movement(shop: Reporting) -> None:
    assert not is_echo(shop.report(300, balance=700))


def test_a_push_comes_back_once(shop: Reporting) -> None:
    assert is_echo(shop.report(-300, "first"))
    shop.till.use(CUSTOMER, 300)
    assert not is_echo(shop.report(-300, "second"))


def test_a_repeated_report_gets_the_same_answer(shop: Reporting) -> None:
    first = shop.report(-300)
    assert shop.report(-300) == first
    shop.clock.pass_time(hours=36)
    shop.till.use(CUSTOMER, 300)
    assert shop.report(-300) == first
    assert shop.approved == 700


def test_a_report_that_was_booked_stays_so_when_it_is_repeated(shop: Reporting) -> None:
    shop.till.use(CUSTOMER, 50)
    first = shop.report(-50)
    assert not is_echo(first)
    shop.follow()
    shop.hold(50)
    assert shop.till.pushed == [1000, -300, -50]
    again = shop.report(-50)
    assert isinstance(again, Booked)
    assert isinstance(first, Booked)
    assert again.entry_ids == first.entry_ids
    assert is_echo(shop.report(-50, "the push")), "nothing was used up by the repetition"


def test_the_same_run_with_other_points_is_refused_as_ever(shop: Reporting) -> None:
    shop.till.use(CUSTOMER, 50)
    shop.report(-50)
    answer = shop.report(-300)
    assert isinstance(answer, Refusal)
    assert answer.code == "idempotency_mismatch"


@pytest.mark.parametrize("fault", [reply_lost, hangs])
def test_while_the_outcome_of_such_a_push_is_unknown_flow_has_to_repeat_it(
    shop: Reporting, fault: object
) -> None:
    shop.till.faults.extend([well, fault])  # type: ignore[list-item]  # one of the faults above
    shop.consume(70)
    with pytest.raises(TillReportUndecided):
        shop.report(-70, balance=630)
    assert not is_echo(shop.report(-69, "another")), "what cannot be that push is not kept waiting"
    shop.sweep(seconds=60)
    assert is_echo(shop.report(-70))


def test_a_till_that_cannot_be_read_decides_nothing(shop: Reporting) -> None:
    shop.till.faults.append(down)
    with pytest.raises(TillReportUndecided):
        shop.report(-300)
    assert shop.approved == 700
    assert is_echo(shop.report(-300))


def test_after_two_days_a_push_comes_back_no_more(shop: Reporting) -> None:
    shop.clock.pass_time(hours=49)
    assert not is_echo(shop.report(-300, balance=700))


def test_a_customer_of_whom_nothing_was_pushed_has_no_echoes() -> None:
    shop = Reporting()
    shop.ledger.grant(100)
    assert not is_echo(shop.report(-100))
    assert shop.till.calls == []


def test_so_many_pushes_are_remembered(shop: Reporting) -> None:
    for _ in range(PUSHES_MAX):
        shop.grant(1)
    assert [push.points for push in shop.cursor.member_state.pushes] == [1] * PUSHES_MAX


@pytest.mark.parametrize("used_at_till", [0, 20], ids=["the next push", "nothing to carry"])
def test_an_echo_that_comes_after_the_lease_and_before_the_next_plan_is_not_forgotten(
    shop: Reporting, used_at_till: int
) -> None:
    def meanwhile(till: object, effect: object) -> None:
        assert is_echo(shop.report(-300, "echo", balance=700))

    shop.till.use(CUSTOMER, used_at_till)
    shop.till.faults.append(meanwhile)  # while the member is read
    shop.consume(20)
    pushed = [] if used_at_till else [-20]
    assert shop.till.pushed == [1000, -300, *pushed]
    echoes = [bool(push.echo) for push in shop.cursor.member_state.pushes]
    assert echoes == [False, True, *(False for _ in pushed)]
