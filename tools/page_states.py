"""Every state of my page, as answers of its API: for the pictures, and for the tests in a browser.

The texts and what follows from the programme are made by the package itself; only figures and
history are made up. Nothing runs behind them: a state is shown within a second.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any, cast

from playwright.sync_api import Page, Request, Route

from local import demo, page_bundle
from local.clock import Clock
from local.reverse_proxy import ReverseProxy, Upstreams
from pointbook.domain.programme import default_programme
from pointbook.page.display import Status, display
from pointbook.page.locale import Locale
from pointbook.page.offer import offer

CUSTOMER = "8840734670934"
NAMES: Mapping[Locale, str] = {"en": "Aoi Sato", "ja": "佐藤 葵"}
CODE = "PTS-MKXG-C85A-PRFE-PGGE"
_TODAY = date(2026, 11, 30)
_PROGRAMME = default_programme(1, rank_multipliers="gold=150", pending_days="7")

type Json = dict[str, Any]
type Answer = tuple[int, Json]
type Make = Callable[[Locale], Answer]


@dataclass(frozen=True, slots=True)
class State:
    """What the API answers, and what the customer does then.

    `known` is what is answered without waiting for the till, if it differs. `then` acts on the
    page; `shows` is the part that is there when the state is complete.
    """

    points: Make
    history: Make
    known: Make | None = None
    hold: Make | None = None
    then: Callable[[Page], None] = lambda _: None
    shows: str = "[data-part=headline]"


# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Till:
    """What the till says."""

    status: str = "ok"
    balance: int | None = 1250
    expires_on: date | None = date(2027, 3, 31)
    rank: str | None = "gold"
    master: str = "ledger"


NO_TILL = Till(status="disabled", balance=None, expires_on=None, rank=None)


def points(
    locale: Locale,
    *,
    approved: int = 950,
    pending: int = 120,
    held: Json | None = None,
    so_far: tuple[int, int] = (1580, 450),
    expiring: tuple[tuple[int, str], ...] = ((300, "2026-12-31"), (650, "2027-11-30")),
    till: Till = NO_TILL,
) -> Json:
    """The answer to `GET .../points`; `so_far` is what was earned and used."""
    on_hold = held["points"] if held else 0
    programme = default_programme(1, **{**_PROGRAMME.texts(), "points_master": till.master})
    no_till = till.status == "disabled"
    soonest = date.fromisoformat(expiring[0][1]) if expiring else None
    return {
        "customer_id": CUSTOMER,
        "figures": {
            "approved": approved,
            "pending": pending,
            "total": approved + pending,
            "lifetime": so_far[0],
            "spent": so_far[1],
            "hold": on_hold,
        },
        "expiring": [{"points": lot, "expires_on": day} for lot, day in expiring],
        "hold": held,
        "till": {
            "status": till.status,
            "member_number": None if till.balance is None else CUSTOMER,
            "balance": till.balance,
            "expires_on": till.expires_on.isoformat() if till.expires_on else None,
            "rank": till.rank,
            "as_of": None if till.balance is None else "2026-11-30T03:00:00.000+00:00",
            "stale": False,
        },
        "display": asdict(
            display(
                balance_points=approved if no_till else till.balance,
                expires_on=soonest if no_till else till.expires_on,
                rank=till.rank,
                status=cast("Status", till.status),
                locale=locale,
            )
        ),
        **offer(programme, approved, till.rank),
    }


def hold(state: str = "ready", count: int = 500) -> Json:
    """An open hold."""
    ready = state == "ready"
    return {
        "hold_id": "d193bcbde94f8d1ec5143cb4371462e8",
        "points": count,
        "state": state,
        "discount_code": CODE if ready else None,
        "discount_amount": str(count),
        "currency": "JPY",
        "cart_url": f"https://{demo.SHOP_DOMAIN}/discount/{CODE}?redirect=%2Fcart"
        if ready
        else None,
        "expires_at": "2026-11-30T04:00:00.000+00:00",
        "expires_in_seconds": 588,
    }


@dataclass(slots=True)
class Rows:
    """The entries of a history, the newest first: three days apart, if they do not say when."""

    entries: list[Json] = field(default_factory=list)

    def add(
        self,
        kind: str,
        count: int,
        change: int,
        reason: str | None = None,
        *,
        order: str | None = None,
        comes_on: str | None = None,
        on: date | None = None,
    ) -> "Rows":
        """Add an older entry."""
        number = len(self.entries)
        at = on or _TODAY - timedelta(days=3 * number)
        row = {"kind": kind, "points": count, "change": change}
        self.entries.append(
            {
                "entry_id": f"{CUSTOMER}-{1000 - number:012}",
                "version": 1000 - number,
                "at": f"{at.isoformat()}T01:48:12.317+00:00",
                "topic": "points/add/flow",
                "reason": reason,
                "approved_delta": change,
                "figures": {},
                "row": row | {"order_id": order, "comes_on": comes_on},
            }
        )
        return self


def usual_rows(locale: Locale) -> Rows:
    """A history with one row of most kinds; together they are 950 points."""
    mug = {"en": "Coffee beans", "ja": "コーヒー豆"}[locale]
    review = {"en": "Review of a product", "ja": "商品レビューの投稿"}[locale]
    return (
        Rows()
        .add("pending", 120, 0, "#1009", order="1009", comes_on="2026-12-07")
        .add("used", 300, -300, "#1008", order="1008")
        .add("not_used", 200, 0)
        .add("used", 150, -150, mug)
        .add("added", 50, 50, review)
        .add("taken_back", 80, -80, "#1006", order="1006")
        .add("earned", 680, 680, "#1006", order="1006")
        .add("earned", 750, 750, "#1002", order="1002", on=date(2025, 12, 20))
        .add("expired", 100, -100, on=date(2025, 12, 1))
        .add("welcome", 100, 100, on=date(2024, 11, 8))
    )


def used_up_rows(locale: Locale) -> Rows:
    """A history after which nothing is left."""
    return _after(Rows().add("used", 950, -950, "#1010", order="1010"), usual_rows(locale))


def debt_rows(locale: Locale) -> Rows:
    """A history after which 50 points are owed."""
    return _after(Rows().add("taken_back", 50, -50, "#1002", order="1002"), used_up_rows(locale))


def held_rows(locale: Locale) -> Rows:
    """A history with 500 points that are reserved."""
    return _after(Rows().add("reserved", 500, 0), usual_rows(locale))


def _after(newer: Rows, older: Rows) -> Rows:
    return Rows(newer.entries + older.entries)


def history(rows: Callable[[Locale], Rows] = usual_rows, cursor: str | None = None) -> Make:
    """The answer to `GET .../points/history`."""
    return lambda locale: (200, {"entries": rows(locale).entries, "next_cursor": cursor})


def shown(**changes: Any) -> Make:
    """An answer with points."""
    return lambda locale: (200, points(locale, **changes))


def problem(status: int, code: str, **members: object) -> Make:
    """A refusal or a failure."""
    return lambda _: (status, {"code": code, "status": status, **members})


# --- what customers do ----------------------------------------------------------------------------


def ask_for_a_code(page: Page) -> None:
    """Press the button of the form."""
    page.locator("[data-part=hold-form] .pb-main").click()


def ask_for_too_many(page: Page) -> None:
    """Ask for more points than there are."""
    page.locator("#pb-amount").fill("9999")
    ask_for_a_code(page)


def open_all(page: Page) -> None:
    """Open what is folded away."""
    for fold in page.locator("#points details").all():
        fold.locator("summary").click()


_NO_MORE_TO_COME = history(lambda locale: Rows(usual_rows(locale).entries[1:]))
_OTHER_TILL = Till()
_KEPT_LOT = ((450, "2027-11-30"),)
_FAILED = Till(status="unavailable", balance=None, expires_on=None, rank=None)
_ERROR = "[data-part=error]"
_STORE = "[data-part=store]"

STATES: Mapping[str, State] = {
    "points": State(shown(till=_OTHER_TILL), history(cursor="991")),
    "everything-open": State(shown(till=_OTHER_TILL), history(), then=open_all),
    "no-till": State(shown(pending=0), _NO_MORE_TO_COME),
    "till-agrees": State(
        shown(till=Till(balance=950, expires_on=None), pending=0), _NO_MORE_TO_COME
    ),
    "till-pending": State(
        shown(till=_OTHER_TILL),
        history(),
        known=shown(till=Till(status="pending", balance=None, rank=None, expires_on=None)),
        shows=_STORE,
    ),
    "till-not-registered": State(
        shown(till=Till(status="not_registered", balance=None, expires_on=None, rank=None)),
        history(),
        shows=_STORE,
    ),
    "till-unavailable": State(shown(till=_FAILED), history(), shows=_STORE),
    "till-timeout": State(
        shown(till=Till(status="timeout", balance=None, expires_on=None, rank=None)),
        history(),
        shows=_STORE,
    ),
    "till-is-master": State(shown(till=Till(master="till")), history(cursor="991")),
    "till-is-master-and-fails": State(
        shown(till=replace(_FAILED, master="till")), history(), shows=_STORE
    ),
    "new-customer": State(
        shown(approved=0, pending=0, so_far=(0, 0), expiring=()), history(lambda _: Rows())
    ),
    "nothing-left": State(
        shown(approved=0, so_far=(1580, 1400), expiring=()), history(used_up_rows)
    ),
    "debt": State(shown(approved=-50, so_far=(1580, 1400), expiring=()), history(debt_rows)),
    "hold": State(
        shown(approved=450, held=hold(), expiring=_KEPT_LOT, till=_OTHER_TILL),
        history(held_rows),
        shows="[data-part=cart-link]",
    ),
    "hold-preparing": State(
        shown(approved=450, held=hold("preparing"), expiring=_KEPT_LOT),
        history(held_rows),
        shows=".pb-held",
    ),
    "hold-releasing": State(
        shown(approved=450, held=hold("releasing"), expiring=_KEPT_LOT),
        history(held_rows),
        shows=".pb-held",
    ),
    "amount-wrong": State(shown(), history(), then=ask_for_too_many, shows=_ERROR),
    "hold-failed": State(
        shown(),
        history(),
        hold=problem(503, "hold_failed", may_be_retried=True),
        then=ask_for_a_code,
        shows=_ERROR,
    ),
    "hold-failed-by-setting": State(
        shown(),
        history(),
        hold=problem(503, "hold_failed", may_be_retried=False),
        then=ask_for_a_code,
        shows=_ERROR,
    ),
    "outage": State(problem(503, "ledger_unavailable"), history(), shows=_ERROR),
    "logged-out": State(
        problem(401, "token_missing", login_url="https://shop.example/login"),
        problem(401, "token_missing"),
        shows=_ERROR,
    ),
    "history-outage": State(shown(), problem(503, "ledger_unavailable"), shows=_ERROR),
    "long-numbers": State(
        shown(
            approved=1_234_567_890,
            pending=123_456_789,
            expiring=((1_234_567_890, "2027-11-30"),),
            till=Till(balance=-1_234_567_890),
        ),
        history(lambda _: Rows().add("used", 10**9, -(10**9)).add("added", 10**9, 10**9), "991"),
    ),
}
"""The states, by names that are used as the names of pictures."""


# --- the page -------------------------------------------------------------------------------------


@contextmanager
def served_page() -> Iterator[str]:
    """Serve my page, bundled, with nothing behind it; yield its address."""
    with TemporaryDirectory() as folder:
        proxy = ReverseProxy(0, Clock(Path(folder) / "clock.json"))
        proxy.upstreams = Upstreams(1, "none", {}, page_bundle.bundle(Path(folder) / "page"))
        thread = Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_port}"
        finally:
            proxy.shutdown()
            proxy.server_close()


def answer_as(page: Page, state: State, locale: Locale) -> None:
    """Answer the page's requests as in this state, and no longer as in another."""

    def reply(route: Route, make: Make) -> None:
        status, body = make(locale)
        route.fulfill(status=status, json=body)

    def on_points(route: Route, request: Request) -> None:
        reply(route, state.known if state.known and "till=known" in request.url else state.points)

    page.unroute_all()
    session = {"name": NAMES[locale], "session_token": "token"}
    page.route("**/_login", lambda route: route.fulfill(json=session))
    page.route("**/customers/me/points?*", on_points)
    page.route("**/customers/me/points/history?*", lambda route: reply(route, state.history))
    refused = problem(HTTPStatus.SERVICE_UNAVAILABLE, "hold_failed", may_be_retried=True)
    page.route("**/customers/me/holds", lambda route: reply(route, state.hold or refused))


def open_state(page: Page, url: str, name: str, locale: Locale) -> None:
    """Open my page in this state, and wait until it is there."""
    state = STATES[name]
    answer_as(page, state, locale)
    page.goto(f"{url}/?locale={locale}")
    page.locator("#points:not([aria-busy])").wait_for()
    state.then(page)
    page.locator(f"#points {state.shows}").first.wait_for()
