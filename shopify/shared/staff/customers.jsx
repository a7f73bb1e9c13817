// Finding a customer or an order, and all that there is to see of them, for the app's own page.

import { useRef, useState } from "preact/hooks";
import { Adjust } from "./adjust.jsx";
import { Account, History, OrderPoints, Problem, useAnswer } from "./parts.jsx";
import { isEmpty } from "./say.js";
import { customerNumber, find, pastInstant } from "./search.js";

/** @param {{api: any, words: any, say: any, me: any, query: any, store: any, moved: () => void}} props `moved`: points were added or removed */
export function Customers({ api, words, say, me, query, store, moved }) {
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const [isFailed, setFailed] = useState(false);
  const [shown, setShown] = useState(/** @type {{customer?: any, order?: any} | null} */ (null));
  const busy = useRef(false);

  /** Whom a number names, whatever Shopify knows of them: it forgets who was merged or erased. */
  const byNumber = (/** @type {string} */ id, person) => ({ id, name: person?.name ?? say.customerNumber(id), email: person?.email ?? "", isUnknown: person === null });
  const read = async (/** @type {string} */ text) => {
    const number = customerNumber(text);
    const result = await find(query, text).catch(() => null);
    if (number && !result?.orders.length) return setShown({ customer: byNumber(number, result?.byNumber) });
    setFailed(result === null);
    return setFound(result && { ...result, customers: result.byNumber ? [result.byNumber, ...result.customers] : result.customers });
  };
  const search = async () => {
    if (!typed.trim() || busy.current) return;
    busy.current = true;
    setBusy(true);
    setFailed(false);
    await read(typed);
    busy.current = false;
    setBusy(false);
  };
  const openNumber = async (/** @type {string} */ id) => {
    const result = await find(query, id).catch(() => null);
    setShown({ customer: byNumber(id, result?.byNumber) });
  };

  if (shown) {
    return (
      <s-stack gap="base">
        <s-button id="back" variant="secondary" onClick={() => setShown(null)}>
          {say.back}
        </s-button>
        {shown.customer && <Customer key={shown.customer.id} {...{ api, words, say, me, store, moved, openNumber }} customer={shown.customer} />}
        {shown.order && (
          <s-section heading={say.orderOf(shown.order.name)}>
            <OrderPoints
              {...{ api, words }}
              orderId={shown.order.id}
              onward={(customer) => (
                <s-button id="to-customer" onClick={() => void openNumber(customer)}>
                  {say.toCustomer}
                </s-button>
              )}
            />
          </s-section>
        )}
      </s-stack>
    );
  }
  return (
    <s-section heading={say.search}>
      <s-stack gap="base">
        {/* The button submits nothing by itself, so that a host without forms loses the Enter key and no more. */}
        <s-form id="search-form" onSubmit={() => void search()}>
          <s-stack gap="base">
            <s-text-field
              id="search"
              label={say.searchLabel}
              details={say.searchHelp}
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
            />
            <s-button id="search-act" variant="primary" loading={isBusy} onClick={() => void search()}>
              {say.searchAct}
            </s-button>
          </s-stack>
        </s-form>
        {isFailed && <s-banner id="search-failed" tone="critical" heading={say.searchFailed} />}
        {!found && !isFailed && <s-text color="subdued">{say.searchFirst}</s-text>}
        {found && !found.customers.length && !found.orders.length && <s-text id="nobody">{say.nobody}</s-text>}
        {found && (
          <s-stack id="found" gap="small">
            {found.customers.map((customer) => (
              <s-button key={customer.id} variant="secondary" onClick={() => setShown({ customer })}>
                {[customer.name, customer.email || say.customerNumber(customer.id)].filter(Boolean).join(" · ")}
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

function Customer({ api, words, say, me, store, moved, openNumber, customer }) {
  const { text } = words;
  const [turn, setTurn] = useState(0);
  const [at, setAt] = useState(/** @type {string | undefined} */ (undefined));
  const [isErased, setErased] = useState(false);
  const isElsewhere = words.timeZone && words.timeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <s-stack gap="base">
      <s-section heading={customer.name}>
        <s-stack gap="base">
          {customer.email && <s-text color="subdued">{customer.email}</s-text>}
          <Points
            key={at ?? "now"}
            {...{ api, words, say, me, store, customer, at, turn, setErased, openNumber }}
            again={() => setTurn(turn + 1)}
            done={() => {
              setTurn(turn + 1);
              moved();
            }}
          />
        </s-stack>
      </s-section>
      <AsOf {...{ words, say, at, setAt }} />
      {!isErased && (
        <s-section heading={text.history}>
          <s-stack gap="base">
            {isElsewhere && <s-text color="subdued">{text.times(words.timeZone)}</s-text>}
            <History key={at ?? "now"} {...{ api, words, turn }} customer={customer.id} until={at} />
          </s-stack>
        </s-section>
      )}
    </s-stack>
  );
}

/** The account, now or as it was, and the form to add and remove points. */
function Points({ api, words, say, me, store, customer, at, turn, again, done, setErased, openNumber }) {
  const { text } = words;
  const [isAdjusting, setAdjusting] = useState(false);
  const { answer: account, problem } = useAnswer(async () => {
    const answer = await api.account(customer.id, at);
    setErased(answer.erased);
    return answer;
  }, [turn]);
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
  return (
    <s-stack gap="base">
      {at && <s-banner id="as-of-shown" tone="info" heading={say.asOfShown(words.moment(at))} />}
      {problem && <Problem {...{ words, problem, again }} />}
      {!account && !problem && <s-spinner accessibilityLabel={text.loading} />}
      {account && customer.isUnknown && !account.merged_into && !account.erased && (
        <s-banner id="unknown" tone="warning" heading={isEmpty(account) ? say.unknownNumber : say.unknownCustomer} />
      )}
      {account && (
        <Account words={words} account={account}>
          {account.merged_into && (
            <s-button id="to-survivor" onClick={() => void openNumber(account.merged_into)}>
              {say.toCustomer}
            </s-button>
          )}
          {me.may.adjust && !at && !isAdjusting && (
            <s-button id="adjust" onClick={() => setAdjusting(true)}>
              {text.adjust.open}
            </s-button>
          )}
        </Account>
      )}
      {account && isAdjusting && (
        <s-section heading={text.adjust.heading}>
          <s-stack gap="base">
            <Adjust {...{ api, words, me, store, account, buttons, done }} customer={customer.id} />
          </s-stack>
        </s-section>
      )}
    </s-stack>
  );
}

function AsOf({ words, say, at, setAt }) {
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  const show = () => {
    const instant = typed.trim() ? pastInstant(typed, Date.now(), words.timeZone) : undefined;
    setWrong(instant === null);
    if (instant !== null) setAt(instant);
  };
  const showNow = () => {
    setTyped("");
    setWrong(false);
    setAt(undefined);
  };
  return (
    <s-section heading={say.asOfHeading}>
      <s-stack gap="small">
        <s-text-field
          id="as-of"
          label={say.asOf}
          details={say.asOfHelp}
          value={typed}
          error={isWrong ? say.asOfWrong : undefined}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <s-stack direction="inline" gap="small">
          <s-button id="as-of-act" onClick={show}>
            {say.asOfAct}
          </s-button>
          {at && (
            <s-button id="as-of-now" onClick={showNow}>
              {say.asOfNow}
            </s-button>
          )}
        </s-stack>
      </s-stack>
    </s-section>
  );
}
