// The history: what happened to the points, newest first.

/**
 * @param {{model: import("./model.js").PointsModel, state: import("./model.js").State,
 *   words: import("./words.js").Words}} props
 */
export function History({ model, state, words }) {
  const { text } = words;
  const { entries, cursor, historyState } = state;
  const rows = entries.filter((entry) => entry.row !== null); // told by another row
  return (
    <s-section heading={text.historyHeading}>
      <s-stack gap="base">
        {rows.length > 0 && (
          <s-unordered-list id="history">
            {rows.map((entry) => (
              <Row key={entry.entry_id} entry={entry} words={words} />
            ))}
          </s-unordered-list>
        )}
        {rows.length === 0 && historyState === null && <s-text color="subdued">{text.noHistory}</s-text>}
        {historyState === "failed" && <s-banner id="history-failed" tone="warning" heading={text.unavailable} />}
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

function Row({ entry, words }) {
  const { text, signed } = words;
  const delta = entry.approved_delta;
  return (
    <s-list-item>
      <s-stack gap="none">
        <s-stack direction="inline" justifyContent="space-between" gap="base">
          <s-text>{entry.reason || text.topics[entry.topic] || text.otherEntry}</s-text>
          {delta !== 0 && <s-text type="strong">{text.points(signed(delta))}</s-text>}
        </s-stack>
        <s-text color="subdued">
          <s-time dateTime={entry.at}>{words.moment(entry.at)}</s-time>
        </s-text>
      </s-stack>
    </s-list-item>
  );
}
