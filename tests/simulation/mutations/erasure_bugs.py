"""The bugs that are planted in what erases merged customers while others write, one at a time.

As in `bugs`: every guard is taken away alone.
"""

from typing import Final

from tests.simulation.mutations.bugs import Bug

CUSTOMERS: Final = "services/privacy/customers.py"
BESIDE: Final = "store/beside.py"
EVENTS: Final = "services/customers.py"
ORDER_SERVICE: Final = "services/orders.py"

ERASURE_BUGS: Final = (
    Bug(
        "a pseudonym for each request",
        CUSTOMERS,
        "pseudonyms.get(name) or self._rooms.pseudonyms.draw(self._shop, name)",
        "pseudonyms.get(name) or f'0{id(pseudonyms) % 10**19:019d}'",
    ),
    Bug(
        "a pseudonym that is never forgotten",
        CUSTOMERS,
        "self._rooms.bulk.delete([pseudonym_key(self._shop, customer_id)])",
        "pseudonym_key(self._shop, customer_id)",
    ),
    Bug(
        "a survivor that goes on naming the erased",
        CUSTOMERS,
        "changed.append(renamed_merges(survivor, pseudonyms))",
        "changed.append(survivor)",
    ),
    Bug(
        "a child that leads to an erased customer",
        CUSTOMERS,
        "        self._take_children_along(customer_id)\n",
        "",
    ),
    Bug(
        "orders in the survivor's book are forgotten",
        CUSTOMERS,
        "            self._rename_in_survivors()\n",
        "",
    ),
    Bug(
        "what is remembered goes on naming the erased",
        CUSTOMERS,
        "                self._rename_remembered(page)\n",
        "",
    ),
    Bug(
        "a request for data that is kept",
        CUSTOMERS,
        "                self._forget_requests(customer_id)\n",
        "",
    ),
    Bug(
        "an item beside an erased account",
        BESIDE,
        '"ConditionExpression": NOT_ERASED,',
        '"ConditionExpression": "attribute_not_exists(nothing)",',
    ),
    Bug(
        "an update that brings back what is gone",
        BESIDE,
        'f"{PRESENT} AND {condition}" if condition else PRESENT',
        'condition or "attribute_not_exists(nothing)"',
    ),
    Bug(
        "a source that stays when its survivor is erased",
        EVENTS,
        "    requests.save(PrivacyRequest(",
        "    print(PrivacyRequest(",
    ),
    Bug(
        "a target that is erased with its source",
        EVENTS,
        "message.shop, gone, message.received_at, gone)",
        "message.shop, kept, message.received_at, kept)",
    ),
    Bug(
        "news of an erased customer's order is dropped",
        ORDER_SERVICE,
        "                order = self._order(order_id) or Order(order_id)\n"
        "                if order.customer_id is not None:",
        "                return None\n                if order.customer_id is not None:",
    ),
    Bug(
        "entries deleted while somebody still has to copy them",
        CUSTOMERS,
        "self._copy(account)\n",
        "pass\n",
    ),
)
