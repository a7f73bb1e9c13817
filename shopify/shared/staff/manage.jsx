// What those who manage the shop see: its books, its programme with a preview of a change, and what is failing.

import { useState } from "preact/hooks";
import { Fact, Problem, useAnswer } from "./parts.jsx";

const MONTH = /^2\d{3}-(0[1-9]|1[0-2])$/;

/** What a call answers, or why not, or that it is on its way. */
function Answered({ words, state, again, children }) {
  if (state.problem) return <Problem words={words} problem={state.problem} again={again} />;
  return state.answer ? children(state.answer) : <s-spinner accessibilityLabel={words.text.loading} />;
}

/** The shop's books of a month. */
export function Shop({ api, words, say }) {
  const [typed, setTyped] = useState("");
  const [month, setMonth] = useState(/** @type {string | undefined} */ (undefined));
  const [isWrong, setWrong] = useState(false);
  const [turn, setTurn] = useState(0);
  const state = useAnswer(() => api.books(month), [month, turn]);
  const show = () => {
    const text = typed.normalize("NFKC").trim();
    setWrong(text !== "" && !MONTH.test(text));
    if (text === "" || MONTH.test(text)) setMonth(text || undefined);
  };
  return (
    <s-stack gap="base">
      <s-section heading={say.anotherMonth}>
        <s-stack gap="small">
          <s-text-field
            id="month"
            label={say.month}
            value={typed}
            placeholder={state.answer?.month}
            error={isWrong ? say.monthWrong : undefined}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
          <s-button id="month-act" onClick={show}>
            {say.monthAct}
          </s-button>
        </s-stack>
      </s-section>
      <Answered words={words} state={state} again={() => setTurn(turn + 1)}>
        {(books) => <Books key={books.month} {...{ words, say, books }} />}
      </Answered>
    </s-stack>
  );
}

function Books({ words, say, books }) {
  const { total, liability, currency } = books;
  const isWhole = books.missing.length === 0;
  const money = (/** @type {number} */ minor) => words.money(minor, currency);
  return (
    <s-stack gap="base">
      <s-section heading={monthName(books.month, say, words.locale)}>
        {!total && <s-text id="no-statements">{say.noStatements}</s-text>}
        {total && (
          <s-stack id="month-total" gap="base">
            {!books.is_over && !isPast(books) && <s-text color="subdued">{say.unfinished(words.day(books.as_of))}</s-text>}
            <s-banner id="closes" tone={books.is_closed ? "success" : "critical"} heading={books.is_closed ? (isWhole ? say.closes : say.closesOnFile) : say.differs} />
            {!isWhole && <s-banner id="missing" tone="warning" heading={say.missing(words.daysInText(books.missing))} />}
            <Movements {...{ words, say, total }} />
            <s-text color="subdued">{say.unsigned}</s-text>
          </s-stack>
        )}
      </s-section>
      {liability && (
        <s-section heading={say.owed}>
          <s-stack id="owed" gap="base">
            <s-text color="subdued">{say.owedOn(words.day(liability.day))}</s-text>
            <Fact id="outstanding" label={say.outstanding} values={[words.count(liability.outstanding), money(liability.value_minor)]} />
            {liability.by_expiry.length > 0 && <s-text type="strong">{say.expiresIn}</s-text>}
            {liability.by_expiry.map(({ expires, points, value_minor: minor }) => (
              <Fact key={expires} label={monthName(expires, say, words.locale)} values={[bar(points, liability.outstanding), `${words.count(points)} · ${money(minor)}`]} />
            ))}
          </s-stack>
        </s-section>
      )}
      {books.days.length > 0 && (
        <s-section heading={say.days}>
          <s-table id="days">
            <s-table-header-row>
              <s-table-header>{say.day}</s-table-header>
              <s-table-header format="numeric">{say.dayOpening}</s-table-header>
              <s-table-header format="numeric">{say.dayClosing}</s-table-header>
            </s-table-header-row>
            <s-table-body>
              {books.days.map(({ day, opening, closing }) => (
                <s-table-row key={day}>
                  <s-table-cell>{words.day(day)}</s-table-cell>
                  <s-table-cell>{words.number(opening)}</s-table-cell>
                  <s-table-cell>{words.number(closing)}</s-table-cell>
                </s-table-row>
              ))}
            </s-table-body>
          </s-table>
        </s-section>
      )}
    </s-stack>
  );
}

/** Whether the month's last day should be on file by now. */
const isPast = ({ month, missing }) => missing.at(-1) === new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).toISOString().slice(0, 10);

