// A customer's points in a sale at Shopify POS, on its screen: few words, and one act at a time.

import { useEffect, useRef, useState } from "preact/hooks";
import { wholeNumber } from "../../../web/points-numbers.js";
import { pointsFor } from "../worth.js";
import { posTexts } from "./pos-texts.js";
import { saleOf } from "./sale.js";

/**
 * @param {{api: import("./api.js").StaffApi, words: import("./say.js").StaffWords, customer: string | null, shopify: any}} props
 */
export function Sale({ api, words, customer, shopify }) {
  const say = posTexts[words.locale] ?? posTexts.en;
  const isOnline = shopify.connectivity.current.value.internetConnected === "Connected";
  if (!customer) return <s-banner id="no-customer" tone="info" heading={say.noCustomerNote} />;
  if (!isOnline) return <Offline {...{ say, words, customer, shopify }} />;
  return <Online key={customer} {...{ api, say, words, customer, shopify }} />;
}

function Offline({ say, words, customer, shopify }) {
  const [seen, setSeen] = useState(/** @type {any} */ (null));
  useEffect(() => {
    saleOf({ customer, storage: shopify.storage, api: /** @type {any} */ (null), cart: null })
      .lastKnown()
      .then((found) => setSeen({ found }));
  }, [customer]);
  return (
    <s-stack gap="base">
      <s-banner id="offline" tone="warning" heading={say.offlineNote} />
      {seen && <s-text id="last-seen">{seen.found ? say.lastSeen(words.count(seen.found.points), words.moment(seen.found.at)) : say.neverSeen}</s-text>}
    </s-stack>
  );
}

function Online({ api, say, words, customer, shopify }) {
  const pinned = shopify.session.staffMember?.value?.id;
  const by = pinned && pinned !== shopify.session.currentSession.userId ? String(pinned) : undefined;
  const sale = saleOf({ api, customer, cart: shopify.cart, storage: shopify.storage, by });
  const [found, setFound] = useState(/** @type {{me: any, account: any} | null} */ (null));
  const [failure, setFailure] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(true);
  const busy = useRef(false);

  const act = async (/** @type {() => Promise<unknown>} */ doing) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    setFailure(null);
    await doing().catch(setFailure);
    await sale.read().then(setFound, (problem) => setFailure((before) => before ?? problem));
    busy.current = false;
    setBusy(false);
  };
  useEffect(() => void act(async () => {}), [customer]);

  return (
    <s-stack gap="base">
      {failure && <FailureBanner {...{ say, words, failure }} />}
      {!found && isBusy && <s-spinner accessibilityLabel={words.text.loading} />}
      {found && <Points {...{ say, words, sale, act, isBusy, shopify }} me={found.me} account={found.account} />}
      {(found || failure) && (
        <s-button id="refresh" disabled={isBusy} onClick={() => void act(async () => {})}>
          {say.refresh}
        </s-button>
      )}
    </s-stack>
  );
}

function FailureBanner({ say, words, failure }) {
  const heading = failure.code === "not_applied" && !failure.isHeld ? say.notApplied : failure.code === "token_missing" ? say.noLogin : words.problem(failure);
  return (
    <s-banner id="failure" tone="critical" heading={failure.code === "not_applied" && failure.isHeld ? say.stillHeld(words.moment(failure.until)) : heading}>
      {failure.isHeld && failure.until && failure.code !== "not_applied" && <s-text>{say.stillHeld(words.moment(failure.until))}</s-text>}
    </s-banner>
  );
}

function Points({ say, words, sale, act, isBusy, me, account, shopify }) {
  const { approved } = account.figures;
  const worth = me.worth && approved > 0 ? words.amount(Number(me.worth.point_amount) * approved, me.worth.currency) : null;
  return (
    <s-stack gap="base">
      <s-stack gap="none">
        <s-text color="subdued">{words.text.available}</s-text>
        <s-heading>
          <s-text id="available" type="strong">
            {approved < 0 ? words.text.owes(words.count(-approved)) : words.count(approved)}
          </s-text>
        </s-heading>
        {worth && <s-text color="subdued">{say.worth(worth)}</s-text>}
        {words.rank(account.till) && <s-text id="rank">{words.rank(account.till)}</s-text>}
      </s-stack>
      {!me.may.hold && <s-banner id="may-not" tone="info" heading={say.mayNot} />}
      {me.may.hold && account.hold && <Held {...{ say, words, sale, act, isBusy }} hold={account.hold} />}
      {me.may.hold && !account.hold && <Use {...{ say, words, sale, act, isBusy, me, approved, shopify }} />}
    </s-stack>
  );
}

function Held({ say, words, sale, act, isBusy, hold }) {
  const until = words.moment(hold.expires_at);
  const points = words.count(hold.points);
  if (hold.state === "preparing") return <s-banner id="preparing" tone="info" heading={say.preparing(until)} />;
  const giveBack = (
    <s-button id="give-back" disabled={isBusy} onClick={() => void act(() => sale.giveBack(hold))}>
      {say.giveBack}
    </s-button>
  );
  if (hold.state === "releasing") {
    return (
      <s-stack gap="base">
        <s-banner id="releasing" tone="info" heading={say.releasing(until)} />
        {giveBack}
      </s-stack>
    );
  }
  if (sale.isInCart(hold)) {
    return (
      <s-stack gap="base">
        <s-banner id="in-cart" tone="success" heading={say.inCart(points)}>
          <s-text>{say.inCartNote(hold.discount_code, until)}</s-text>
        </s-banner>
        {giveBack}
      </s-stack>
    );
  }
  return (
    <s-stack gap="base">
      <s-banner id="held" tone="warning" heading={say.heldElsewhere(points)}>
        <s-text>{say.heldNote(until)}</s-text>
      </s-banner>
      <s-button id="use-held" variant="primary" disabled={isBusy} loading={isBusy} onClick={() => void act(() => sale.apply(hold))}>
        {say.useHeld}
      </s-button>
      {giveBack}
    </s-stack>
  );
}

function Use({ say, words, sale, act, isBusy, me, approved, shopify }) {
  const [typed, setTyped] = useState("");
  const [isWrong, setWrong] = useState(false);
  if (approved <= 0) return <s-text id="nothing">{say.nothing}</s-text>;
  const cost = { amount: shopify.cart.current.value.subtotal, currencyCode: shopify.session.currentSession.currency };
  const most = pointsFor(cost, me.worth, approved);
  const some = wholeNumber(typed);
  const useSome = () => {
    const isRight = some >= 1 && some <= approved;
    setWrong(!isRight);
    if (isRight) void act(() => sale.use(some));
  };
  return (
    <s-stack gap="base">
      {most > 0 && (
        <s-button id="use-all" variant="primary" disabled={isBusy} loading={isBusy} onClick={() => void act(() => sale.use(most))}>
          {say.useAll(words.count(most))}
        </s-button>
      )}
      <s-text-field
        id="points"
        label={say.howMany}
        value={typed}
        error={isWrong ? say.wrong(words.number(approved)) : undefined}
        onInput={(event) => setTyped(event.currentTarget.value ?? "")}
      />
      <s-button id="use-some" disabled={isBusy} onClick={useSome}>
        {say.useSome}
      </s-button>
    </s-stack>
  );
}
