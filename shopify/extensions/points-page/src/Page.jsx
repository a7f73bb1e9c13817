// A page of its own: points, using them, and the history.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { isBySetting } from "../../../../web/points-hold-request.js";
import { History } from "../../../shared/history.jsx";
import { useModel } from "../../../shared/hooks.js";
import { hostModel, language } from "../../../shared/host.js";
import { Setup } from "../../../shared/setup.jsx";
import { Summary } from "../../../shared/summary.jsx";
import { UsePoints } from "../../../shared/use.jsx";
import { words as wordsOf } from "../../../shared/words.js";

export default async function extension() {
  const model = await hostModel(shopify, { withHistory: true });
  render(<Page model={model} />, document.body);
}

/** @param {{model: import("../../../shared/model.js").PointsModel | null}} props */
function Page({ model }) {
  const words = wordsOf(language(shopify));
  return (
    <s-page heading={words.text.heading}>
      <Setup shopify={shopify} />
      {model ? <Points model={model} words={words} /> : <Outage words={words} />}
    </s-page>
  );
}

/** @param {{model: import("../../../shared/model.js").PointsModel, words: import("../../../shared/words.js").Words}} props */
function Points({ model, words }) {
  const state = useModel(model);
  const isSeen = shopify.extension.rendered.value;
  useEffect(() => {
    // Whoever comes back, such as from the cart, sees what has become of the points.
    if (isSeen || model.state.phase === "loading") model.load();
  }, [model, isSeen]);
  switch (state.phase) {
    case "loading":
      return <s-spinner accessibilityLabel={words.text.loading} />;
    case "login":
      return <s-banner id="login" heading={words.text.loginFirst} />;
    case "failed":
      return <Outage words={words} reload={model.load} />;
  }
  return (
    <s-stack gap="large">
      <s-section>
        <Summary
          points={state.points}
          entries={state.entries}
          words={words}
          isOff={isBySetting(state.message?.code)}
        />
      </s-section>
      <UsePoints
        model={model}
        state={state}
        words={words}
        isSeen={isSeen}
        say={(text) => void shopify.toast.show(text)}
      />
      <History model={model} state={state} words={words} />
    </s-stack>
  );
}

/** @param {{words: import("../../../shared/words.js").Words, reload?: () => void}} props */
function Outage({ words: { text }, reload }) {
  return (
    <s-banner id="outage" tone="critical" heading={text.unavailable}>
      {reload && <s-text>{text.pointsAreSafe}</s-text>}
      {reload && (
        <s-button id="reload" onClick={reload}>
          {text.reload}
        </s-button>
      )}
    </s-banner>
  );
}
