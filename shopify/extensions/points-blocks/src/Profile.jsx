// On the profile: the points, and the way to the page on which they are used.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { useModel } from "../../../shared/hooks.js";
import { hostModel, language } from "../../../shared/host.js";
import { Setup } from "../../../shared/setup.jsx";
import { Summary } from "../../../shared/summary.jsx";
import { words as wordsOf } from "../../../shared/words.js";

export default async function extension() {
  const model = await hostModel(shopify);
  if (model) render(<Profile model={model} />, document.body);
}

/** @param {{model: import("../../../shared/model.js").PointsModel}} props */
function Profile({ model }) {
  const words = wordsOf(language(shopify));
  const state = useModel(model);
  useEffect(() => {
    model.load();
  }, [model]);
  const { text } = words;
  if (state.phase === "login") return null;
  return (
    <s-section heading={text.heading}>
      <Setup shopify={shopify} />
      {state.phase === "loading" && <s-skeleton-paragraph />}
      {state.phase === "failed" && (
        <s-stack gap="base">
          <s-text id="outage">{text.unavailable}</s-text>
          <s-button id="reload" variant="secondary" onClick={model.load}>
            {text.reload}
          </s-button>
        </s-stack>
      )}
      {state.phase === "shown" && (
        <s-stack gap="base">
          <Summary points={state.points} words={words} />
          <s-link id="page" href="extension://points-page">
            {shopify.i18n.translate("profile.page")}
          </s-link>
        </s-stack>
      )}
    </s-section>
  );
}
