"""What the till says of a customer, in the form in which it is cached (`store.till_members`)."""

from collections.abc import Callable
from datetime import datetime

from pointbook.deadline import Deadline
from pointbook.domain.ports import Clock
from pointbook.store.till_members import CachedMember, Membership
from pointbook.till.errors import AmbiguousMember, MemberNotRegistered, TillError
from pointbook.till.member import Member, Till


def cached_member(member: Member) -> CachedMember:
    """The cached form of a member that the till knows."""
    return CachedMember(
        membership=Membership.MEMBER,
        member_number=member.member_number,
        as_of=member.as_of,
        till_id=member.till_id,
        balance_points=member.balance_points,
        expires_on=member.expires_on,
        rank=member.rank,
        lots=member.lots,
    )


def cached_till_id(cached: CachedMember | None, member_number: str) -> str | None:
    """The till's own id of the member with this number, which saves a call; None if not known."""
    if cached is None or cached.member_number != member_number:
        return None
    return cached.till_id or None


def cached_refusal(member_number: str, error: TillError, now: datetime) -> CachedMember | None:
    """The cached form of an error that says something of the member; None if it says nothing.

    The number is empty where the customer has none.

    That the till does not know a number, or knows several members by it, is cached as a member is.
    """
    if isinstance(error, MemberNotRegistered):
        return CachedMember(Membership.NOT_REGISTERED, member_number, now)
    if isinstance(error, AmbiguousMember):
        return CachedMember(Membership.AMBIGUOUS, member_number, now)
    return None


def read_member(
    till: Till,
    find_number: Callable[[], str],
    deadline: Deadline,
    clock: Clock,
    before: CachedMember | None = None,
) -> CachedMember:
    """Return what the till says of a customer now, in the form in which it is cached.

    `before` is what was cached. Raises a TillError that says nothing of the member.
    """
    number = ""
    try:
        number = find_number()
        return cached_member(till.member(number, deadline, cached_till_id(before, number)))
    except TillError as error:
        refusal = cached_refusal(number, error, clock.now())
        if refusal is None:
            raise
        return refusal
