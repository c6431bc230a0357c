// A timer that fades the music out and stops it.

import { byId, setText } from "./dom.js";

/** @import { Player } from "./player.js" */

const FADE = 20_000; // milliseconds
const MINUTE = 60_000;

/** The sleep timer of a player. */
export class SleepTimer {
  #player;
  #menu = byId("sleep", HTMLSelectElement);
  #running = byId("sleep-running", HTMLOptionElement); // selected while the timer runs, so that any other choice is a change
  /** @type {number | null} */
  #end = null; // wall-clock milliseconds, since browser timers stop while a computer sleeps
  #length = MINUTE;

  /** @param {Player} player */
  constructor(player) {
    this.#player = player;
    this.#menu.addEventListener("change", () => this.set(Number(this.#menu.value)));
    setInterval(() => this.#update(), 250);
  }

  /**
   * Stop the player in this many minutes; 0 cancels the timer.
   *
   * @param {number} minutes
   */
  set(minutes) {
    this.#end = minutes ? Date.now() + minutes * MINUTE : null;
    this.#length = minutes * MINUTE;
    this.#player.fade = 1;
    this.#menu.value = minutes ? this.#running.value : "";
    this.#update();
  }

  /** Add 15 minutes. */
  extend() {
    this.set(this.#end === null ? 15 : Math.ceil((this.#end - Date.now()) / MINUTE) + 15);
  }

  #update() {
    const left = this.#end === null ? null : this.#end - Date.now();
    const text = left === null ? "" : formatTimeLeft(left);
    setText(byId("sleep-left"), text);
    setText(this.#running, text && `${text} left`);
    if (left === null) return;
    if (left <= 0) {
      this.#player.stop();
      this.set(0);
    } else {
      this.#player.fade = Math.min(1, left / Math.min(FADE, this.#length));
    }
  }
}

/** @param {number} left  Milliseconds. */
function formatTimeLeft(left) {
  return left > MINUTE ? `${Math.ceil(left / MINUTE)}′` : `${Math.max(0, Math.ceil(left / 1000))}″`;
}
