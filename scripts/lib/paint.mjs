/**
 * Colours for people. They appear on a terminal, or where FORCE_COLOR asks for them; NO_COLOR always wins.
 */
const { NO_COLOR, FORCE_COLOR } = process.env;
const enabled = !NO_COLOR && (Boolean(FORCE_COLOR && FORCE_COLOR !== '0') || process.stdout.isTTY === true);

const style = (open, close) => (text) => (enabled ? `\u001b[${open}m${text}\u001b[${close}m` : String(text));

export const bold = style(1, 22);
export const dim = style(2, 22);
export const red = style(31, 39);
export const green = style(32, 39);
export const yellow = style(33, 39);
export const blue = style(34, 39);
export const magenta = style(35, 39);
export const cyan = style(36, 39);
