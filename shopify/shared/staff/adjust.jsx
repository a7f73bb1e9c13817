// Adding and removing points by hand, for the admin.

import { useRef, useState } from "preact/hooks";
import { isUnsure } from "../../../web/points-hold-request.js";
import { adjustments, decisionOf, NOTHING_TYPED } from "./adjustment.js";
import { Problem } from "./parts.jsx";

/** In a window the button that confirms takes the place of the one that previews: a double click would do both. */
const DOUBLE_CLICK_MS = 500;

/**
 * The form, its preview, and what became of it. `buttons` shows the acts, beside the form: a host
 * may have slots for them, which only its own children fill.
 *
 * @param {{api: import("./api.js").StaffApi, words: import("./say.js").StaffWords, customer: string, account: any, me: any,
 *   store: Parameters<typeof adjustments>[2], done?: (figures: any) => void,
 *   buttons: (acts: {main?: {label: string, isBusy: boolean, act: () => void}, back?: {label: string, act: () => void}}) => any}} props
 */
export function Adjust({ api, words, customer, account, me, store, done, buttons }) {
  const { text } = words;
  const say = text.adjust;
  const [typed, setTyped] = useState(NOTHING_TYPED);
  const [wrong, setWrong] = useState(/** @type {string[]} */ ([]));
  const [previewed, setPreviewed] = useState(/** @type {any} */ (null));
  const [booked, setBooked] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const busy = useRef(false); // a second click comes before the button is shown as busy

  if (!me.may.adjust) return <s-banner id="not-allowed" tone="info" heading={say.notAllowed} />;
  const { points_per_action: most, points_left_today: left } = me.limits;
  const requests = adjustments(api, customer, store);
  const decision = decisionOf(typed, most);

  const change = (/** @type {Partial<typeof NOTHING_TYPED>} */ part) => {
    setTyped({ ...typed, ...part });
    setProblem(null);
  };
  const during = async (/** @type {() => Promise<void>} */ act, restMs = 0) => {
    if (busy.current) return;
    busy.current = true;
    setBusy(true);
    setProblem(null);
    await act().catch(setProblem);
    if (restMs) await new Promise((resolve) => setTimeout(resolve, restMs));
    busy.current = false;
    setBusy(false);
  };
  const preview = () => {
    setWrong(decision.wrong);
    if (decision.wrong.length) return;
    void during(async () => setPreviewed((await requests.preview(decision)).figures), DOUBLE_CLICK_MS);
  };
  const book = () =>
    void during(async () => {
      const answer = await requests.book(decision);
      setBooked(answer.figures);
      done?.(answer.figures);
    });
  const failed = problem && (
    <s-stack gap="base">
      <Problem words={words} problem={problem} />
      {previewed && isUnsure(problem.code) && <s-text>{say.unsure}</s-text>}
    </s-stack>
  );

  if (booked) {
    return (
      <>
        <s-banner id="booked" tone="success" heading={say.done(words.count(booked.approved))} />
        {buttons({})}
      </>
    );
  }
  if (previewed) {
    const label = (decision.points > 0 ? say.confirmAdd : say.confirmRemove)(words.count(Math.abs(decision.points)));
    return (
      <>
        <s-stack gap="base">
          <s-stack id="preview" gap="none">
          <s-text>
            {say.before}: {words.count(account.figures.approved)}
          </s-text>
          <s-text type="strong">
            {say.afterwards}: {words.count(previewed.approved)}
          </s-text>
          <s-text color="subdued">
            {say.reason}: {decision.reason}
          </s-text>
        </s-stack>
        {failed}
        </s-stack>
        {buttons({ main: { label, isBusy, act: book }, back: { label: say.back, act: () => setPreviewed(null) } })}
      </>
    );
  }
  return (
    <>
    <s-stack gap="base">
      <s-choice-list
        label={say.direction}
        name="direction"
        values={[typed.isRemoval ? "remove" : "add"]}
        onChange={(event) => change({ isRemoval: event.currentTarget.values.includes("remove") })}
      >
        <s-choice value="add">{say.add}</s-choice>
        <s-choice value="remove">{say.remove}</s-choice>
      </s-choice-list>
      <s-text-field
        id="points"
        label={say.points}
        value={typed.points}
        error={wrong.includes("points") ? say.pointsWrong(words.number(most)) : undefined}
        details={say.leftToday(words.count(left))}
        onInput={(event) => change({ points: event.currentTarget.value })}
      />
      <s-text-field
        id="reason"
        label={say.reason}
        value={typed.reason}
        error={wrong.includes("reason") ? say.reasonWrong : undefined}
        details={say.reasonHelp}
        onInput={(event) => change({ reason: event.currentTarget.value })}
      />
      {!typed.isRemoval && (
        <s-text-field
          id="expires-on"
          label={say.expiresOn}
          value={typed.expiresOn}
          error={wrong.includes("expiresOn") ? say.dayWrong : undefined}
          details={say.expiresHelp}
          onInput={(event) => change({ expiresOn: event.currentTarget.value })}
        />
      )}
      {failed}
    </s-stack>
    {buttons({ main: { label: say.preview, isBusy, act: preview } })}
    </>
  );
}
