// What a customer can use, in one number, and what belongs to it.

/**
 * @param {{points: any, words: import("./words.js").Words}} props
 */
export function Summary({ points, words }) {
  const { text, number } = words;
  const { figures, expiring, till, display } = points;
  return (
    <s-stack gap="small">
      <s-stack direction="inline" gap="small" alignItems="center">
        <s-heading id="headline">{`${number(figures.approved)} ${text.unit}`}</s-heading>
        {display.rank && <s-badge id="rank">{display.rank}</s-badge>}
      </s-stack>
      {expiring.length > 0 && (
        <s-text id="expiring">
          {`${text.points(number(expiring[0].points))} · ${text.validThrough(words.day(expiring[0].expires_on))}`}
        </s-text>
      )}
      {figures.pending > 0 && (
        <s-text id="pending" color="subdued">{`${text.figures.pending}: ${text.points(number(figures.pending))}`}</s-text>
      )}
      {till.status !== "disabled" && till.status !== "pending" && <Store points={points} words={words} />}
    </s-stack>
  );
}

/** The line about the store; left out where it says the same as the headline. */
function Store({ points, words }) {
  const { figures, till, display } = points;
  if (till.balance === figures.approved && !display.message) return null;
  const parts = [
    display.balance && words.withMinus(display.balance),
    display.expiry && words.text.validThrough(display.expiry),
    display.message,
    display.note,
  ];
  return (
    <s-text id="store" color="subdued">
      {parts.filter(Boolean).join(" · ")}
    </s-text>
  );
}
