// The history: what happened to the points, newest first.

/**
 * @param {{model: import("./model.js").PointsModel, state: import("./model.js").State,
 *   words: import("./words.js").Words}} props
 */
export function History({ model, state, words }) {
  const { text } = words;
  const { entries, cursor, historyState, points } = state;
  const rows = entries
    .map((entry) => ({ entry, row: words.row(entry, points.time_zone ?? "UTC") }))
    .filter(({ row }) => row !== null);
  return (
    <s-section heading={text.historyHeading}>
      <s-stack gap="base">
        {rows.length > 0 && (
          <s-unordered-list id="history">
            {rows.map(({ entry, row }) => (
              <Row key={entry.entry_id} row={row} />
            ))}
          </s-unordered-list>
        )}
        {rows.length === 0 && historyState === null && <s-text color="subdued">{text.noHistory}</s-text>}
        {historyState === "failed" && (
          <s-banner id="history-failed" tone="warning" heading={rows.length ? text.moreFailed : text.unavailable} />
        )}
        {(cursor || historyState === "failed") && (
          <s-button
            id="more"
            variant="secondary"
            loading={historyState === "reading"}
            onClick={() => void (cursor ? model.more() : model.readHistory())}
          >
            {cursor ? text.more : text.reload}
          </s-button>
        )}
      </s-stack>
    </s-section>
  );
}

function Row({ row }) {
  return (
    <s-list-item>
      <s-stack gap="none">
        <s-stack direction="inline" justifyContent="space-between" gap="base">
          <s-text>{row.title}</s-text>
          <s-text type={row.change ? "strong" : "generic"}>{row.points}</s-text>
        </s-stack>
        <s-text color="subdued">{row.details.join(" · ")}</s-text>
      </s-stack>
    </s-list-item>
  );
}
