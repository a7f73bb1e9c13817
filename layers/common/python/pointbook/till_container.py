"""The part of the container for the till: its table, its guard, and what it says of members.

Separate from `container`, so that a function that needs the till but no ledger does not load that.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from pointbook.base_container import BaseContainer, BaseParts
from pointbook.settings import TILL_REFRESHES, Settings
from pointbook.store.table import Table, connect

if TYPE_CHECKING:
    from pointbook.services.guarded_till import GuardedTill
    from pointbook.services.member_numbers import MemberNumbers
    from pointbook.services.till_notices import Operator
    from pointbook.services.till_refresher import TillRefresher
    from pointbook.services.till_refreshes import TillRefreshes
    from pointbook.services.till_views import TillViews
    from pointbook.store.till_comparisons import TillComparisons
    from pointbook.store.till_members import TillMembers
    from pointbook.store.till_state import TillStates
    from pointbook.store.tokens import Cipher
    from pointbook.till.client import Pace
    from pointbook.till.member import Till

    type TillAdapter = Callable[[Mapping[str, str], Pace], Till]

BACKGROUND_SHARE = 0.5
"""The part of the till's calls that background work may take; views of my page have the rest."""


class TillParts(BaseParts, total=False):
    """Parts that a caller, such as a test, gives in place of those that the container builds."""

    dynamodb: Any
    cipher: "Cipher"
    operator: "Operator"
    till_adapter: "TillAdapter"


