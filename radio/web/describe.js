// The field for describing the music in words, and the response: the effect of each phrase, if it was understood.

import { messageOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { labelOf } from "./control-widgets.js";
import { byId, element, setStatus } from "./dom.js";

/** @import { ControlValue, PromptAnswer, PromptPhrase } from "./api.js" */
/** @import { Timeline } from "./timeline.js" */

/** The panel for a prompt to the station that a timeline follows. */
export class PromptPanel {
  #input = byId("prompt", HTMLInputElement);
  #button = byId("prompt-send", HTMLButtonElement);
  #status = byId("prompt-status");
  #answer = byId("prompt-answer");
  #station = "";

  /** @param {Timeline} timeline */
  constructor(timeline) {
    timeline.on("follow", (name) => this.#onFollow(name));
    byId("prompt-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** @param {string} name */
  #onFollow(name) {
    this.#station = name;
    this.#answer.replaceChildren();
    setStatus(this.#status, "");
  }

  async #send() {
    const text = this.#input.value.trim();
    if (!text) return;
    const station = this.#station;
    this.#button.disabled = true;
    try {
      const path = `/api/stations/${station}/prompt`;
      const answer = /** @type {PromptAnswer | null} */ (await authorizedRequest(path, { method: "POST", body: { text } }));
      if (answer && station === this.#station) this.#show(answer);
    } catch (error) {
      setStatus(this.#status, messageOf(error), true);
    } finally {
      this.#button.disabled = false;
    }
  }

  /** @param {PromptAnswer} answer */
  #show({ phrases, controls, bars }) {
    this.#answer.replaceChildren(...phrases.map(createRow));
    const count = Object.keys(controls).length;
    if (count) setStatus(this.#status, `The music changes over ${bars} bars. You can adjust every control by hand below.`);
    else setStatus(this.#status, "Nothing changes.");
  }
}

/** @param {PromptPhrase} phrase */
function createRow({ text, understood, controls, notes }) {
  const values = Object.entries(controls).map(([name, value]) => settingText(name, value));
  const meaning = values.join(", ") || (understood ? "nothing to change" : "not understood");
  return element("div", { className: understood ? "understood" : "not-understood" },
    element("dt", { textContent: text }),
    element("dd", {}, meaning, ...notes.map((note) => element("small", { textContent: note }))));
}

/**
 * Return a control and its value, such as "Tempo: 66". A layer that is not muted is "on".
 *
 * @param {string} name
 * @param {ControlValue} value
 */
function settingText(name, value) {
  const layer = name.match(/^(.+)_mute$/)?.[1];
  if (layer) return `${labelOf(layer)}: ${value ? "off" : "on"}`;
  return `${labelOf(name)}: ${typeof value === "number" ? Math.round(100 * value) / 100 : value}`;
}
