"""The till's state, its pace and its cached members, which all functions share: on every engine."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest

from pointbook.domain.commands import Grant
from pointbook.domain.expiry import Never
from pointbook.store import keys
from pointbook.store.table import Table
from pointbook.store.till_calls import TillCalls
from pointbook.store.till_members import CachedMember, Membership, TillMembers
from pointbook.store.till_state import FAILURES_TO_OPEN, TillState, TillStates
from pointbook.store.values import boolean
from tests.engines.counting import CountingClient
from tests.support import engine as engines
from tests.support.engine import MEMORY, SHOP, Engine
from tests.support.examples import CUSTOMER
from tests.support.ledgers import LedgerDriver

NOW = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=5)
LATER = NOW + timedelta(seconds=60)
CACHED = CachedMember(
    membership=Membership.MEMBER,
    member_number=CUSTOMER,
    as_of=NOW,
    till_id="77",
    balance_points=-20,
    expires_on=date(2025, 12, 31),
    rank="gold",
    lots=((5, date(2026, 1, 31)), (7, date(2026, 2, 28))),
)
UNKNOWN = CachedMember(Membership.NOT_REGISTERED, CUSTOMER, LATER)


@pytest.fixture
def states(engine: Engine) -> TillStates:
    return TillStates(Table(engine.client, engine.table))


@pytest.fixture
def members(engine: Engine) -> TillMembers:
    return TillMembers(Table(engine.client, engine.table))


def failed(states: TillStates, times: int = FAILURES_TO_OPEN, kind: str = "timeout") -> TillState:
    """The state after so many failures."""
    return [states.failed(kind, NOW) for _ in range(times)][-1]


# --- the state ------------------------------------------------------------------------------------


def test_a_till_that_was_never_called_is_closed(states: TillStates) -> None:
    assert states.read() == TillState()


def test_failures_are_counted_with_their_kind_and_since_when(states: TillStates) -> None:
    states.failed("timeout", NOW)
    state = states.failed("auth", SOON)
    assert (state.failures, state.kind, state.since, state.failed_at) == (2, "auth", NOW, SOON)
    assert states.read() == state


def test_the_breaker_opens_after_three_failures_and_only_once(states: TillStates) -> None:
    failed(states, 2)
    assert not states.open(NOW, SOON)
    failed(states, 1)
    assert [states.open(NOW, SOON), states.open(LATER, LATER)] == [True, False]
    assert (states.read().open_since, states.read().probe_at) == (NOW, SOON)


def test_a_success_ends_the_row_of_failures(states: TillStates) -> None:
    failed(states)
    states.open(NOW, SOON)
    assert states.succeeded(LATER).is_open
    assert states.read() == TillState(succeeded_at=LATER)
    assert not states.open(LATER, LATER), "no failures are left that could open it"


def test_a_probe_has_one_owner_and_its_time(states: TillStates) -> None:
    failed(states)
    states.open(NOW, SOON)
    assert not states.claim_probe(SOON - timedelta(milliseconds=1), LATER)
    assert [states.claim_probe(SOON, LATER), states.claim_probe(SOON, LATER)] == [True, False]
    states.succeeded(LATER)
    assert not states.claim_probe(LATER, LATER), "it is closed"


def test_the_longer_of_two_pauses_counts(states: TillStates) -> None:
    states.pause(LATER)
    states.pause(SOON)
    assert states.read().paused_until == LATER
    states.succeeded(NOW)
    assert states.read().paused_until == LATER, "a call that was under way ends no pause"


def test_a_recovery_is_due_only_where_the_operator_knows_of_the_outage(
    states: TillStates,
) -> None:
    failed(states)
    states.open(NOW, SOON)
    states.notified_failure(states.read(), NOW)
    assert states.read().notified == ("timeout",)
    states.succeeded(LATER)
    state = states.read()
    assert (state.recovered_at, state.outage_since, state.notified) == (LATER, NOW, ())
    states.notified_recovery(state, LATER)
    assert states.read() == TillState(succeeded_at=LATER, notified_at=LATER)


def test_a_recovery_between_sending_a_notice_and_recording_it_is_due(states: TillStates) -> None:
    failed(states)
    states.open(NOW, SOON)
    before = states.read()
    states.succeeded(SOON)
    states.notified_failure(before, LATER)
    state = states.read()
    assert (state.recovered_at, state.outage_since, state.notified) == (LATER, NOW, ())


def test_a_notice_recorded_while_a_success_is_makes_its_recovery_due(
    states: TillStates, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(states)
    states.open(NOW, SOON)
    before, read = states.read(), TillStates.read

    def notified_after(self: TillStates) -> TillState:
        found = read(self)
        if not found.notified:
            states.notified_failure(before, SOON)
        return found

    monkeypatch.setattr(TillStates, "read", notified_after)
    states.succeeded(LATER)
    monkeypatch.undo()
    assert (states.read().recovered_at, states.read().is_open) == (LATER, False)


def test_notices_have_one_sender_until_the_claim_is_over(states: TillStates) -> None:
    assert states.claim_notice(NOW, LATER)
    assert not states.claim_notice(SOON, LATER)
    assert states.claim_notice(LATER, LATER + timedelta(seconds=60)), "the sender died"
    states.release_notice()
    assert states.claim_notice(LATER, LATER)


@pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
def test_of_many_at_once_one_opens_one_probes_and_each_failure_counts(states: TillStates) -> None:
    with ThreadPoolExecutor(12) as pool:
        counts = list(pool.map(lambda _: states.failed("timeout", NOW).failures, range(24)))
        opened = list(pool.map(lambda _: states.open(NOW, SOON), range(24)))
        probes = list(pool.map(lambda _: states.claim_probe(SOON, LATER), range(24)))
    assert sorted(counts) == list(range(1, 25))
    assert (opened.count(True), probes.count(True)) == (1, 1)


# --- the pace -------------------------------------------------------------------------------------


def test_calls_are_counted_by_the_second_for_all_together(engine: Engine) -> None:
    calls = TillCalls(Table(engine.client, engine.table))
    assert [calls.count(NOW, 2) for _ in range(3)] == [0, 0, 1]
    assert calls.count(NOW + timedelta(seconds=1), 2) == 0


def test_background_work_is_refused_while_others_may_still_call(engine: Engine) -> None:
    calls = TillCalls(Table(engine.client, engine.table))
    assert [calls.count(NOW, 2) for _ in range(3)] == [0, 0, 1]
    assert [calls.count(NOW, 4) for _ in range(3)] == [0, 0, 1]


# --- cached members -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cached", [CACHED, UNKNOWN, CachedMember(Membership.AMBIGUOUS, "A-1", NOW)]
)
def test_what_the_till_said_is_read_as_it_was_kept(
    members: TillMembers, cached: CachedMember
) -> None:
    assert members.read(SHOP, CUSTOMER) is None
    assert members.save(SHOP, CUSTOMER, cached)
    assert members.read(SHOP, CUSTOMER) == cached
    assert members.read("other.myshopify.com", CUSTOMER) is None


def test_the_newest_answer_wins_and_nothing_of_an_older_one_is_left(members: TillMembers) -> None:
    assert members.save(SHOP, CUSTOMER, CACHED)
    assert members.save(SHOP, CUSTOMER, UNKNOWN)
    assert not members.save(SHOP, CUSTOMER, CACHED)
    assert members.read(SHOP, CUSTOMER) == UNKNOWN


def test_a_refresh_has_one_owner_until_its_claim_is_over(members: TillMembers) -> None:
    members.save(SHOP, CUSTOMER, CACHED)
    assert members.claim_refresh(SHOP, CUSTOMER, NOW, SOON)
    assert not members.claim_refresh(SHOP, CUSTOMER, NOW, SOON)
    assert members.claim_refresh(SHOP, CUSTOMER, SOON, LATER)
    assert members.read(SHOP, CUSTOMER) == CACHED
    members.save(SHOP, CUSTOMER, UNKNOWN)
    assert members.claim_refresh(SHOP, CUSTOMER, SOON, LATER), "the answer ended it"


def test_a_refresh_can_be_claimed_before_anything_is_known(members: TillMembers) -> None:
    assert members.claim_refresh(SHOP, CUSTOMER, NOW, SOON)
    assert not members.claim_refresh(SHOP, CUSTOMER, NOW, SOON)
    assert members.read(SHOP, CUSTOMER) is None
    assert members.look_up(SHOP, CUSTOMER).refreshing(NOW)
    assert members.save(SHOP, CUSTOMER, CACHED)
    assert members.read(SHOP, CUSTOMER) == CACHED


def test_a_view_reads_member_and_state_in_one_call(
    members: TillMembers, states: TillStates
) -> None:
    known = members.look_up(SHOP, CUSTOMER)
    assert (known.cached, known.refreshing(NOW), known.state) == (None, False, TillState())
    members.save(SHOP, CUSTOMER, CACHED)
    state = states.failed("timeout", NOW)
    known = members.look_up(SHOP, CUSTOMER)
    assert (known.cached, known.state) == (CACHED, state)


@pytest.mark.parametrize("engine", [MEMORY], indirect=True)
def test_a_views_read_costs_one_call_and_one_unit(engine: Engine, members: TillMembers) -> None:
    members.save(SHOP, CUSTOMER, CACHED)
    client = CountingClient(engine.client)
    TillMembers(Table(client, engine.table)).look_up(SHOP, CUSTOMER)
    assert client.operations == ["batch_get_item"]
    assert sum(call.units for call in client.calls) == 1.0


@pytest.mark.parametrize("engine", engines.ISOLATED, indirect=True)
def test_of_many_views_at_once_one_claims_the_refresh(members: TillMembers) -> None:
    members.save(SHOP, CUSTOMER, CACHED)
    with ThreadPoolExecutor(12) as pool:
        claimed = pool.map(lambda _: members.claim_refresh(SHOP, CUSTOMER, NOW, SOON), range(24))
    assert list(claimed).count(True) == 1


def test_nothing_is_kept_of_an_erased_customer(engine: Engine, members: TillMembers) -> None:
    LedgerDriver(engine).say(Grant(10, Never()))
    tombstone = keys.account(SHOP, CUSTOMER)
    engine.client.update_item(
        TableName=engine.table,
        Key=tombstone,
        UpdateExpression="SET erased = :yes",
        ExpressionAttributeValues={":yes": boolean(True)},
    )
    assert not members.save(SHOP, CUSTOMER, CACHED)
    assert not members.claim_refresh(SHOP, CUSTOMER, NOW, SOON)
    assert members.read(SHOP, CUSTOMER) is None
