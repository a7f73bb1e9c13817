"""Bugs in what becomes of orders: each must show once the orders of a few shops are told."""

from typing import Final

from tests.simulation.mutations.bugs import LEDGER, ORDER_POINTS, ORDERS, Bug

READER: Final = "shopify/orders.py"
PAYLOADS: Final = "shopify/order_payloads.py"
SERVICE: Final = "services/orders.py"
PROJECTION: Final = "shopify/projection.py"
TOPICS: Final = "shopify/topics.py"
PROGRAMME: Final = "domain/programme.py"

LIFECYCLE_BUGS: Final = (
    # --- what a payload says ---
    Bug("shipping taken for goods", READER, " if one.kind != _SHIPPING]", "]"),
    Bug(
        "shipping that stands apart taken for goods",
        READER,
        "if refund.names_what_it_is_for:",
        "if refund.refund_line_items:",
    ),
    Bug(
        "a failed refund taken for money",
        READER,
        '{"success", _ON_ITS_WAY}',
        '{"success", _ON_ITS_WAY, "failure"}',
    ),
    Bug(
        "money beside lines overlooked",
        READER,
        "return sum((one.paid for one in adjustments), on_its_way)",
        "return _NOTHING",
    ),
    Bug(
        "money on its way overlooked",
        READER,
        "return sum((one.paid for one in adjustments), on_its_way)",
        "return sum((one.paid for one in adjustments), _NOTHING)",
    ),
    Bug(
        "a discrepancy of the wrong sign",
        PAYLOADS,
        "return -amount - in_shop_money",
        "return amount - in_shop_money",
    ),
    Bug(
        "lines without money taken for paid",
        READER,
        "        return None\n    if refund",
        "        return _NOTHING\n    if refund",
    ),
    Bug(
        "what removed pieces cost overlooked",
        READER,
        "removed=_pieces(order, removed, currency)",
        "removed=_pieces(order, {}, currency)",
    ),
    Bug(
        "pieces taken out by editing overlooked",
        READER,
        "return amount * pieces / line.quantity",
        "return amount",
    ),
    Bug("refunded pieces taken for removed", READER, " - refunded.get(line.id, 0))", ")"),
    Bug(
        "gift cards overlooked",
        READER,
        "        if is_gift_card:\n            sums",
        "        if not net:\n            sums",
    ),
    Bug("a code's hold not found", SERVICE, "hold_id_of(use.code)", "use.code"),
    Bug(
        "a till's points overlooked",
        READER,
        "till_points=_till_points(order.metafields)",
        "till_points=0",
    ),
    Bug("discounts forgotten", PAYLOADS, "return gross - sum(", "return gross or sum("),
    Bug("test orders earn", READER, "is_test=order.test", "is_test=False"),
    Bug(
        "only paid where it still is",
        READER,
        '"paid", "partially_refunded", "refunded"',
        '"refunded"',
    ),
    # --- what headers say, which are not signed ---
    Bug(
        "an order taken for a customer",
        TOPICS,
        '_Form(frozenset({"id"}), _ALL | _CUSTOMER, kind="Customer")',
        '_Form(frozenset({"id"}), frozenset())',
    ),
    Bug(
        "an order earns in the shop of its header",
        TOPICS,
        "if host.endswith(_SHOPIFYS_HOST):",
        "if not host:",
    ),
    Bug(
        "paid by its topic",
        SERVICE,
        "update = self._update_of(facts, message.triggered_at)",
        'paid = facts.paid or message.topic == "orders/paid"\n'
        "        update = self._update_of(replace(facts, paid=paid), message.triggered_at)",
    ),
    Bug(
        "cancelled by its topic",
        SERVICE,
        "update = self._update_of(facts, message.triggered_at)",
        "update = self._update_of(facts, None)\n"
        '        update = replace(update, cancelled=message.topic == "orders/cancelled")',
    ),
    # --- what cannot be read ---
    Bug(
        "a yes or no that cannot be read taken for absent",
        PROJECTION,
        "return value if isinstance(value, bool) else UNREADABLE",
        "return value if isinstance(value, bool) else None",
    ),
    Bug(
        "a time that cannot be read taken for absent",
        PROJECTION,
        "    if found is None:\n        return UNREADABLE",
        "    if found is None:\n        return None",
    ),
    Bug(
        "null taken for absent everywhere",
        PROJECTION,
        "return None if part.null else UNREADABLE",
        "return None",
    ),
    Bug(
        "a status that cannot be read is one",
        PAYLOADS,
        "financial_status: Word | None",
        "financial_status: str | None",
    ),
    # --- what it means ---
    Bug(
        "a refund counted twice",
        ORDERS,
        "refunds[refund.refund_id] = refund",
        "refunds[str(len(refunds))] = refund",
    ),
    Bug(
        "what was first heard of a refund wins",
        ORDERS,
        "known is None or refund.replaces(known)",
        "known is None",
    ),
    Bug(
        "what was last heard of a refund wins",
        ORDERS,
        "known is None or refund.replaces(known)",
        "True",
    ),
    Bug(
        "the money of each refund by itself",
        ORDERS,
        "sum(self._beside_minor(refund) for",
        "sum(max(0, self._beside_minor(refund)) for",
    ),
    Bug(
        "older news wins",
        ORDERS,
        "_precedence(update) > _precedence(self)",
        "_precedence(update) < _precedence(self)",
    ),
    Bug(
        "the latest confirmation counts",
        ORDERS,
        "confirmed_at=min(filter",
        "confirmed_at=max(filter",
    ),
    Bug(
        "a cancellation forgotten by later news",
        ORDERS,
        "self.cancelled or update.cancelled",
        "update.cancelled",
    ),
    Bug("the rule of the latest news", ORDERS, "rule=self.rule or rule", "rule=rule or self.rule"),
    Bug(
        "a guest's rule kept",
        SERVICE,
        "order, order.merged_with(update, None))",
        "order, order.merged_with(update, self._programme.earning_rule((), is_test=False)))",
    ),
    # --- by which tags it earns ---
    Bug(
        "tags asked for at every news",
        SERVICE,
        "if facts is not None and order.merged_with(update, None).lacks_rule:",
        "if facts is not None:",
    ),
    Bug(
        "no tags guessed while Shopify cannot be asked",
        SERVICE,
        "        except (ShopifyRefused, Unavailable) as error:\n",
        "        except Unavailable:\n"
        "            return programme.earning_rule((), is_test=is_test)\n"
        "        except ShopifyRefused as error:\n",
    ),
    Bug(
        "a customer whom Shopify does not know has no tags",
        SERVICE,
        "        if tag_digests is None:\n",
        "        tag_digests = tag_digests or ()\n        if tag_digests is None:\n",
    ),
    Bug(
        "whoever was merged away asked about",
        SERVICE,
        "tag_digests(account.customer_id)",
        "tag_digests(owner)",
    ),
    Bug(
        "tags asked for where nothing is earned",
        PROGRAMME,
        "return self._earns(is_test) and bool(",
        "return bool(",
    ),
    Bug("tax left in", ORDERS, "else priced - tax", "else priced"),
    Bug("no days of waiting", ORDERS, "timedelta(days=self.rule.pending_days)", "timedelta()"),
    Bug(
        "money back takes points one for one",
        ORDERS,
        "money_minor * base_minor, paid_minor",
        "money_minor, 1",
    ),
    # --- what is done ---
    Bug(
        "more is earned than the target",
        ORDER_POINTS,
        "order.target_points - standing, command",
        "order.target_points, command",
    ),
    Bug(
        "pending points not taken back first",
        ORDER_POINTS,
        "min(points, order.pending_points)",
        "0",
    ),
    Bug(
        "a till's points taken twice",
        ORDER_POINTS,
        "spending.hold_id == command.spending_id",
        "not spending.hold_id",
    ),
    Bug(
        "nothing given back after a refund",
        SERVICE,
        "            self._return_spent(refunded.order_id, cause)\n",
        "",
    ),
    Bug(
        "each line of a refund taken for one piece",
        READER,
        "pieces += line.quantity",
        "pieces += 1",
    ),
    Bug("bought pieces not counted", READER, "sum(count for _, count in counted)", "0"),
    Bug(
        "all is back when its price is",
        ORDERS,
        "pieces_back >= pieces if pieces else",
        "back_minor >= bought_minor if bought_minor else",
    ),
    Bug(
        "the share of the pieces, whatever they cost",
        ORDERS,
        "(back_minor, bought_minor) if bought_minor > 0 else",
        "(back_minor, bought_minor) if not pieces else",
    ),
    Bug(
        "what was removed by editing is not back",
        ORDERS,
        "return refunded + removed, count(self.goods) + removed",
        "return refunded, count(self.goods) + removed",
    ),
    Bug(
        "two states of one second taken for one",
        SERVICE,
        "triggered_at=triggered_at,",
        "triggered_at=None,",
    ),
    Bug("nothing given back", SERVICE, "        self._return_spent(facts.order_id, cause)\n", ""),
    Bug(
        "the newest customer takes the order",
        SERVICE,
        "owner = order.customer_id or (facts.customer_id if facts else None)",
        "owner = (facts.customer_id if facts else None) or order.customer_id",
    ),
    Bug(
        "part of a point's worth is free",
        SERVICE,
        "-(-use.amount_minor // record.worth_minor)",
        "use.amount_minor // record.worth_minor",
    ),
    Bug(
        "today's worth of a point",
        SERVICE,
        "// record.worth_minor)",
        "// self._programme.point_worth_minor)",
    ),
    Bug(
        "a merge in the wrong order is lost",
        LEDGER,
        "target = self._loader.followed(shop, target)",
        "pass",
    ),
)
