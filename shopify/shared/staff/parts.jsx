// What several of the staff's screens show. They know no host: all they need are properties. Only elements that both the
// admin and Shopify POS have.

import { useEffect, useState } from "preact/hooks";
import { isEmpty } from "./say.js";

/** @typedef {import("./say.js").StaffWords} StaffWords */
/** @typedef {import("./api.js").StaffApi} StaffApi */

const PAGE_ENTRIES = 20;
const LONG_PAGE_ENTRIES = 200;

/**
 * What a call answers, asked anew whenever one of `inputs` changes: `answer` or `problem`. Until there is a new answer the
 * one before stays, also beside a problem; what shows something else gets a key of its own.
 *
 * @param {() => Promise<any>} call
 * @param {unknown[]} inputs
 */
export function useAnswer(call, inputs) {
  const [state, setState] = useState(/** @type {{answer?: any, problem?: any}} */ ({}));
  useEffect(() => {
    let isCurrent = true;
    setState(({ answer }) => ({ answer }));
    call().then(
      (answer) => isCurrent && setState({ answer }),
      (problem) => isCurrent && setState(({ answer }) => ({ answer, problem })),
    );
    return () => {
      isCurrent = false;
    };
  }, inputs);
  return state;
}

/** @param {{words: StaffWords, problem: {code: string}, again?: () => void}} props */
export function Problem({ words, problem, again }) {
  return (
    <s-banner id="problem" tone={problem.code === "order_not_found" ? "info" : "critical"} heading={words.problem(problem)}>
      {again && (
        <s-button id="again" onClick={again}>
          {words.text.reload}
        </s-button>
      )}
    </s-banner>
  );
}

/**
 * A label, below it what it stands for, and what there is to say of that; or several things, with `isList`.
 *
 * @param {{id?: string, label: string, values: (string | undefined)[], isList?: boolean}} props
 */
export function Fact({ id, label, values, isList = false }) {
  const [first, ...others] = values.filter(Boolean);
  return (
    <s-stack id={id} gap="none">
      <s-text color="subdued">{label}</s-text>
      <s-text>{first}</s-text>
      {others.map((value) => (
        <s-text key={value} color={isList ? "base" : "subdued"}>
          {value}
        </s-text>
      ))}
    </s-stack>
  );
}

/**
 * The account: the one number, then its facts.
 *
 * @param {{words: StaffWords, account: any, children?: any}} props
 */
export function Account({ words, account, children }) {
  const { text } = words;
  const { approved } = account.figures;
  if (account.erased) return <s-banner id="erased" tone="info" heading={text.erased} />;
  return (
    <s-stack gap="base">
      {account.merged_into && <s-banner id="merged" tone="info" heading={text.merged(account.merged_into)} />}
      <s-stack gap="none">
        <s-text color="subdued">{text.available}</s-text>
        <s-heading>
          <s-text id="available" type="strong">
            {approved < 0 ? text.owes(words.count(-approved)) : words.count(approved)}
          </s-text>
        </s-heading>
        {approved < 0 && <s-text color="subdued">{text.owesNote}</s-text>}
        {isEmpty(account) && <s-text color="subdued">{text.noneNote}</s-text>}
      </s-stack>
      {children}
      {!isEmpty(account) && words.facts(account).map((fact) => <Fact key={fact.id} {...fact} />)}
    </s-stack>
  );
}

/**
 * The entries, newest first; one about an order can be explained, below it.
 *
 * @param {{api: StaffApi, words: StaffWords, customer: string, limit?: number, until?: string, turn?: unknown}} props
 *   `limit`: only so many, without a way on; `until`: an instant after which there was nothing yet; `turn`: another value reads anew
 */
