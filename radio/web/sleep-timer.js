// The sleep timer: the music fades out, then stops.

import { at, write } from "./dom.js";

const FADE = 20_000; // milliseconds
const MINUTE = 60_000;

export class Sleep {
  #player;
  #end = null; // milliseconds since 1970: a timer of the browser's would not count a closed lid
  #length = MINUTE;

  constructor(player) {
    this.#player = player;
    at("sleep").addEventListener("change", () => this.set(Number(at("sleep").value)));
    setInterval(() => this.#tick(), 250);
  }

  /** Stop in so many minutes; 0 or nothing ends the timer. */
  set(minutes) {
    this.#end = minutes ? Date.now() + minutes * MINUTE : null;
    this.#length = minutes * MINUTE;
    this.#player.fade = 1;
    this.#tick();
    if (!minutes) at("sleep").value = "";
  }

  /** A quarter of an hour more. */
  more() { this.set(this.#end ? Math.ceil((this.#end - Date.now()) / MINUTE) + 15 : 15); }

  #tick() {
    const left = this.#end === null ? null : this.#end - Date.now();
    write(at("sleep-left"), left === null ? "" : left > MINUTE ? `${Math.ceil(left / MINUTE)}′` : `${Math.max(0, Math.ceil(left / 1000))}″`);
    if (left === null) return;
    if (left <= 0) {
      this.#player.stop();
      this.set(0);
    } else {
      this.#player.fade = Math.min(1, left / Math.min(FADE, this.#length));
    }
  }
}
