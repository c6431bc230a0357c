// Buttons that advance a track, hold its loop, or rate it.

import { messageOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { byId, element, setStatus } from "./dom.js";
import { delayOf } from "./landing.js";

/** @import { ActionResponse } from "./api.js" */
/** @import { Player } from "./player.js" */
/** @import { Timeline } from "./timeline.js" */

/** The actions on the track that is heard. */
export class Actions {
  #timeline;
  #player;
  #station = "";
  /** @type {number | null} */
  #track = null; // the number of the track that is heard
  #hold = element("button", { type: "button", className: "secondary", "aria-pressed": "false", title: "Stay in this loop until it is released or the next section or track begins" }, "Hold loop");

  /**
   * @param {Timeline} timeline
   * @param {Player} player
   */
  constructor(timeline, player) {
    this.#timeline = timeline;
    this.#player = player;
    timeline.on("follow", (name) => {
      this.#station = name;
      this.#track = null;
      this.#hold.setAttribute("aria-pressed", "false");
    });
    timeline.on("station", () => { this.#track = null; });
    timeline.on("track", ({ number }) => { this.#track = number ?? null; });
    timeline.on("bar", ({ hold }) => this.#hold.setAttribute("aria-pressed", String(Boolean(hold))));
    this.#hold.addEventListener("click", () => {
      const held = this.#hold.getAttribute("aria-pressed") === "true";
      this.#act("section", held ? "Release" : "Hold", { action: held ? "release" : "hold" });
    });
    byId("actions").replaceChildren(
      this.#button("Like", "More tracks like this one", () => this.#rate("like")),
      this.#button("Dislike", "Fewer tracks like this one", () => this.#rate("dislike")),
      this.#button("Forget likes", "Forget all likes and dislikes", () => this.#act("reset", "Forget likes")),
      this.#hold,
      this.#button("Next section", "Begin the next section", () => this.#act("section", "Next section", { action: "next" })),
      this.#button("Next track", "Begin the next track", () => this.#act("skip", "Next track")),
    );
  }

  /**
   * @param {string} label
   * @param {string} title
   * @param {() => void} onClick
   */
  #button(label, title, onClick) {
    const node = element("button", { type: "button", className: "secondary", title }, label);
    node.addEventListener("click", onClick);
    return node;
  }

  /** @param {"like" | "dislike"} opinion */
  #rate(opinion) {
    const query = this.#track === null ? "" : `?track=${this.#track}`;
    this.#act(`${opinion}${query}`, opinion === "like" ? "Like" : "Dislike");
  }

  /**
   * @param {string} path
   * @param {string} label
   * @param {Record<string, string>} [body]
   */
  async #act(path, label, body) {
    const status = byId("controls-status"), station = this.#station;
    try {
      const request = authorizedRequest(`/api/stations/${station}/${path}`, { method: "POST", body });
      const landing = /** @type {ActionResponse | null} */ (await request);
      if (landing && station === this.#station) setStatus(status, `${label}: ${delayOf(landing.frame, this.#timeline, this.#player)}.`);
    } catch (error) {
      setStatus(status, messageOf(error), true);
    }
  }
}
