// Finding a customer or an order, and all that there is to see of them, for the app's own page.

import { useState } from "preact/hooks";
import { Adjust } from "./adjust.jsx";
import { Account, History, OrderPoints, Problem, useAnswer } from "./parts.jsx";
import { customerNumber, find, pastInstant } from "./search.js";

/** @param {{api: any, words: any, say: any, me: any, query: any, store: any}} props */
export function Customers({ api, words, say, me, query, store }) {
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const [isFailed, setFailed] = useState(false);
  const [shown, setShown] = useState(/** @type {{customer?: any, order?: any} | null} */ (null));

  const search = async () => {
    const number = customerNumber(typed);
    if (number) return setShown({ customer: { id: number, name: say.customerNumber(number), email: "" } });
    if (!typed.trim()) return undefined;
    setBusy(true);
    setFailed(false);
    await find(query, typed).then(setFound, () => setFailed(true));
    return setBusy(false);
  };

  if (shown) {
    return (
      <s-stack gap="base">
        <s-button id="back" variant="secondary" onClick={() => setShown(null)}>
          {say.back}
        </s-button>
        {shown.customer && <Customer key={shown.customer.id} {...{ api, words, say, me, store }} customer={shown.customer} />}
        {shown.order && (
          <s-section heading={say.orderOf(shown.order.name)}>
            <OrderPoints api={api} words={words} orderId={shown.order.id} />
          </s-section>
        )}
      </s-stack>
    );
  }
  return (
    <s-section heading={say.search}>
      <s-stack gap="base">
        <s-text-field
          id="search"
          label={say.search}
          details={say.searchHelp}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <s-button id="search-act" variant="primary" loading={isBusy} onClick={() => void search()}>
          {say.searchAct}
        </s-button>
        {isFailed && <s-banner id="search-failed" tone="critical" heading={say.searchFailed} />}
        {!found && !isFailed && <s-text color="subdued">{say.searchFirst}</s-text>}
        {found && !found.customers.length && !found.orders.length && <s-text id="nobody">{say.nobody}</s-text>}
        {found && (
          <s-stack id="found" gap="small">
            {found.customers.map((customer) => (
              <s-button key={customer.id} variant="secondary" onClick={() => setShown({ customer })}>
                {[customer.name, customer.email].filter(Boolean).join(" · ")}
              </s-button>
            ))}
            {found.orders.map((order) => (
              <s-button key={order.id} variant="secondary" onClick={() => setShown({ order })}>
                {say.orderOf(order.name)}
              </s-button>
            ))}
          </s-stack>
        )}
      </s-stack>
    </s-section>
  );
}

function Customer({ api, words, say, me, store, customer }) {
  const { text } = words;
  const [turn, setTurn] = useState(0);
  const [at, setAt] = useState(/** @type {string | undefined} */ (undefined));
  const [typedAt, setTypedAt] = useState("");
  const [isWrong, setWrong] = useState(false);
  const [isAdjusting, setAdjusting] = useState(false);
  const [orderId, setOrderId] = useState(/** @type {string | null} */ (null));
  const { answer: account, problem } = useAnswer(() => api.account(customer.id, at), [customer.id, at, turn]);

  const showAt = () => {
    const instant = typedAt.trim() ? pastInstant(typedAt) : undefined;
    setWrong(instant === null);
    if (instant !== null) setAt(instant);
  };
  const buttons = ({ main, back } = /** @type {any} */ ({})) => (
    <s-stack direction="inline" gap="small">
      {main && (
        <s-button id="main" variant="primary" loading={main.isBusy} onClick={main.act}>
          {main.label}
        </s-button>
      )}
      <s-button id="adjust-back" variant="secondary" onClick={back?.act ?? (() => setAdjusting(false))}>
        {back?.label ?? text.adjust.close}
      </s-button>
    </s-stack>
  );

  if (problem) return <Problem words={words} problem={problem} again={() => setTurn(turn + 1)} />;
  return (
    <s-stack gap="base">
      <s-section heading={customer.name}>
        <s-stack gap="base">
          {customer.email && <s-text color="subdued">{customer.email}</s-text>}
          {at && <s-banner id="as-of-shown" tone="info" heading={say.asOfShown(words.moment(at))} />}
          {!account && <s-spinner accessibilityLabel={text.loading} />}
          {account && (
            <Account words={words} account={account}>
              {me.may.adjust && !at && !account.erased && !isAdjusting && (
                <s-button id="adjust" onClick={() => setAdjusting(true)}>
                  {text.adjust.open}
                </s-button>
              )}
            </Account>
          )}
          {account && isAdjusting && (
            <s-section heading={text.adjust.heading}>
              <s-stack gap="base">
                <Adjust {...{ api, words, me, store, account, buttons }} customer={customer.id} done={() => setTurn(turn + 1)} />
              </s-stack>
            </s-section>
          )}
        </s-stack>
      </s-section>
      {orderId && (
        <s-section heading={text.explain.heading}>
          <OrderPoints key={orderId} api={api} words={words} orderId={orderId} />
        </s-section>
      )}
      {account && !account.erased && (
        <s-section heading={text.history}>
          <History api={api} words={words} customer={customer.id} turn={turn} explain={setOrderId} />
        </s-section>
      )}
      <s-section heading={say.asOfHeading}>
        <s-stack gap="small">
          <s-text-field
            id="as-of"
            label={say.asOf}
            details={say.asOfHelp}
            value={typedAt}
            error={isWrong ? say.asOfWrong : undefined}
            onInput={(event) => setTypedAt(event.currentTarget.value)}
          />
          <s-button id="as-of-act" onClick={showAt}>
            {say.asOfAct}
          </s-button>
        </s-stack>
      </s-section>
    </s-stack>
  );
}
