// Numbers, times and moves as text.

const whole = new Intl.NumberFormat("en");
export const count = (number) => whole.format(Math.round(number ?? 0));
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;

/** A value with its sign; a value that rounds to zero has none. */
export function signed(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value).toFixed(2);
  return size === "0.00" ? size : `${value < 0 ? "−" : "+"}${size}`;
}

export const rate = (number) => (number >= 100 ? count(number) : (number ?? 0).toFixed(1));
export const threeDigits = (number) => number.toFixed(3);
export const scientific = (number) => (number ? number.toExponential(1).replace("e-", "e−") : "0");

/** A short number for a chart's axis. */
export function short(number) {
  if (Math.abs(number) >= 1e6) return `${+(number / 1e6).toFixed(1)}M`;
  if (Math.abs(number) >= 1e4) return `${+(number / 1e3).toFixed(1)}k`;
  return whole.format(number);
}

/** How long ago a Unix time was. */
export function ago(seconds) {
  if (!seconds) return "never";
  const passed = Math.max(0, Date.now() / 1000 - seconds);
  if (passed < 60) return `${Math.floor(passed)} s ago`;
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86400) return `${Math.floor(passed / 3600)} h ago`;
  return `${Math.floor(passed / 86400)} days ago`;
}

/** A cell's name: the column's letter and the row's number, counted from the row that the game calls its first. */
export const cellName = (info, cell) =>
  `${"abcdefghijklmnopqrstuvwxyz"[cell % info.board_width]}${Math.floor(cell / info.board_width) + 1}`;

/** A move's name: a column's number, a cell such as b3, or "pass". */
export function moveName(info, action) {
  if (info.board_type === "drop_column") return `${action + 1}`;
  if (action >= info.board_width * info.board_height) return "pass";
  return cellName(info, action);
}
