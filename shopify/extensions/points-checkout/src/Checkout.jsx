// In the checkout: one click turns points into a discount on this order.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useModel } from "../../../shared/hooks.js";
import { hostModel, language } from "../../../shared/host.js";
import { Setup } from "../../../shared/setup.jsx";
import { pointsFor } from "../../../shared/worth.js";
import { words as wordsOf } from "../../../shared/words.js";

export default async function extension() {
  // Nobody is logged in, or the app may not see who is: there are no points to use.
  if (!shopify.buyerIdentity?.customer.value) return;
  const model = await hostModel(shopify);
  if (model) render(<Checkout model={model} />, document.body);
}

/** @param {{model: import("../../../shared/model.js").PointsModel}} props */
function Checkout({ model }) {
  const state = useModel(model);
  const words = wordsOf(language(shopify));
  const [isChanging, setIsChanging] = useState(false);
  const [isRefused, setIsRefused] = useState(false);
  useEffect(() => {
    model.load();
  }, [model]);
  if (!shopify.instructions.value.discounts.canUpdateDiscountCodes) return null;
  if (state.phase !== "shown") return null; // a checkout is no place for our troubles

  const { hold } = state.points;
  const t = shopify.i18n.translate;
  const points = words.count;
  const isApplied = hold && shopify.discountCodes.value.some(({ code }) => code === hold.discount_code);
  const isBusy = isChanging || Boolean(state.busy);

  /** @param {"addDiscountCode" | "removeDiscountCode"} type @param {string} code */
  async function change(type, code) {
    const answer = await shopify.applyDiscountCodeChange({ type, code });
    setIsRefused(answer.type === "error");
    return answer.type !== "error";
  }

  async function whileChanging(act) {
    setIsChanging(true);
    try {
      await act();
    } finally {
      setIsChanging(false);
    }
  }

  const use = () =>
    whileChanging(async () => {
      const made = hold ?? (await model.use(most));
      if (made) await change("addDiscountCode", made.discount_code);
    });
  const undo = () =>
    whileChanging(async () => {
      if (!isApplied || (await change("removeDiscountCode", hold.discount_code))) await model.release();
    });

  const most = pointsFor(shopify.cost.subtotalAmount.value, state.points.worth, model.most());
  if (hold && hold.state !== "ready") return null; // on its way back, or cut off: my page shows it
  if (!hold && most < 1 && !state.message) return null;
  return (
    <s-stack gap="small" id="points">
      <Setup shopify={shopify} />
      {isRefused && <s-banner id="refused" tone="critical" heading={t("checkout.refused")} />}
      {state.message && state.message.code !== "released" && (
        <s-banner id="message" tone="critical" heading={words.message(state.message, most)} />
      )}
      {isApplied && <s-text id="applied">{t("checkout.applied", { points: points(hold.points) })}</s-text>}
      {!isApplied && (hold || most >= 1) && (
        <s-button id="use" variant="secondary" loading={isBusy} onClick={use}>
          {t("checkout.use", { points: points(hold ? hold.points : most) })}
        </s-button>
      )}
      {!hold && most >= 1 && (
        <s-text id="balance" color="subdued">
          {t("checkout.balance", { points: points(state.points.figures.approved) })}
        </s-text>
      )}
      {hold && (
        <s-button id="undo" variant="secondary" loading={isBusy} onClick={undo}>
          {t("checkout.undo")}
        </s-button>
      )}
    </s-stack>
  );
}
