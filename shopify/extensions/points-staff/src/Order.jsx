// On an order's page in the admin: what this order earned and why, what was used on it, and what refunds took.

import "@shopify/ui-extensions/preact";
import { render } from "preact";
import { adminApi, digitsOf, wordsOf } from "../../../shared/staff/host.js";
import { OrderPoints } from "../../../shared/staff/parts.jsx";

export default async function extension() {
  render(<Order />, document.body);
}

function Order() {
  const words = wordsOf(shopify);
  return (
    <s-admin-block heading={words.text.explain.heading}>
      <OrderPoints api={adminApi(shopify)} words={words} orderId={digitsOf(shopify.data.selected[0]?.id)} />
    </s-admin-block>
  );
}
