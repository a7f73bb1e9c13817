// Using points: an amount becomes a code, and what is not needed goes back.

import { useState } from "preact/hooks";
import { useSecondsLeft } from "./hooks.js";
import { isBySetting } from "../../web/points-hold-request.js";
import { wholeNumber } from "../../web/points-numbers.js";

const GOOD_NEWS = new Set(["released", "time_over", "used", "hold_ended"]);

/**
 * @typedef {object} Props
 * @property {import("./model.js").PointsModel} model
 * @property {import("./model.js").State} state
 * @property {import("./words.js").Words} words
 * @property {boolean} isSeen whether the host shows the extension now
 * @property {(text: string) => void} say announces a short text
 */

/** @param {Props} props */
export function UsePoints(props) {
  const { model, state, words } = props;
  const { hold } = state.points;
  const isOffered = model.most() >= 1;
  if (!hold && !isOffered && !state.message && !state.busy) return null;
  return (
    <s-section heading={words.text.hold.heading}>
      <s-stack gap="base">
        <Message state={state} words={words} most={model.most()} />
        {hold ? <Held {...props} /> : isOffered && <Form {...props} />}
      </s-stack>
    </s-section>
  );
}

/** How something ended, in words; what is wrong with the amount stands at its field. */
function Message({ state: { message, busy }, words, most }) {
  if (busy) {
    const { holding, givingBack } = words.text.hold;
    return <s-text id="busy">{busy === "holding" ? holding : givingBack}</s-text>;
  }
  if (!message || message.code === "amount_wrong") return null;
  const tone = GOOD_NEWS.has(message.code) ? "success" : "critical";
  return <s-banner id="message" tone={tone} heading={words.message(message, most)} />;
}

/** @param {Props} props */
function Form({ model, state, words }) {
  const { text, number } = words;
  // All points are proposed, so that one click is enough.
  const [typed, setTyped] = useState(String(model.most()));
  const wanted = wholeNumber(typed);
  const money = wanted <= model.most() ? words.worthOf(state.points, wanted) : null;
  const isWrong = state.message?.code === "amount_wrong";
  const isBusy = Boolean(state.busy);
  const isOff = isBySetting(state.message?.code);
  return (
    <s-form onSubmit={() => void model.use(typed)}>
      <s-stack gap="base">
        <s-text-field
          id="amount"
          label={text.hold.amount}
          value={typed}
          disabled={isBusy || isOff}
          error={isWrong ? words.message(state.message, model.most()) : undefined}
          onInput={({ currentTarget }) => setTyped(/** @type {any} */ (currentTarget).value ?? "")}
        />
        <s-text id="amount-worth">
          {money ? text.hold.worth(words.count(wanted), money) : text.hold.hint(number(model.most()))}
        </s-text>
        <s-text color="subdued">{words.codeLimit(state.points)}</s-text>
        <s-stack direction="inline" gap="small">
          <s-button id="use" type="submit" variant="primary" loading={isBusy} disabled={isOff}>
            {text.hold.submit}
          </s-button>
          <s-button id="all" variant="secondary" disabled={isBusy || isOff} onClick={() => setTyped(String(model.most()))}>
            {text.hold.all}
          </s-button>
        </s-stack>
      </s-stack>
    </s-form>
  );
}

/** @param {Props} props */
function Held({ model, state, words, isSeen, say }) {
  const { hold } = state.points;
  const { text } = words;
  const isBusy = Boolean(state.busy);
  const seconds = useSecondsLeft(state.endsAt, isSeen, () => void model.load());
  const isReady = hold.state === "ready";
  const isPreparing = hold.state === "preparing";
  const unready = isReady ? null : words.unready(hold, state.endsAt);
  return (
    <s-stack gap="base">
      <s-text id="held" type="strong">
        {unready ? unready.title : text.hold.ready(words.count(hold.points))}
      </s-text>
      {unready ? (
        <s-text color="subdued">{unready.note}</s-text>
      ) : (
        <>
          <Code hold={hold} words={words} say={say} />
          <s-text id="countdown">{words.timeLeft(seconds, state.endsAt)}</s-text>
        </>
      )}
      {unready && (
        <s-button
          id="again"
          variant={isPreparing ? "primary" : "secondary"}
          loading={isBusy}
          onClick={() => void (isPreparing ? model.retry() : model.release())}
        >
          {unready.act}
        </s-button>
      )}
      {(isReady || isPreparing) && (
        <s-button id="release" variant="secondary" loading={isBusy} onClick={() => void model.release()}>
          {text.hold.release}
        </s-button>
      )}
    </s-stack>
  );
}

function Code({ hold, words, say }) {
  const { text, amountInText } = words;
  const worth = hold.discount_amount && amountInText(hold.discount_amount, hold.currency);
  return (
    <s-box border="base" borderRadius="base" padding="base">
      <s-stack gap="small">
        <s-text color="subdued">{text.hold.code}</s-text>
        <s-heading id="code">{hold.discount_code}</s-heading>
        {worth && <s-text id="code-worth">{text.hold.codeWorth(worth)}</s-text>}
        <s-stack direction="inline" gap="small">
          {hold.cart_url && (
            <s-button id="cart-link" variant="primary" href={hold.cart_url} target="_blank">
              {text.hold.cart}
            </s-button>
          )}
          <s-button id="copy" variant="secondary" commandFor="code-to-copy">
            {text.hold.copy}
          </s-button>
        </s-stack>
        <s-clipboard-item
          id="code-to-copy"
          text={hold.discount_code}
          onCopy={() => say(text.hold.copied)}
          onCopyError={() => say(hold.discount_code)}
        />
        <s-text color="subdued">{text.hold.how}</s-text>
      </s-stack>
    </s-box>
  );
}