/** What each kind of movement does to the points outstanding; the others leave them as they are. */
const SIGNS = { granted: 1, approved: 1, returned: 1, restored: 1, spent: -1, expired: -1, reversed: -1, undone: -1, removed: -1 };

/** From the points outstanding at the beginning to those at the end. */
function Movements({ words, say, total }) {
  const row = (/** @type {string} */ id, name, points, entries = "") => (
    <s-table-row key={id} id={id}>
      <s-table-cell>{name}</s-table-cell>
      <s-table-cell>{points}</s-table-cell>
      <s-table-cell>{entries}</s-table-cell>
    </s-table-row>
  );
  return (
    <s-table id="movements">
      <s-table-header-row>
        <s-table-header>{say.movement}</s-table-header>
        <s-table-header format="numeric">{say.points}</s-table-header>
        <s-table-header format="numeric">{say.count}</s-table-header>
      </s-table-header-row>
      <s-table-body>
        {row("opening", say.opening, words.number(total.opening))}
        {Object.entries(total.movements).map(([kind, { entries, points }]) =>
          row(`moved-${kind}`, say.movements[kind] ?? say.movements.other, SIGNS[kind] ? words.signed(SIGNS[kind] * points) : words.number(points), words.number(entries)),
        )}
        {row("closing", say.closing, words.number(total.closing))}
      </s-table-body>
    </s-table>
  );
}

/** A share of the whole as blocks: extensions draw no pictures. */
function bar(points, whole) {
  const filled = whole > 0 ? Math.max(1, Math.round((20 * Math.max(0, points)) / whole)) : 0;
  return "█".repeat(Math.min(20, filled));
}

function monthName(expires, say, locale) {
  if (expires === "never") return say.never;
  if (expires === "expired") return say.expiredNotBooked;
  return new Intl.DateTimeFormat(locale, { year: "numeric", month: "long", timeZone: "UTC" }).format(new Date(`${expires}-01`));
}

/** The rules in groups, and what a change would do. */
export function Programme({ api, words, say }) {
  const [turn, setTurn] = useState(0);
  const state = useAnswer(() => api.programme(words.locale), [turn]);
  return (
    <Answered words={words} state={state} again={() => setTurn(turn + 1)}>
      {(programme) => (
        <s-stack gap="base">
          <s-text id="version" color="subdued">
            {programme.version === null ? say.fromDeployment : say.since(programme.version, words.moment(programme.since), programme.by)}
          </s-text>
          <TryChange {...{ api, words, say, programme }} />
          <Warnings {...{ say }} rules={programme.groups.flatMap((group) => group.rules)} lines={programme.warnings} />
          {programme.groups.map(({ group, name, rules }) => (
            <s-section key={group} heading={name}>
              <s-stack gap="base">
                {rules.map(({ rule, name: ruleName, meaning, value }) => (
                  <Fact key={rule} id={`rule-${rule}`} label={ruleName} values={[value || say.empty, meaning]} />
                ))}
              </s-stack>
            </s-section>
          ))}
        </s-stack>
      )}
    </Answered>
  );
}

function Warnings({ say, rules, lines }) {
  if (!lines.length) return null;
  return (
    <s-banner tone="warning" heading={say.warnings}>
      <Lines {...{ rules, lines }} />
    </s-banner>
  );
}

/** What there is to say of rules, by their names. */
function Lines({ rules, lines }) {
  const nameOf = (/** @type {string} */ rule) => rules.find((one) => one.rule === rule)?.name ?? rule;
  return (
    <s-stack gap="small">
      {lines.map(({ rule, text }) => (
        <s-text key={text}>{`${nameOf(rule)}: ${text}`}</s-text>
      ))}
    </s-stack>
  );
}

function TryChange({ api, words, say, programme }) {
  const rules = programme.groups.flatMap((group) => group.rules);
  const [rule, setRule] = useState("points_per_unit");
  const [value, setValue] = useState("");
  const [amount, setAmount] = useState("10000");
  const [preview, setPreview] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const chosen = rules.find((one) => one.rule === rule);
  const act = async () => {
    setBusy(true);
    setProblem(null);
    const order = { amount: amount.normalize("NFKC").replaceAll(",", "").trim() };
    await api.previewProgramme(words.locale, { rules: { [rule]: value.trim() }, order }).then(setPreview, setProblem);
    setBusy(false);
  };
  return (
    <s-section heading={say.tryChange}>
      <s-stack gap="base">
        <s-text color="subdued">{say.tryHelp}</s-text>
        <s-select id="rule" label={say.rule} value={rule} onChange={(event) => setRule(event.currentTarget.value)}>
          {rules.map((one) => (
            <s-option key={one.rule} value={one.rule}>
              {one.name}
            </s-option>
          ))}
        </s-select>
        <s-text-field id="new-value" label={say.newValue} value={value} details={chosen && `${chosen.meaning} · ${say.valueNow(chosen.value || say.empty)}`} onInput={(event) => setValue(event.currentTarget.value)} />
        <s-text-field id="amount" label={say.sample(programme.currency)} value={amount} onInput={(event) => setAmount(event.currentTarget.value)} />
        <s-button id="try" variant="primary" loading={isBusy} onClick={() => void act()}>
          {say.tryAct}
        </s-button>
        {problem && <Problem words={words} problem={problem} />}
        {preview && !problem && <Previewed {...{ words, say, preview, rules }} before={programme.warnings} />}
      </s-stack>
    </s-section>
  );
}

