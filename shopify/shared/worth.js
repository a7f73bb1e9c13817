// How many points an order can take.

/**
 * As many points as pay for `cost`, at most `most`. All of them where it is not known what a point is worth in the
 * order's currency: what an order does not need comes back.
 *
 * @param {{amount: number | string, currencyCode: string} | undefined} cost
 * @param {{point_amount: string, currency: string} | null | undefined} worth as the API says it
 * @param {number} most
 */
export function pointsFor(cost, worth, most) {
  const each = Number(worth?.point_amount);
  if (!cost || cost.currencyCode !== worth?.currency || !(each > 0)) return most;
  // Rounded first, so that 10 / 0.1 is 100 and not a little more.
  return Math.min(most, Math.ceil(Number((Number(cost.amount) / each).toFixed(6))));
}
