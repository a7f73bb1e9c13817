// Numbers, money and days for readers of one language. No DOM: Shopify's extensions use it as well.

/** A function that writes numbers for readers of `locale`; `options` are those of Intl.NumberFormat. */
export function numbers(locale, options) {
  const format = new Intl.NumberFormat(locale, options);
  return (number) => withMinus(format.format(number));
}

/** A function that writes an amount (a decimal text or a number) of a currency. */
export function money(locale) {
  return (amount, currency) => {
    const whole = Number.isInteger(Number(amount)) ? { minimumFractionDigits: 0 } : {};
    return numbers(locale, { style: "currency", currency, ...whole })(Number(amount));
  };
}

/** A function that writes an amount within a sentence; Japanese sentences have 950円, not ￥950. */
export function moneyInText(locale) {
  const [amount, number] = [money(locale), numbers(locale)];
  return (value, currency) => (locale === "ja" && currency === "JPY" ? `${number(value)}円` : amount(value, currency));
}

/** A function that writes a day such as 2026-12-31, which has no time and no time zone. */
export function days(locale) {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
  return (day) => unbroken(format.format(new Date(day)), locale);
}

/** A function that writes the day of an instant, in the shop's time zone, for lists. */
export function daysOfInstants(locale, timeZone) {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: locale === "ja" ? "long" : "medium", timeZone });
  return (instant) => unbroken(format.format(new Date(instant)), locale);
}

/** Whether a day such as 2026-12-31 is over in a time zone. */
export function isOver(day, timeZone, now = Date.now()) {
  const parts = new Intl.DateTimeFormat("en", { year: "numeric", month: "2-digit", day: "2-digit", timeZone }).formatToParts(now);
  const today = ["year", "month", "day"].map((type) => parts.find((part) => part.type === type).value).join("-");
  return day < today;
}

/** A day that no line ends within. */
function unbroken(day, locale) {
  return locale === "ja" ? day.replace(/[年月]/g, "$&\u2060") : day.replaceAll(" ", "\u00a0");
}

/** A function that writes a duration: from a minute on in minutes, from two hours on in hours. */
export function durations(locale) {
  return (seconds) => {
    const [unit, each] = seconds >= 7200 ? ["hour", 3600] : seconds >= 60 ? ["minute", 60] : ["second", 1];
    const format = new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" });
    return format.format(Math.round(seconds / each)).replace(locale === "ja" ? /\s/g : "", "");
  };
}

/** A function that writes until when, by the reader's own clock; another day than today is named. */
export function timesOfDay(locale) {
  const time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
  const other = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });
  return (at, now = Date.now()) => {
    const isToday = new Date(at).toDateString() === new Date(now).toDateString();
    return (isToday ? time : other).format(at);
  };
}

/** The number that a customer typed, in full or half width and with commas; NaN if it is not a whole number. */
export function wholeNumber(text) {
  const plain = text.normalize("NFKC").replace(/[\s,]/g, "");
  return /^\d{1,10}$/.test(plain) ? Number(plain) : NaN;
}

/** A text that may be a number: `-1,250` becomes `−1,250`; Intl and the API write a hyphen. */
export function withMinus(text) {
  return text.replace(/^-(?=[\d¥$€£])/u, "\u2212");
}
