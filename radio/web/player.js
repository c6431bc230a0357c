// The sound: one audio element, kept playing. It chooses a format, and connects again for as long as it is wanted.

import { address } from "./api.js";

const FORMATS = [["opus", 'audio/ogg; codecs="opus"'], ["aac", "audio/aac"], ["mp3", "audio/mpeg"]];
const WAITS = [0.3, 1, 2, 4, 8, 15]; // seconds before each attempt to connect again
const STALLED = 12; // seconds without any progress after which a connection is given up
const SETTLED = 5; // seconds of music after which the next fault begins with the shortest wait

/** What the browser plays of a station's streams, best first. */
export function playable(streams, audio = new Audio()) {
  return FORMATS.filter(([name, type]) => streams[name] && audio.canPlayType(type)).map(([name]) => name);
}

/** A player's state in words; nothing to say of one that is stopped. */
export function phrase(state) {
  switch (state) {
    case "playing": return "On the air";
    case "connecting": return "Tuning in …";
    case "waiting": return "Waiting for the network …";
    case "reconnecting": return navigator.onLine ? "Connection lost, trying again …" : "Offline; it goes on when you are back";
    case "silent": return "Press play to hear it";
    case "unplayable": return "This browser plays none of the formats";
    default: return "";
  }
}

/**
 * States: stopped, connecting, playing, waiting (out of audio), reconnecting, silent (the browser wants a click first),
 * unplayable. Events: "state"; "connect", when a new stream with a new `sid` is asked for.
 */
export class Player extends EventTarget {
  audio = new Audio();
  station = null;
  state = "stopped";
  sid = null;
  burst = null; // seconds; null is the radio's own
  #formats = [];
  #failures = 0;
  #retry = 0;
  #fade = 1;
  #volume = 0.8;
  #muted = false;
  #progress = { time: 0, at: 0, since: 0 };

  constructor() {
    super();
    this.audio.preload = "auto";
    this.audio.addEventListener("playing", () => this.#enter("playing"));
    this.audio.addEventListener("waiting", () => this.wanted && this.state === "playing" && this.#enter("waiting"));
    this.audio.addEventListener("ended", () => this.#lost());
    this.audio.addEventListener("error", () => this.#failed());
    this.audio.addEventListener("pause", () => this.#paused());
    addEventListener("online", () => this.state === "reconnecting" && this.#connect());
    setInterval(() => this.#watch(), 1000);
  }

  get wanted() { return this.state !== "stopped" && this.state !== "unplayable"; }
  get sounding() { return this.state === "playing"; }
  get volume() { return this.#volume; }
  get muted() { return this.#muted; }

  set volume(value) {
    this.#volume = Math.min(1, Math.max(0, value));
    this.#apply();
  }

  set muted(value) {
    this.#muted = value;
    this.#apply();
  }

  /** How much of the volume is heard, 0–1: what a sleep timer turns down. */
  set fade(value) {
    this.#fade = value;
    this.#apply();
  }

  play(station = this.station) {
    if (!station) return;
    if (station.name !== this.station?.name || !this.#formats.length) this.#formats = playable(station.streams, this.audio);
    this.station = station;
    this.#failures = 0;
    this.fade = 1;
    this.#connect();
  }

  stop() {
    clearTimeout(this.#retry);
    this.#enter("stopped");
    this.#release();
  }

  #apply() {
    // As an ear hears it: half way is half as loud, which is about a tenth of the power.
    this.audio.volume = (this.#volume * this.#fade) ** 2;
    this.audio.muted = this.#muted;
  }

  #connect() {
    clearTimeout(this.#retry);
    if (!this.#formats.length) return this.#enter("unplayable");
    this.sid = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const url = new URL(address(this.station.streams[this.#formats[0]]));
    url.searchParams.set("sid", this.sid);
    if (this.burst !== null) url.searchParams.set("burst", this.burst);
    this.#progress = { time: 0, at: performance.now(), since: 0 };
    this.#enter(this.#failures ? "reconnecting" : "connecting");
    this.dispatchEvent(new Event("connect"));
    this.audio.src = url.href;
    this.audio.play().catch((error) => error.name === "NotAllowedError" && this.#enter("silent"));
  }

  #failed() {
    if (!this.wanted || !this.audio.hasAttribute("src")) return;
    const { MEDIA_ERR_DECODE, MEDIA_ERR_SRC_NOT_SUPPORTED } = MediaError;
    const never = this.#progress.since === 0 && [MEDIA_ERR_DECODE, MEDIA_ERR_SRC_NOT_SUPPORTED].includes(this.audio.error?.code);
    // Browsers say "not supported" of a server that is down, too: only when it answers is the format to blame.
    if (never && this.#formats.length > 1) {
      const tried = this.sid;
      fetch(address("/healthz"), { cache: "no-store" }).then(({ ok }) => {
        if (ok && tried === this.sid && this.wanted) this.#formats = [...this.#formats.slice(1), this.#formats[0]];
      }, () => {});
    }
    this.#lost();
  }

  #lost() {
    if (!this.wanted) return;
    clearTimeout(this.#retry);
    const wait = WAITS[Math.min(this.#failures++, WAITS.length - 1)];
    this.#enter("reconnecting");
    this.#retry = setTimeout(() => this.#connect(), wait * (800 + 400 * Math.random())); // not all listeners at once
  }

  // A pause that nobody here asked for: headphones pulled out, another app's sound. Its stream must not pile up.
  #paused() {
    if (this.sounding && !this.audio.ended && !this.audio.error) this.stop();
  }

  #watch() {
    if (!["playing", "waiting", "connecting"].includes(this.state)) return;
    const now = performance.now(), { currentTime } = this.audio;
    if (currentTime !== this.#progress.time) {
      this.#progress = { time: currentTime, at: now, since: this.#progress.since || now };
      if (now - this.#progress.since > SETTLED * 1000) this.#failures = 0;
    } else if (now - this.#progress.at > STALLED * 1000) {
      this.#lost();
    }
  }

  #release() {
    this.audio.pause();
    this.audio.removeAttribute("src"); // a paused stream would stay connected until it is dropped for being slow
    this.audio.load();
  }

  #enter(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