function Previewed({ words, say, preview, rules, before }) {
  if (preview.errors.length) {
    return (
      <s-banner id="errors" tone="critical" heading={say.errors}>
        <Lines rules={rules} lines={preview.errors} />
      </s-banner>
    );
  }
  if (!preview.changes.length) return <s-text id="no-change">{say.noChange}</s-text>;
  const earned = ({ points, comes_on: comes, expires_on: ends }) =>
    [words.count(points), comes && say.comesOn(words.day(comes)), ends && say.expiresOn(words.day(ends))].filter(Boolean).join(" · ");
  return (
    <s-stack id="previewed" gap="base">
      {preview.changes.map(({ rule, name, before, after }) => (
        <Fact key={rule} label={name} values={[`${before || say.empty} → ${after || say.empty}`]} />
      ))}
      {preview.order && <Fact id="sample-before" label={say.sampleBefore} values={[earned(preview.order.before)]} />}
      {preview.order && <Fact id="sample-after" label={say.sampleAfter} values={[earned(preview.order.after)]} />}
      <Warnings {...{ say, rules }} lines={preview.warnings.filter(({ text }) => before.every((one) => one.text !== text))} />
      <Fact label={say.fileIs} values={preview.file.trim().split("\n")} />
      <Fact id="command" label={say.thenRun} values={[preview.command]} />
    </s-stack>
  );
}

/** What is failing, and the command that heals it. */
export function State({ api, words, say }) {
  const [turn, setTurn] = useState(0);
  const state = useAnswer(() => api.status(), [turn]);
  return (
    <Answered words={words} state={state} again={() => setTurn(turn + 1)}>
      {(status) => (
        <s-stack gap="base">
          {status.problems.length === 0 && (
            <s-banner id="all-well" tone="success" heading={say.allWell}>
              <s-text>{say.allWellNote}</s-text>
            </s-banner>
          )}
          {status.problems.map((problem) => (
            <s-section key={`${problem.kind}-${problem.subject}`} heading={told(problem, words, say)}>
              <s-stack gap="small">
                <s-badge tone={problem.severity === "error" ? "critical" : "warning"}>{say[problem.severity]}</s-badge>
                <Fact label={say.heal} values={[problem.command]} />
              </s-stack>
            </s-section>
          ))}
          {status.till && <Till {...{ words, say }} till={status.till} />}
          {status.imports?.length > 0 && (
            <s-section heading={say.imports}>
              <s-stack id="imports" gap="small">
                {status.imports.map((one) => (
                  <Fact
                    key={one.run_id}
                    label={say.importIs(one.import_id, words.number(one.rows_done), words.number(one.rows))}
                    values={[[say.importStatus[one.status] ?? one.status, one.dry_run && say.dryRun].filter(Boolean).join(" · ")]}
                  />
                ))}
              </s-stack>
            </s-section>
          )}
          <s-text color="subdued">{say.checkedAt(words.moment(status.as_of))}</s-text>
          <s-button id="check" onClick={() => setTurn(turn + 1)}>
            {say.check}
          </s-button>
        </s-stack>
      )}
    </Answered>
  );
}

function told({ kind, count, subject }, words, say) {
  const text = say.problems[kind];
  return text ? text(words.number(count), subject) : say.otherProblem(kind, words.number(count));
}

function Till({ words, say, till }) {
  const { comparison } = till;
  return (
    <s-stack id="till" gap="none">
      <s-text>{say.tillIs[till.state] ?? till.state}</s-text>
      {comparison && (
        <s-text color="subdued">{say.compared(words.number(comparison.compared), words.number(comparison.differing), words.moment(comparison.finished_at))}</s-text>
      )}
    </s-stack>
  );
}
