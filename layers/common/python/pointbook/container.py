"""The container of the functions that use the ledger: builds and connects all parts.

Every process has one, built in one call; a test builds one with fakes in the same way. Parts that
only some functions need are imported where they are built.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, Unpack

from pointbook.base_container import Cached
from pointbook.domain.programme import Programme
from pointbook.ledger.read_only import ReadOnlyLedger
from pointbook.reconciliation_container import ReconciliationContainer
from pointbook.settings import Settings, Stage
from pointbook.store.dynamodb import DynamoStore
from pointbook.store.programmes import PARAMETERS_MIN_AGE, Deployment, Programmes
from pointbook.till_container import BACKGROUND_SHARE, TillParts

if TYPE_CHECKING:
    from pointbook.domain.programme_rules import TillPush
    from pointbook.ledger.ledger import Ledger
    from pointbook.services.customers import CustomerDirectory
    from pointbook.services.holds import HoldService
    from pointbook.services.member_numbers import CustomerMetafields, MemberNumbers
    from pointbook.services.metafields.writer import MetafieldWriter
    from pointbook.services.metafields.writer import Shopify as MetafieldsOfShop
    from pointbook.services.my_page import MyPage
    from pointbook.services.order_points import OrderPoints
    from pointbook.services.orders import CustomerTags, OrderService
    from pointbook.services.orphaned_codes import OrphanedCodeService
    from pointbook.services.points_history import PointsHistory
    from pointbook.services.ports import Discounts
    from pointbook.services.privacy.requests import PrivacyService
    from pointbook.services.publishing.reminders import ReminderSender
    from pointbook.services.publishing.reports import ReportSender
    from pointbook.services.publishing.runs import Publisher
    from pointbook.services.publishing.shop_run import Flow
    from pointbook.services.till_push.echoes import TillEchoes
    from pointbook.services.verification import Verification
    from pointbook.shopify.admin import AdminApi
    from pointbook.store.privacy_requests import PrivacyRequests
    from pointbook.store.trigger_subscriptions import TriggerSubscriptions

    class Customers(CustomerDirectory, CustomerTags, CustomerMetafields, Protocol):
        """The customers of a shop: whether they exist, their tags and metafields."""


class Parts(TillParts, total=False):
    """Parts that a caller, such as a test, gives in place of those that the container builds."""

    s3: Any
    admin_api: Callable[[str], "AdminApi"]
    customers: Callable[[str], "Customers"]
    discounts: Callable[[str], "Discounts"]
    flow: Callable[[str], "Flow"]
    metafields: Callable[[str], "MetafieldsOfShop"]


class Container(ReconciliationContainer):
    """All parts; those of a shop are created by its domain."""

    def __init__(self, settings: Settings, **parts: Unpack[Parts]) -> None:
        """Build nothing yet; `settings` are the checked environment."""
        super().__init__(settings)
        vars(self).update(parts)
        self._programmes: dict[str, Cached[Programme]] = {}
        self._admin_apis: dict[str, AdminApi] = {}

    # --- the ledger and the programme -----------------------------------------------------------

    @cached_property
    def store(self) -> DynamoStore:
        """The accounts, entries, orders and holds of all shops."""
        return DynamoStore(self._table)

    @cached_property
    def ledger(self) -> "Ledger":
        """The ledger of all shops."""
        from pointbook.ledger.ledger import Ledger  # noqa: PLC0415 - my page only reads
        from pointbook.services.alarms import raise_alarm  # noqa: PLC0415 - same

        return Ledger(self.store, self.clock, alarm=raise_alarm)

    @cached_property
    def read_only_ledger(self) -> ReadOnlyLedger:
        """The ledger of all shops for reading, which loads no command."""
        return ReadOnlyLedger(self.store, self.clock)

    def programme(self, shop: str) -> Programme:
        """The programme in force, cached for a minute."""
        # On a laptop no two releases run side by side, so its parameters hold at once.
        min_age = timedelta() if self.settings.stage is Stage.LOCAL else PARAMETERS_MIN_AGE
        return self._cached_programme(
            f"programme of {shop}", lambda: self._programmes_with(min_age).in_force(shop)
        )

    def shown_programme(self, shop: str) -> Programme:
        """The programme that a shop's customers are shown, cached for a minute.

        Only for reading: it may be one that the next write replaces.
        """

        def read() -> Programme:
            version = self._programmes_with(PARAMETERS_MIN_AGE).latest(shop)
            return version.programme if version else self.default_programme

        return self._cached_programme(f"latest programme of {shop}", read)

    @cached_property
    def default_programme(self) -> Programme:
        """The programme that shops start with, from the parameters of the deployment."""
        return self.settings.default_programme()

    # --- services -------------------------------------------------------------------------------

    def order_service(self, shop: str) -> "OrderService":
        """The service that carries out messages about a shop's orders, under its programme."""
        from pointbook.services.orders import OrderService  # noqa: PLC0415 - for two functions

        programme, customers = self.programme(shop), partial(self.customers, shop)
        return OrderService(shop, self.ledger, self.clock, programme, customers)

    def hold_service(self, shop: str) -> "HoldService":
        """The service that takes and releases holds, under a shop's programme."""
        from pointbook.services.holds import HoldService  # noqa: PLC0415 - for two functions
        from pointbook.store.hold_calls import HoldCallLimiter  # noqa: PLC0415 - same

        programme = self.programme(shop)
        return HoldService(
            shop=shop,
            ledger=self.ledger,
            clock=self.clock,
            programme=programme,
            discounts=self.discounts(shop),
            call_limiter=HoldCallLimiter(self._table),
            code_key=self.secrets().hold_code_key(),
        )

    def orphaned_code_service(self) -> "OrphanedCodeService":
        """The service that deactivates orphaned discount codes."""
        from pointbook.services.orphaned_codes import OrphanedCodeService  # noqa: PLC0415 - for one function
        from pointbook.store.orphaned_codes import OrphanedCodes  # noqa: PLC0415 - same

        return OrphanedCodeService(OrphanedCodes(self._table), self.clock, self.discounts)

    def privacy_service(self) -> "PrivacyService":
        """The service that carries out requests for data and for erasure."""
        from pointbook.aws.files import PrivacyFiles  # noqa: PLC0415 - for two functions
        from pointbook.services.privacy.dependencies import Dependencies  # noqa: PLC0415 - same
        from pointbook.services.privacy.requests import PrivacyService  # noqa: PLC0415 - same
        from pointbook.store.installations import Installations  # noqa: PLC0415 - same
        from pointbook.store.pseudonyms import Pseudonyms  # noqa: PLC0415 - same
        from pointbook.store.stored_items import StoredItems  # noqa: PLC0415 - same

        dependencies = Dependencies(
            store=self.store,
            requests=self.privacy_requests(),
            items=StoredItems(self._table, self.clock),
            pseudonyms=Pseudonyms(self._table),
            installations=Installations(self._table),
            till_members=self.till_members(),
            files=PrivacyFiles(self.s3, self.settings.privacy_bucket),
            clock=self.clock,
            delete_metafields=self._delete_metafields,
        )
        return PrivacyService(dependencies, self.operator)

    def privacy_requests(self) -> "PrivacyRequests":
        """The store of privacy requests."""
        from pointbook.store.privacy_requests import PrivacyRequests  # noqa: PLC0415 - for three functions

        return PrivacyRequests(self._table)

    @cached_property
    def publisher(self) -> "Publisher":
        """The publisher of changes; one for each process, as it knows the paused shops."""
        from pointbook.services.metafields.requests import MetafieldRequests  # noqa: PLC0415 - for one function
        from pointbook.services.publishing.outbox import OutboxPublisher  # noqa: PLC0415 - same
        from pointbook.services.publishing.runs import Publisher  # noqa: PLC0415 - same
        from pointbook.store.metafields import Metafields  # noqa: PLC0415 - same
        from pointbook.store.outbox import Outbox  # noqa: PLC0415 - same

        outbox, clock = Outbox(self._table), self.wall_clock
        sender = OutboxPublisher(outbox, self.trigger_subscriptions(), self.flow, clock)
        metafields = Metafields(self._table, clock)
        requests = MetafieldRequests(metafields, self.shown_programme, clock)
        return Publisher(outbox, sender, clock, on_change=requests.request)

    def metafield_writer(self, call_seconds: float = 8.0) -> "MetafieldWriter":
        """The service that writes customers' metafields; `call_seconds` for each of its calls."""
        from pointbook.services.metafields.writer import MetafieldWriter  # noqa: PLC0415 - for one function
        from pointbook.store.metafields import Metafields  # noqa: PLC0415 - same

        return MetafieldWriter(
            store=Metafields(self._table, self.wall_clock),
            shopify=self.metafields,
            customers=self.customers,
            programme=self.shown_programme,
            rank=self._rank,
            clock=self.clock,
            wall_clock=self.wall_clock,
            call_seconds=call_seconds,
        )

    @cached_property
    def till_publisher(self) -> "Publisher":
        """The publisher of changes to the till; one for each process, as `publisher` is."""
        from pointbook.services.till_push.pusher import publisher  # noqa: PLC0415 - for one function

        till, members = partial(self.till, BACKGROUND_SHARE), self.till_members()
        number, mode = self.member_numbers.number, self.till_push
        name = self.till_name
        return publisher(self._table, members, till, mode, self.wall_clock, number, name)

    def till_echoes(self) -> "TillEchoes":
        """The service that recognizes pushes to the till that come back as its reports."""
        from pointbook.services.till_push.echoes import TillEchoes  # noqa: PLC0415 - for reports only
        from pointbook.store.till_pushes import TillPushes  # noqa: PLC0415 - same

        pushes, number = TillPushes(self._table), self.member_numbers.number
        return TillEchoes(pushes, self.ledger, self.till, self.wall_clock, number)

    def report_sender(self, shop: str) -> "ReportSender":
        """The service behind the action "report points"."""
        from pointbook.services.publishing.reports import ReportSender  # noqa: PLC0415 - for one function
        from pointbook.store.reports import Reports  # noqa: PLC0415 - same

        programme = self.programme(shop)
        return ReportSender(
            ledger=self.ledger,
            reports=Reports(self._table),
            subscriptions=self.trigger_subscriptions(),
            flow=self.flow,
            clock=self.clock,
            per_hour=programme.flow_entries_per_hour,
        )

    def reminder_sender(self) -> "ReminderSender":
        """The service that sends the trigger of points that will expire."""
        from pointbook.services.publishing.reminders import ReminderSender  # noqa: PLC0415 - for one function
        from pointbook.store.sent_reminders import Reminders  # noqa: PLC0415 - same

        return ReminderSender(
            store=self.store,
            reminders=Reminders(self._table, self.wall_clock),
            subscriptions=self.trigger_subscriptions(),
            flow=self.flow,
            programme=self.programme,
            clock=self.clock,
            wall_clock=self.wall_clock,
        )

    def verification(self) -> "Verification":
        """A verification of the ledger; each run needs one of its own, which counts its units."""
        from pointbook.aws.metered import MeteredClient  # noqa: PLC0415 - for one function
        from pointbook.services.verification import Verification, log_fault  # noqa: PLC0415 - same
        from pointbook.store.ledger_reader import LedgerReader  # noqa: PLC0415 - same

        client = MeteredClient(self.dynamodb, self.wall_clock)
        reader = LedgerReader(client, self.settings.table_name, self.wall_clock)
        return Verification(reader, self.privacy_requests(), log_fault)

    def trigger_subscriptions(self) -> "TriggerSubscriptions":
        """The store of the triggers that any workflow uses."""
        from pointbook.store.trigger_subscriptions import TriggerSubscriptions  # noqa: PLC0415 - for four functions

        return TriggerSubscriptions(self._table)

    @cached_property
    def my_page(self) -> "MyPage":
        """My page's service: the ledger and the till. It only reads, so it needs no programme."""
        from pointbook.services.my_page import MyPage  # noqa: PLC0415 - for two functions

        return MyPage(self.read_only_ledger, self.till_views(self.member_numbers))

    @cached_property
    def member_numbers(self) -> "MemberNumbers":
        """The numbers under which the till knows customers, by each shop's programme."""
        from pointbook.services.member_numbers import MemberNumbers  # noqa: PLC0415 - for a few functions

        return MemberNumbers(lambda shop: self.shown_programme(shop).member_number, self.customers)

    def order_points(self, shop: str) -> "OrderPoints":
        """The service that shows a shop's customers the points of their orders."""
        from pointbook.services.order_points import OrderPoints  # noqa: PLC0415 - for one function

        return OrderPoints(self.read_only_ledger, self.clock, self.shown_programme(shop).time_zone)

    def points_history(self) -> "PointsHistory":
        """My page's history. It only reads."""
        from pointbook.services.points_history import PointsHistory  # noqa: PLC0415 - for one function

        return PointsHistory(self.read_only_ledger)

    # --- Shopify and AWS ---------------------------------------------------------------------

    def admin_api(self, shop: str) -> "AdminApi":
        """The Admin API of a shop, with an access token that all functions share.

        Raises SettingsError if the function does not have the tokens' key.
        """
        if shop not in self._admin_apis:
            self._admin_apis[shop] = self._new_admin_api(shop)
        return self._admin_apis[shop]

    def customers(self, shop: str) -> "Customers":
        """The customers of a shop in Shopify."""
        from pointbook.shopify.customers import Customers  # noqa: PLC0415 - not needed on every start

        return Customers(self.admin_api(shop))

    def discounts(self, shop: str) -> "Discounts":
        """The discount codes of a shop."""
        from pointbook.shopify.discounts import Discounts  # noqa: PLC0415 - not needed on every start

        return Discounts(self.admin_api(shop))

    def flow(self, shop: str) -> "Flow":
        """Shopify Flow of a shop."""
        from pointbook.shopify.flow_triggers import FlowTriggers  # noqa: PLC0415 - not needed on every start

        return FlowTriggers(self.admin_api(shop))

    def metafields(self, shop: str) -> "MetafieldsOfShop":
        """The metafields of a shop's customers."""
        from pointbook.shopify.metafields import CustomerMetafields  # noqa: PLC0415 - for one function

        return CustomerMetafields(self.admin_api(shop))

    @cached_property
    def s3(self) -> Any:
        """The client of S3."""
        from pointbook.aws import bucket  # noqa: PLC0415 - for two functions

        return bucket.connect()

    def till_push(self, shop: str) -> "TillPush":
        """What a shop's programme pushes to the till."""
        return self.programme(shop).pushed

    def _rank(self, shop: str, customer_id: str) -> str | None:
        """The rank that the till last gave a customer, as the shop's customers read it."""
        if self.settings.till_provider == "none":
            return None
        from pointbook.page.display import rank_label  # noqa: PLC0415 - only with a till

        cached = self.till_members().read(shop, customer_id)
        if cached is None:
            return None
        programme = self.shown_programme(shop)
        locale: Literal["en", "ja"] = "ja" if programme.locale == "ja" else "en"
        return rank_label(cached.rank, locale, programme.rank_labels)

    def _delete_metafields(self, shop: str, customer_ids: Sequence[str]) -> None:
        """Delete the metafields of erased customers within a few seconds, if Shopify answers."""
        self.metafield_writer(call_seconds=3.0).delete(shop, customer_ids, seconds=6.0)

    def _cached_programme(self, name: str, read: Callable[[], Programme]) -> Programme:
        if name not in self._programmes:
            self._programmes[name] = Cached(name, read, self.monotonic)
        return self._programmes[name].get()

    def _programmes_with(self, min_age: timedelta) -> Programmes:
        deployment = Deployment(self.default_programme, min_age)
        return Programmes(self._table, self.clock, deployment)

    def _new_admin_api(self, shop: str) -> "AdminApi":
        from pointbook.shopify.admin_access import connect  # noqa: PLC0415 - urllib3 takes its time
        from pointbook.store.tokens import Tokens  # noqa: PLC0415 - same

        url, tokens = self.settings.local_shopify_url, Tokens(self._table, self.cipher)
        return connect(shop, url, self.app_keys, tokens, self.wall_clock)
