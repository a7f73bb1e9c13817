// On an order's page: the points that this order earned and used.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { hostApi, language } from "../../../shared/host.js";
import { Setup } from "../../../shared/setup.jsx";
import { words as wordsOf } from "../../../shared/words.js";

// Right after a checkout the order is on its way to the ledger.
const AGAIN_AFTER_MS = [3000, 6000, 12_000];

export default async function extension() {
  const api = hostApi(shopify);
  if (api) render(<Order api={api} />, document.body);
}

/** @param {{api: ReturnType<typeof import("../../../../web/points-api.js").pointsApi>}} props */
function Order({ api }) {
  const words = wordsOf(language(shopify));
  const orderId = shopify.order?.value?.id;
  const [points, setPoints] = useState(/** @type {any} */ (null));
  const [isLate, setIsLate] = useState(false);

  useEffect(() => {
    if (!orderId) return undefined;
    let isCurrent = true;
    let timer;
    const ask = async (turn) => {
      const found = await api.order(orderId.split("/").at(-1)).catch((problem) => problem);
      if (!isCurrent) return;
      if (found.order_id) {
        setPoints(found);
        setIsLate(false);
      } else if (found.code === "order_not_found") {
        setIsLate(true);
        if (turn < AGAIN_AFTER_MS.length) timer = setTimeout(ask, AGAIN_AFTER_MS[turn], turn + 1);
      } else if (!found.code) throw found; // not an answer, but a bug of ours
    };
    ask(0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [api, orderId]);

  const t = shopify.i18n.translate;
  const lines = points ? linesOf(points, words, t) : isLate ? [t("order.soon")] : [];
  // Without anything to say there is no empty box: nobody logged in, no order of theirs, no answer.
  if (lines.length === 0) return null;
  return (
    <s-section heading={t("order.heading")}>
      <Setup shopify={shopify} />
      <s-stack gap="small">
        {lines.map((line) => (
          <s-text key={line}>{line}</s-text>
        ))}
      </s-stack>
    </s-section>
  );
}

function linesOf({ approved, pending, comes_on: day, used, returned }, { count: points, day: dayOf }, t) {
  return [
    approved !== 0 && t("order.earned", { points: points(approved) }),
    pending > 0 && (day ? t("order.pending_until", { points: points(pending), day: dayOf(day) }) : t("order.pending", { points: points(pending) })),
    used > 0 && t("order.used", { points: points(used) }),
    returned > 0 && t("order.returned", { points: points(returned) }),
  ].filter(Boolean);
}
