// The block on a customer's page: the points, and the way to the window in which they are used.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useAnswer, Problem } from "../../../shared/staff/parts.jsx";
import { wordsOf } from "../../../shared/staff/host.js";
import { posApi } from "../../../shared/staff/pos-host.js";
import { posTexts } from "../../../shared/staff/pos-texts.js";
import { saleOf } from "../../../shared/staff/sale.js";

export default async function extension() {
  render(<Block />, document.body);
}

function Block() {
  const words = wordsOf(shopify);
  const say = posTexts[words.locale] ?? posTexts.en;
  const isOnline = shopify.connectivity.current.value.internetConnected === "Connected";
  const customer = String(shopify.customer.id);
  const sale = saleOf({ api: posApi(shopify), customer, cart: null, storage: shopify.storage });
  const { answer, problem } = useAnswer(async () => (isOnline ? { ...(await sale.read()) } : { seen: await sale.lastKnown() }), [customer, isOnline]);
  return (
    <s-pos-block heading={words.text.heading}>
      {isOnline && answer?.me?.may.hold && (
        <s-button slot="secondary-actions" id="open" onClick={() => shopify.action.presentModal()}>
          {say.howMany}
        </s-button>
      )}
      {problem && <Problem words={words} problem={problem} />}
      {!answer && !problem && <s-text>{words.text.loading}</s-text>}
      {answer?.account && <s-text id="available">{words.count(answer.account.figures.approved)}</s-text>}
      {answer && !answer.account && (
        <s-text id="last-seen">{answer.seen ? say.lastSeen(words.count(answer.seen.points), words.moment(answer.seen.at)) : say.neverSeen}</s-text>
      )}
    </s-pos-block>
  );
}
