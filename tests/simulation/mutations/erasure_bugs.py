"""The bugs that are planted in what erases merged customers while others write, one at a time.

As in `bugs`: every guard is taken away alone.
"""

from typing import Final

from tests.simulation.mutations.bugs import Bug

CUSTOMERS: Final = "services/privacy/customers.py"
CUSTOMER_ITEMS: Final = "store/customer_items.py"
PRIVACY_SERVICE: Final = "services/privacy/requests.py"
EVENTS: Final = "services/customers.py"
ORDER_SERVICE: Final = "services/orders.py"
REQUESTS: Final = "store/requests.py"

ERASURE_BUGS: Final = (
    Bug(
        "a pseudonym for each request",
        CUSTOMERS,
        "pseudonyms.get(name) or self._dependencies.pseudonyms.draw(self._shop, name)",
        "pseudonyms.get(name) or f'0{id(pseudonyms) % 10**19:019d}'",
    ),
    Bug(
        "a pseudonym that is drawn before its customer is written down",
        CUSTOMERS,
        "            self._save_pseudonyms(\n                {**pseudonyms, **{",
        "            str(\n                {**pseudonyms, **{",
    ),
    Bug(
        "a pseudonym that is used before its customer's book has moved",
        CUSTOMERS,
        "return account is not None and account.erased",
        "return account is not None",
    ),
    Bug(
        "a pseudonym that is never forgotten",
        CUSTOMERS,
        "        self._dependencies.pseudonyms.forget(self._shop, customer_id)\n",
        "",
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
        "        self._repoint_merged_accounts(customer_id)\n",
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
        "                self._rename_idempotency_records(page)\n",
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
        CUSTOMER_ITEMS,
        "[Check(account, NOT_ERASED), Put(item, ABSENT)]",
        "[Check(account, 'attribute_not_exists(nothing)'), Put(item, ABSENT)]",
    ),
    Bug(
        "an order kept under the name of an erased customer",
        REQUESTS,
        "        named.add(write.order.customer_id)\n",
        "        pass\n",
    ),
    Bug(
        "orders that only a second redaction names",
        PRIVACY_SERVICE,
        "kept.with_orders_of(request) if kept.kind is Kind.CUSTOMER else kept",
        "kept",
    ),
    Bug(
        "a redaction that was done is not opened again",
        "domain/privacy.py",
        "        if later.received_at == self.received_at:\n",
        "        if later.received_at:\n",
    ),
    Bug(
        "a file whose worker ended before it looked again",
        PRIVACY_SERVICE,
        "            self._delete_orphaned_files(shop)\n",
        "            pass\n",
    ),
    Bug(
        "every file is taken for an orphan",
        PRIVACY_SERVICE,
        'if self._requests.find(Kind.DATA, shop, f"{customer_id}#{request_id}") is None:',
        "if customer_id:",
    ),
    Bug(
        "an update that brings back what is gone",
        CUSTOMER_ITEMS,
        'f"{PRESENT} AND {update.condition}" if update.condition else PRESENT',
        'update.condition or "attribute_not_exists(nothing)"',
    ),
    Bug(
        "a request remembered under the key of an erased customer who was merged",
        REQUESTS,
        "yield Check(keys.account(write.shop, customer_id), NOT_ERASED)",
        "yield Check(keys.account(write.shop, customer_id), 'attribute_not_exists(nothing)')",
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
        "                order = self._order(order_id)\n"
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