export function History({ api, words, customer, limit, until, turn }) {
  const { text } = words;
  const isShown = (/** @type {{at: string}} */ { at }) => until === undefined || Date.parse(at) <= Date.parse(until);
  const [entries, setEntries] = useState(/** @type {any[]} */ ([]));
  const [cursor, setCursor] = useState(/** @type {string | null} */ (null));
  const [reading, setReading] = useState(true);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [explained, setExplained] = useState(/** @type {string | null} */ (null));

  const read = async (/** @type {any[]} */ before, /** @type {string | undefined} */ from, isCurrent = () => true) => {
    setReading(true);
    setProblem(null);
    try {
      let page = await api.history(customer, { cursor: from, limit: limit ?? PAGE_ENTRIES });
      while (page.next_cursor && !page.entries.some(isShown)) {
        page = await api.history(customer, { cursor: page.next_cursor, limit: LONG_PAGE_ENTRIES });
      }
      if (!isCurrent()) return;
      setEntries([...before, ...page.entries.filter(isShown)]);
      setCursor(page.next_cursor);
    } catch (failure) {
      if (isCurrent()) setProblem(failure);
    }
    if (isCurrent()) setReading(false);
  };
  useEffect(() => {
    let isCurrent = true;
    setEntries([]);
    setCursor(null);
    read([], undefined, () => isCurrent);
    return () => {
      isCurrent = false;
    };
  }, [customer, turn]);

  return (
    <s-stack id="history" gap="base">
      {entries.map((one) => (
        <Entry
          key={one.entry_id}
          {...{ api, words }}
          entry={words.entry(one)}
          isExplained={one.entry_id === explained}
          explain={(isExplained) => setExplained(isExplained ? one.entry_id : null)}
        />
      ))}
      {entries.length === 0 && !reading && !problem && <s-text color="subdued">{text.noHistory}</s-text>}
      {problem && <Problem words={words} problem={problem} again={() => read(entries, cursor ?? undefined)} />}
      {reading && <s-spinner accessibilityLabel={text.loading} />}
      {!limit && cursor && !reading && !problem && (
        <s-button id="more" onClick={() => read(entries, cursor)}>
          {text.more}
        </s-button>
      )}
    </s-stack>
  );
}

function Entry({ api, words, entry, isExplained, explain }) {
  const { text } = words;
  return (
    <s-stack gap="none">
      <s-stack direction="inline" gap="base" justifyContent="space-between">
        <s-text>{entry.title}</s-text>
        <s-text type={entry.isChange ? "strong" : "generic"}>{entry.points}</s-text>
      </s-stack>
      <s-stack direction="inline" gap="base" justifyContent="space-between">
        <s-text color="subdued">{[entry.at, ...entry.details].join(" · ")}</s-text>
        <s-text color="subdued">{entry.after}</s-text>
      </s-stack>
      {entry.orderId && (
        <s-button variant="secondary" onClick={() => explain(!isExplained)}>
          {isExplained ? text.whyClose : text.why}
        </s-button>
      )}
      {isExplained && (
        <s-section heading={text.explain.heading}>
          <OrderPoints api={api} words={words} orderId={entry.orderId} />
        </s-section>
      )}
    </s-stack>
  );
}

/**
 * What an order earned and why, what was used and what refunds took.
 *
 * @param {{api: StaffApi, words: StaffWords, orderId: string, onward?: (customer: string) => any}} props `onward`: what leads
 *   on to the order's customer
 */
export function OrderPoints({ api, words, orderId, onward }) {
  const [turn, setTurn] = useState(0);
  const { answer, problem } = useAnswer(() => api.order(orderId), [orderId, turn]);
  if (problem) return <Problem words={words} problem={problem} again={() => setTurn(turn + 1)} />;
  if (!answer) return <s-spinner accessibilityLabel={words.text.loading} />;
  const { sentences, facts } = words.order(answer);
  return (
    <s-stack id="order" gap="base">
      {sentences.map((one) => (
        <s-text key={one}>{one}</s-text>
      ))}
      {facts.map(({ id, label, value, note }) => (
        <Fact key={id} id={`order-${id}`} label={label} values={[value, note]} />
      ))}
      {onward && answer.customer_id !== null && onward(answer.customer_id)}
    </s-stack>
  );
}