class TillContainer(BaseContainer):
    """The till of the stack, which serves all of its shops, and the table that it shares."""

    def __init__(self, settings: Settings, **parts: Unpack[TillParts]) -> None:
        """Build nothing yet; `settings` are the checked environment."""
        super().__init__(settings)
        vars(self).update(parts)
        self._till_credentials: tuple[tuple[str, str], ...] | None = None
        self._tills: dict[float, GuardedTill] = {}

    @cached_property
    def dynamodb(self) -> Any:
        """The client of DynamoDB."""
        return connect()

    def till(self, share: float = 1.0) -> "GuardedTill | None":
        """The stack's till with the current credentials, guarded; None if there is none.

        Every call to a till goes through it. Background work takes a `share` below 1 of the calls
        that are allowed in a second, and leaves the rest to views of my page.
        """
        if self.settings.till_provider == "none":
            return None
        credentials = tuple(sorted(self.secrets().till.items()))
        if credentials != self._till_credentials:
            self._till_credentials, self._tills = credentials, {}
        if share not in self._tills:
            self._tills[share] = self._new_till(dict(credentials), share)
        return self._tills[share]

    def till_adapter(self, credentials: Mapping[str, str], pace: "Pace") -> "Till":
        """The adapter of the stack's till, which asks `pace` before each call; unguarded."""
        from pointbook.domain.account import DEFAULT_TIME_ZONE  # noqa: PLC0415 - only with a till
        from pointbook.store.tokens import Tokens  # noqa: PLC0415 - same
        from pointbook.till.providers import Surroundings, till_of  # noqa: PLC0415 - same

        settings = self.settings
        around = Surroundings(
            tokens=Tokens(self._table, self.cipher),
            clock=self.wall_clock,
            pace=pace,
            time_zone=settings.programme_texts.get("time_zone", DEFAULT_TIME_ZONE),
            local_url=settings.local_till_url,
        )
        return till_of(settings.till_provider, credentials, around)

    def till_name(self) -> str:
        """What tells the stack's till from one that it had before; "" if that is not known."""
        from pointbook.till.providers import name_of  # noqa: PLC0415 - only with a till

        return name_of(self.settings.till_provider, self.secrets().till)

    def till_members(self) -> "TillMembers":
        """The store of what the till last said of each customer."""
        from pointbook.store.till_members import TillMembers  # noqa: PLC0415 - for a few functions

        return TillMembers(self._table)

    def till_states(self) -> "TillStates":
        """The store of the till's state."""
        from pointbook.store.till_state import TillStates  # noqa: PLC0415 - for a few functions

        return TillStates(self._table)

    def till_views(self, numbers: "MemberNumbers") -> "TillViews | None":
        """The service that looks members up for views of my page; None without a till."""
        if self.settings.till_provider == "none":
            return None
        from pointbook.services.till_views import TillViews  # noqa: PLC0415 - only with a till

        fresh_seconds, clock = self.settings.till_fresh_seconds, self.wall_clock
        members, refreshes = self.till_members(), self.till_refreshes()
        return TillViews(members, numbers, refreshes, self.till, clock, fresh_seconds)

    def till_refreshes(self) -> "TillRefreshes":
        """The service that requests refreshes of cached members."""
        from pointbook.services.till_refreshes import TillRefreshes  # noqa: PLC0415 - only with a till

        return TillRefreshes(self.till_members(), self.enqueue, self.wall_clock)

    def till_refresher(self, numbers: "MemberNumbers") -> "TillRefresher":
        """The service that refreshes cached members, probes a failing till and notifies of it."""
        from pointbook.services.till_notices import TillNotices  # noqa: PLC0415 - for one function
        from pointbook.services.till_refresher import TillRefresher  # noqa: PLC0415 - same

        states, clock, till = self.till_states(), self.wall_clock, self.till()
        return TillRefresher(
            till=till,
            members=self.till_members(),
            numbers=numbers,
            states=states,
            notices=TillNotices(states, self.operator, clock, self.settings.till_provider),
            clock=clock,
            fresh_seconds=self.settings.till_fresh_seconds,
        )

    def till_status(self) -> dict[str, Any]:
        """The till's state as operators read it."""
        from pointbook.services.till_status import last_comparisons, till_status  # noqa: PLC0415 - for one function

        provider, now = self.settings.till_provider, self.wall_clock.now()
        status = till_status(provider, self.till(), self.till_states().read(), now)
        shops = self.settings.shops
        return status | {"comparisons": last_comparisons(self.till_comparisons(), shops)}

    def till_comparisons(self) -> "TillComparisons":
        """The store of the comparisons with the till."""
        from pointbook.store.till_comparisons import TillComparisons  # noqa: PLC0415 - for two functions

        return TillComparisons(self._table)

    @cached_property
    def cipher(self) -> "Cipher":
        """The cipher of access tokens. Raises SettingsError without a key."""
        from pointbook.aws import kms  # noqa: PLC0415 - not needed on every start

        return kms.KmsCipher(kms.connect(), self.settings.token_key())

    @cached_property
    def operator(self) -> "Operator":
        """The topic that operators subscribe to."""
        from pointbook.aws import topics  # noqa: PLC0415 - for two functions

        return topics.OperatorTopic(topics.connect(), self.settings.operator_topic)

    @cached_property
    def _table(self) -> Table:
        """The ledger's table."""
        return Table(self.dynamodb, self.settings.table_name)

    def _new_till(self, credentials: dict[str, str], share: float) -> "GuardedTill":
        from pointbook.services.guarded_till import Guard, GuardedTill  # noqa: PLC0415 - only with a till
        from pointbook.services.till_pace import TillPace  # noqa: PLC0415 - same
        from pointbook.store.till_calls import TillCalls  # noqa: PLC0415 - same

        settings, clock = self.settings, self.wall_clock
        pace = TillPace(TillCalls(self._table).count, settings.till_calls_per_second, clock, share)
        guard = Guard(
            states=self.till_states(),
            clock=clock,
            probe_seconds=settings.till_probe_seconds,
            announce=self._announce_till,
            has_waited_since=pace.has_waited_since,
        )
        return GuardedTill(self.till_adapter(credentials, pace), guard)

    def _announce_till(self) -> None:
        """Have the operator notified now; the schedule does it where a function has no queue."""
        if TILL_REFRESHES in self.settings.queue_urls:
            from pointbook.services.till_refreshes import announce  # noqa: PLC0415 - seldom needed

            announce(self.enqueue)
