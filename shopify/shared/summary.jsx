// What a customer can use, in one number, and what belongs to it.

/**
 * @param {{points: any, entries?: any[], words: import("./words.js").Words, isOff?: boolean}} props
 *   `isOff`: the shop cannot give codes now, so nothing is said of their worth
 */
export function Summary({ points, entries = [], words, isOff = false }) {
  const { number, unit, worth, where } = words.headline(points);
  const expiring = words.expiring(points);
  const pending = words.pending(points, entries);
  const debt = words.debt(points);
  const held = words.held(points);
  const nothingLeft = words.nothingLeft(points);
  return (
    <s-stack gap="small">
      {words.text.headline !== words.text.heading && <s-text id="headline-label">{words.text.headline}</s-text>}
      <s-heading id="headline">{number === null ? words.text.noBalance : `${number} ${unit}`}</s-heading>
      {worth && !isOff && <s-text id="worth">{worth}</s-text>}
      {where && <s-text id="where">{where}</s-text>}
      {debt && <s-text id="debt">{debt}</s-text>}
      {words.paused(points).map(({ kind, sentence }) => (
        <s-text key={kind} id={`paused-${kind}`}>
          {sentence}
        </s-text>
      ))}
      {nothingLeft && <s-text id="nothing-left">{nothingLeft}</s-text>}
      {held && <s-text id="reserved">{held}</s-text>}
      {expiring && (
        <s-text id="expiring" type="strong" tone={expiring.isSoon ? "warning" : "auto"}>
          {expiring.sentence}
        </s-text>
      )}
      {pending && (
        <s-text id="pending" color="subdued">
          {pending}
        </s-text>
      )}
      <Store line={words.store(points)} />
    </s-stack>
  );
}

/** The line about the store. */
function Store({ line }) {
  if (line === null) return null;
  const said = [(line.label ?? "") + (line.parts.join(" · ") || line.message), line.parts.length > 0 && line.message, line.note];
  return (
    <s-text id="store" color="subdued">
      {said.filter(Boolean).join(" ")}
    </s-text>
  );
}
