// On a customer's page in the admin: the points, what comes and goes, and the latest entries.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useState } from "preact/hooks";
import { adminApi, digitsOf, wordsOf } from "../../../shared/staff/host.js";
import { Account, History, Problem, useAnswer } from "../../../shared/staff/parts.jsx";

const LATEST = 5;
const ADJUST = "extension://points-adjust";

export default async function extension() {
  render(<Customer />, document.body);
}

function Customer() {
  const api = adminApi(shopify);
  const customer = digitsOf(shopify.data.selected[0]?.id);
  const [turn, setTurn] = useState(0);
  const { answer, problem } = useAnswer(async () => {
    const [me, account] = await Promise.all([api.me(), api.account(customer)]);
    return { me, account };
  }, [customer, turn]);
  const words = wordsOf(shopify, answer?.me.time_zone);
  const { text } = words;
  const available = answer && !answer.account.erased ? words.count(answer.account.figures.approved) : undefined;

  return (
    <s-admin-block heading={text.heading} collapsedSummary={available}>
      {problem && <Problem words={words} problem={problem} again={() => setTurn(turn + 1)} />}
      {!answer && !problem && <s-spinner accessibilityLabel={text.loading} />}
      {answer && (
        <s-stack gap="base">
          <Account words={words} account={answer.account}>
            {answer.me.may.adjust && (
              <s-button id="adjust" onClick={() => shopify.navigation.navigate(ADJUST)}>
                {text.adjust.open}
              </s-button>
            )}
          </Account>
          {!answer.account.erased && (
            <s-section heading={text.latest}>
              <History api={api} words={words} customer={customer} limit={LATEST} turn={turn} />
            </s-section>
          )}
        </s-stack>
      )}
    </s-admin-block>
  );
}
