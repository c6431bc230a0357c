// Keyboard shortcuts of the page. The focused element takes precedence.

import { byId } from "./dom.js";
import { readPreference, savePreference } from "./preferences.js";

const USES_ALL_KEYS = 'input:not([type="checkbox"]), select, textarea, audio, dialog[open]';
const USES_SPACE = "button, a, summary, label, input";

/**
 * @typedef {object} Actions
 * @property {() => void} togglePlayback
 * @property {(offset: number) => void} changeStation
 * @property {(index: number) => void} selectStation
 * @property {(step: number) => void} stepVolume
 * @property {() => void} toggleMute
 * @property {() => void} extendSleepTimer
 * @property {() => void} toggleTheme
 */

/**
 * Bind keys to actions, unless they are switched off in the help: speech input may type them by mistake.
 *
 * @param {Actions} actions
 */
export function bindKeys(actions) {
  const help = byId("help", HTMLDialogElement);
  /** @type {Record<string, () => void>} */
  const keys = {
    " ": actions.togglePlayback,
    ArrowLeft: () => actions.changeStation(-1),
    ArrowRight: () => actions.changeStation(1),
    ArrowUp: () => actions.stepVolume(0.05),
    ArrowDown: () => actions.stepVolume(-0.05),
    m: actions.toggleMute,
    s: actions.extendSleepTimer,
    t: actions.toggleTheme,
    "?": () => help.showModal(),
  };
  for (let number = 1; number <= 9; number++) keys[number] = () => actions.selectStation(number - 1);
  const enabled = byId("shortcuts", HTMLInputElement);
  enabled.checked = readPreference("shortcuts", "on") === "on";
  enabled.addEventListener("change", () => savePreference("shortcuts", enabled.checked ? "on" : "off"));
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!enabled.checked || event.ctrlKey || event.metaKey || event.altKey || !keys[key] || !(target instanceof Element)) return;
    // An element of a closed dialog keeps the focus until the next paint. It is hidden and must not take the key.
    const visible = target.getClientRects().length > 0;
    if (visible && (target.closest(USES_ALL_KEYS) || (key === " " && target.closest(USES_SPACE)))) return;
    event.preventDefault();
    if (!event.repeat || key.startsWith("Arrow")) keys[key]();
  });
  byId("help-open").addEventListener("click", () => help.showModal());
}
