"""Puts the parts together, once for each start of a function that opens the books.

Here and in `environment` is the only shared state there is.
"""

from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from pointbook.clock import SystemClock
from pointbook.domain.programme import Programme
from pointbook.environment import app_keys, clock, kept, secrets, settings
from pointbook.ledger.ledger import Ledger
from pointbook.services.alarms import raise_alarm
from pointbook.services.my_page import MyPage
from pointbook.settings import Stage
from pointbook.store.dynamodb import DynamoStore, connect
from pointbook.store.programmes import PARAMETERS_REST, Deployment, Programmes
from pointbook.till.member import Till

if TYPE_CHECKING:
    from pointbook.services.holds import HoldService
    from pointbook.services.orders import OrderService
    from pointbook.services.orphaned_codes import OrphanedCodeService
    from pointbook.services.privacy.requests import PrivacyService
    from pointbook.services.publishing.reminders import ReminderSender
    from pointbook.services.publishing.reports import ReportSender
    from pointbook.services.publishing.runs import Publisher
    from pointbook.shopify.admin import AdminApi
    from pointbook.shopify.customers import Customers
    from pointbook.shopify.discounts import Discounts
    from pointbook.shopify.flow_triggers import FlowTriggers
    from pointbook.store.privacy_requests import PrivacyRequests
    from pointbook.store.trigger_subscriptions import TriggerSubscriptions


@cache
def store() -> DynamoStore:
    """The books of all shops."""
    return DynamoStore(_client(), settings().table_name)


@cache
def ledger() -> Ledger:
    """The ledger of all shops."""
    return Ledger(store(), clock(), alarm=raise_alarm)


def programme(shop: str) -> Programme:
    """The programme in force."""
    # On a laptop no two releases run side by side, so its parameters hold at once.
    rest = timedelta() if settings().stage is Stage.LOCAL else PARAMETERS_REST
    deployment = Deployment(first_programme(), rest)
    programmes = Programmes(_client(), settings().table_name, clock(), deployment)
    return kept(f"programme of {shop}", lambda: programmes.in_force(shop))


@cache
def first_programme() -> Programme:
    """The programme of the deployment, with which shops start."""
    return settings().first_programme()


def shown_programme(shop: str) -> Programme:
    """The rules that a shop's customers are shown.

    Only reads, so it may tell of a programme that the next write replaces; that write refuses.
    """
    deployment = Deployment(first_programme())
    programmes = Programmes(_client(), settings().table_name, clock(), deployment)
    version = kept(f"latest programme of {shop}", lambda: programmes.latest(shop))
    return version.programme if version else first_programme()


def order_service(shop: str) -> "OrderService":
    """What carries out news of a shop's orders under its programme."""
    from pointbook.services.orders import OrderService  # noqa: PLC0415 - reads payloads with pydantic

    rules, asked = programme(shop), partial(customers, shop)
    return OrderService(shop, ledger(), clock(), rules, asked)


def hold_service(shop: str) -> "HoldService":
    """What takes points for checkouts and gives them back, under a shop's programme."""
    from pointbook.services.holds import HoldService  # noqa: PLC0415 - not needed on every start
    from pointbook.store.pace import HoldCalls  # noqa: PLC0415 - same

    rules = programme(shop)
    return HoldService(
        shop=shop,
        ledger=ledger(),
        clock=clock(),
        programme=rules,
        discounts=discounts(shop),
        calls=HoldCalls(_client(), settings().table_name),
        code_key=secrets().hold_code_key(),
    )


def discounts(shop: str) -> "Discounts":
    """The discount codes of a shop."""
    from pointbook.shopify.discounts import Discounts  # noqa: PLC0415 - same

    return Discounts(shopify_admin(shop))


def customers(shop: str) -> "Customers":
    """The customers of a shop, as Shopify knows them."""
    from pointbook.shopify.customers import Customers  # noqa: PLC0415 - same

    return Customers(shopify_admin(shop))


def orphaned_code_service() -> "OrphanedCodeService":
    """What switches off codes that nobody holds points for."""
    from pointbook.services.orphaned_codes import OrphanedCodeService  # noqa: PLC0415 - same
    from pointbook.store.orphaned_codes import OrphanedCodes  # noqa: PLC0415 - same

    return OrphanedCodeService(OrphanedCodes(_client(), settings().table_name), clock(), discounts)


def privacy_service() -> "PrivacyService":
    """What carries out requests for data and for erasure."""
    from pointbook.aws.topics import OperatorTopic  # noqa: PLC0415 - for two functions only, as the rest
    from pointbook.services.privacy.dependencies import Dependencies  # noqa: PLC0415
    from pointbook.services.privacy.requests import PrivacyService  # noqa: PLC0415
    from pointbook.store.bulk import Bulk  # noqa: PLC0415
    from pointbook.store.files import PrivacyFiles, connect_files  # noqa: PLC0415
    from pointbook.store.privacy_requests import PrivacyRequests  # noqa: PLC0415
    from pointbook.store.pseudonyms import Pseudonyms  # noqa: PLC0415

    current, client = settings(), _client()
    files = PrivacyFiles(connect_files(), current.privacy_bucket)
    bulk = Bulk(client, current.table_name, clock())
    rooms = Dependencies(store(), bulk, files, Pseudonyms(client, current.table_name), clock())
    requests = PrivacyRequests(client, current.table_name)
    return PrivacyService(requests, rooms, OperatorTopic(current.operator_topic))


