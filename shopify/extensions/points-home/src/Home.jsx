// The app's own page in the admin.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useState } from "preact/hooks";
import { Customers } from "../../../shared/staff/customers.jsx";
import { homeTexts } from "../../../shared/staff/home-texts.js";
import { adminApi, wordsOf } from "../../../shared/staff/host.js";
import { Programme, Shop, State } from "../../../shared/staff/manage.jsx";
import { Problem, useAnswer } from "../../../shared/staff/parts.jsx";

export default async function extension() {
  render(<Home />, document.body);
}

function Home() {
  const api = adminApi(shopify);
  const [view, setView] = useState("find");
  const [turn, setTurn] = useState(0);
  const [newer, setNewer] = useState(/** @type {any} */ (null));
  const { answer, problem } = useAnswer(() => api.me(), [turn]);
  const me = newer ?? answer;
  const words = wordsOf(shopify, me?.time_zone);
  const say = homeTexts[words.locale] ?? homeTexts.en;
  // What is left of today's limit is another number after each adjustment; without an answer the last one stays.
  const moved = () => void api.me().then(setNewer, () => {});
  const views = me?.may.manage ? ["find", "shop", "programme", "state"] : ["find"];

  return (
    <s-page heading={say.heading}>
      {problem && <Problem words={words} problem={problem} again={() => setTurn(turn + 1)} />}
      {!me && !problem && <s-spinner accessibilityLabel={words.text.loading} />}
      {me && views.length > 1 && (
        <s-stack id="nav" direction="inline" gap="small">
          {views.map((name) => (
            <s-button key={name} id={`nav-${name}`} variant={name === view ? "primary" : "secondary"} onClick={() => setView(name)}>
              {say.nav[name]}
            </s-button>
          ))}
        </s-stack>
      )}
      {me && view === "find" && me.may.look && <Customers {...{ api, words, say, me, moved }} query={(graphql, options) => shopify.query(graphql, options)} store={shopify.storage} />}
      {me && view === "find" && !me.may.look && <s-banner id="may-not-look" tone="info" heading={say.mayNotLook} />}
      {me && view === "shop" && <Shop {...{ api, words, say }} />}
      {me && view === "programme" && <Programme {...{ api, words, say }} />}
      {me && view === "state" && <State {...{ api, words, say }} />}
    </s-page>
  );
}
