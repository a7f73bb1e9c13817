// Adding and removing points, in a window on a customer's page in the admin.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useState } from "preact/hooks";
import { Adjust } from "../../../shared/staff/adjust.jsx";
import { adminApi, digitsOf, wordsOf } from "../../../shared/staff/host.js";
import { Problem, useAnswer } from "../../../shared/staff/parts.jsx";

export default async function extension() {
  render(<Action />, document.body);
}

function Action() {
  const words = wordsOf(shopify);
  const { text } = words;
  const api = adminApi(shopify);
  const customer = digitsOf(shopify.data.selected[0]?.id);
  const [turn, setTurn] = useState(0);
  const { answer, problem } = useAnswer(async () => {
    const [me, account] = await Promise.all([api.me(), api.account(customer)]);
    return { me, account };
  }, [customer, turn]);

  const buttons = ({ main, back } = /** @type {any} */ ({})) => (
    <>
      {main && (
        <s-button id="main" slot="primary-action" variant="primary" loading={main.isBusy} onClick={main.act}>
          {main.label}
        </s-button>
      )}
      <s-button id="back" slot="secondary-actions" onClick={back?.act ?? (() => shopify.close())}>
        {back?.label ?? text.adjust.close}
      </s-button>
    </>
  );
  return (
    <s-admin-action heading={text.adjust.heading} loading={!answer && !problem}>
      {problem && <Problem words={words} problem={problem} again={() => setTurn(turn + 1)} />}
      {answer && (
        <Adjust {...{ api, words, customer, buttons }} account={answer.account} me={answer.me} store={shopify.storage} />
      )}
    </s-admin-action>
  );
}