def privacy_requests() -> "PrivacyRequests":
    """Where a customer who is to be erased is written down."""
    from pointbook.store.privacy_requests import PrivacyRequests  # noqa: PLC0415 - not on every start

    return PrivacyRequests(_client(), settings().table_name)


def publisher() -> "Publisher":
    """What tells Shopify Flow; the same each time, for it knows which shops are to rest."""
    if "publisher" not in _parts:
        _parts["publisher"] = _publisher()
    found: Publisher = _parts["publisher"]
    return found


def listening() -> "TriggerSubscriptions":
    """What Shopify has said of who listens to triggers."""
    from pointbook.store.trigger_subscriptions import TriggerSubscriptions  # noqa: PLC0415 - not needed on every start

    return TriggerSubscriptions(_client(), settings().table_name)


def report_sender(shop: str) -> "ReportSender":
    """What tells Shopify Flow a customer's figures because a workflow asked."""
    from pointbook.services.publishing.reports import ReportSender  # noqa: PLC0415 - for one function
    from pointbook.store.reports import Reports  # noqa: PLC0415 - same

    rules = programme(shop)
    return ReportSender(
        ledger=ledger(),
        reports=Reports(_client(), settings().table_name),
        subscriptions=listening(),
        flow=_flow_triggers,
        clock=clock(),
        per_hour=rules.flow_entries_per_hour,
    )


def reminder_sender() -> "ReminderSender":
    """What tells Shopify Flow of points that will expire."""
    from pointbook.services.publishing.reminders import ReminderSender  # noqa: PLC0415 - for one function
    from pointbook.store.sent_reminders import Reminders  # noqa: PLC0415 - same

    world = SystemClock()  # claims bind others: real time
    return ReminderSender(
        store=store(),
        reminders=Reminders(_client(), settings().table_name, world),
        subscriptions=listening(),
        flow=_flow_triggers,
        leads=lambda shop: programme(shop).reminder_days,
        clock=clock(),
        world=world,
    )


def shopify_admin(shop: str) -> "AdminApi":
    """The Admin API of a shop, with an access token that all functions share.

    Raises SettingsError where the function is not given the tokens' key.
    """
    name = f"admin of {shop}"
    if name not in _parts:
        _parts[name] = _shopify_admin(shop)
    found: AdminApi = _parts[name]
    return found


def till() -> Till | None:
    """The till that the shop has, if it has one, with the credentials of the moment."""
    if settings().till_provider == "none":
        return None
    from pointbook.till.smaregi_config import till_of  # noqa: PLC0415 - only where there is a till

    given = tuple(sorted(secrets().till.items()))
    if _parts.get("credentials") != given:
        _parts.update(credentials=given, till=till_of(dict(given), settings().local_till_url))
    found: Till = _parts["till"]
    return found


_parts: dict[str, Any] = {}
"""The till of the credentials last seen, the page that asks it, Admin APIs by shop, the outbox."""


def my_page() -> MyPage:
    """My page: the ledger and the till. It reads only, so no programme is needed."""
    asked = till()
    page: MyPage | None = _parts.get("page")
    if page is None or page.till is not asked:
        page = MyPage(ledger(), asked)
        _parts["page"] = page
    return page


def _publisher() -> "Publisher":
    from pointbook.services.publishing.outbox import OutboxPublisher  # noqa: PLC0415 - for one function, as the rest
    from pointbook.services.publishing.runs import Publisher  # noqa: PLC0415
    from pointbook.store.outbox import Outbox  # noqa: PLC0415

    outbox = Outbox(_client(), settings().table_name)
    world = SystemClock()  # leases bind others: real time
    desk = OutboxPublisher(
        outbox=outbox, subscriptions=listening(), flow=_flow_triggers, clock=world
    )
    return Publisher(outbox, desk, world)


def _flow_triggers(shop: str) -> "FlowTriggers":
    from pointbook.shopify.flow_triggers import FlowTriggers  # noqa: PLC0415 - where one is sent

    return FlowTriggers(shopify_admin(shop))


def _shopify_admin(shop: str) -> "AdminApi":
    # Not needed on every start, and requests takes its time.
    from pointbook.aws.kms import KmsCipher  # noqa: PLC0415
    from pointbook.http.transport import Transport  # noqa: PLC0415
    from pointbook.shopify.admin import CONNECT_SECONDS, WORKERS, AdminApi  # noqa: PLC0415
    from pointbook.shopify.admin_access import AdminAccess  # noqa: PLC0415
    from pointbook.store.tokens import Tokens  # noqa: PLC0415

    local_url = settings().local_shopify_url
    base_url = f"{local_url}/{shop}" if local_url else f"https://{shop}"
    tokens = Tokens(_client(), settings().table_name, KmsCipher(settings().token_key()))
    calls = Transport("shopify", workers=WORKERS, connect_seconds=CONNECT_SECONDS)
    world = SystemClock()  # tokens live in real time, wherever the ledger's clock stands
    access = AdminAccess(shop, base_url, app_keys, tokens, calls, world)
    return AdminApi(base_url, access, calls, world)


@cache
def _client() -> Any:
    return connect()
