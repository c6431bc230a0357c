// The keyboard, for the page as a whole; whatever has the focus and wants a key comes first.

import { at } from "./dom.js";

const WANTED = 'input:not([type="checkbox"]), select, textarea, dialog[open]';
const PRESSED = "button, a, summary, label, input";

/** Let keys call these: toggle, beside(places), place(n), volume(step), mute, sleep, theme. */
export function listen(actions) {
  const keys = {
    " ": actions.toggle,
    ArrowLeft: () => actions.beside(-1),
    ArrowRight: () => actions.beside(1),
    ArrowUp: () => actions.volume(0.05),
    ArrowDown: () => actions.volume(-0.05),
    m: actions.mute,
    s: actions.sleep,
    t: actions.theme,
    "?": () => at("help").showModal(),
  };
  for (let n = 1; n <= 9; n++) keys[n] = () => actions.place(n);
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[key]) return;
    // What a closing dialog took with it keeps the focus until the page is drawn again, and wants no key any more.
    const shown = target.getClientRects().length > 0;
    if (shown && (target.closest(WANTED) || (key === " " && target.closest(PRESSED)))) return;
    event.preventDefault();
    if (!event.repeat || key.startsWith("Arrow")) keys[key]();
  });
  at("help-open").addEventListener("click", () => at("help").showModal());
}
