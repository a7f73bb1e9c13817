// Numbers with a minus sign: for English and Japanese, Intl and the API write a hyphen.

/** A function that writes numbers for readers of `locale`; `options` are those of Intl.NumberFormat. */
export function numbers(locale, options) {
  const format = new Intl.NumberFormat(locale, options);
  return (number) => withMinus(format.format(number));
}

/** A text that may be a number: `-1,250` becomes `−1,250`. */
export function withMinus(text) {
  return text.replace(/^-(?=\d)/, "\u2212");
}
