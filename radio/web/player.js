// Playback of a station's stream in an audio element: format selection and reconnection.

import { urlOf } from "./api.js";
import { Emitter } from "./events.js";

/** @import { Station } from "./api.js" */

/**
 * stalled: out of audio. blocked: the browser requires a click first. unsupported: no format can be played.
 *
 * @typedef {"stopped" | "connecting" | "playing" | "stalled" | "reconnecting" | "blocked" | "unsupported"} PlayerState
 */

/**
 * state: the state changed. connect: a new stream with a new `sid` is opened.
 *
 * @typedef {{ state: void, connect: void }} PlayerEvents
 */

const FORMATS = [["opus", 'audio/ogg; codecs="opus"'], ["aac", "audio/aac"], ["mp3", "audio/mpeg"]]; // best first
const RETRY_DELAYS = [0.3, 1, 2, 4, 8, 15]; // seconds
const STALL_TIMEOUT = 12; // seconds without progress after which to reconnect
const STABLE_AFTER = 5; // seconds of playback after which the retry delays start over

/**
 * Return the formats of the streams that the browser can play, best first.
 *
 * @param {Record<string, string>} streams
 * @param {HTMLAudioElement} audio
 */
function playableFormats(streams, audio) {
  return FORMATS.filter(([format, type]) => streams[format] && audio.canPlayType(type)).map(([format]) => format);
}

/**
 * Return a message for a state; an empty string for `stopped`.
 *
 * @param {PlayerState} state
 */
export function stateMessage(state) {
  switch (state) {
    case "connecting": return "Connecting…";
    case "playing": return "Playing";
    case "stalled": return "Buffering…";
    case "reconnecting": return navigator.onLine ? "Connection lost. Reconnecting…" : "Offline. Playback resumes when you are online.";
    case "blocked": return "Press play to start";
    case "unsupported": return "This browser supports none of the stream formats";
    default: return "";
  }
}

/**
 * A player of one station at a time. It reconnects until it is stopped.
 *
 * @extends {Emitter<PlayerEvents>}
 */
export class Player extends Emitter {
  audio = new Audio();
  /** @type {Station | null} */
  station = null;
  /** @type {PlayerState} */
  state = "stopped";
  /** @type {string | null} */
  sid = null; // identifies the stream to the server
  /** @type {number | null} */
  burst = null; // seconds of audio to buffer at the start; null is the server's default
  /** @type {string[]} */
  #formats = [];
  #failures = 0;
  #retryTimer = 0; // 0 while no attempt is planned
  #fade = 1;
  #volume = 0.8;
  #muted = false;
  #progress = { time: 0, changedAt: 0, startedAt: 0 }; // media time; milliseconds of the page's clock

  constructor() {
    super();
    this.audio.preload = "auto";
    this.audio.addEventListener("playing", () => this.#setState("playing"));
    this.audio.addEventListener("waiting", () => this.playing && this.#setState("stalled"));
    this.audio.addEventListener("ended", () => this.#reconnectLater());
    this.audio.addEventListener("error", () => this.#onError());
    this.audio.addEventListener("pause", () => this.#onPause());
    addEventListener("online", () => this.state === "reconnecting" && this.#connect());
    setInterval(() => this.#checkProgress(), 1000);
  }

  /** True if playback was started, and neither stopped nor refused by the browser. */
  get active() { return !["stopped", "blocked", "unsupported"].includes(this.state); }

  /** True if audio is playing now. */
  get playing() { return this.state === "playing"; }

  get volume() { return this.#volume; }
  get muted() { return this.#muted; }

  set volume(value) {
    this.#volume = Math.min(1, Math.max(0, value));
    this.#applyVolume();
  }

  set muted(value) {
    this.#muted = value;
    this.#applyVolume();
  }

  /** @param {number} value  A factor of the volume, from 0 to 1, for the sleep timer. */
  set fade(value) {
    this.#fade = value;
    this.#applyVolume();
  }

  /**
   * Play a station, by default the last one.
   *
   * @param {Station | null} station
   */
  play(station = this.station) {
    if (!station) return;
    if (station.name !== this.station?.name || !this.#formats.length) {
      this.#formats = playableFormats(station.streams, this.audio);
    }
    this.station = station;
    this.#failures = 0;
    this.fade = 1;
    this.#connect();
  }

  /** Stop, and close the stream. */
  stop() { this.#close("stopped"); }

  /** @param {PlayerState} state */
  #close(state) {
    this.#cancelRetry();
    this.#setState(state);
    this.audio.pause();
    this.audio.removeAttribute("src"); // a paused stream would stay connected until the server drops it
    this.audio.load();
  }

  #applyVolume() {
    // Perceived loudness: half the volume is a quarter of the amplitude, -12 dB.
    this.audio.volume = (this.#volume * this.#fade) ** 2;
    this.audio.muted = this.#muted;
  }

  #cancelRetry() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
  }

  #connect() {
    this.#cancelRetry();
    if (!this.station || !this.#formats.length) return this.#setState("unsupported");
    this.sid = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const url = new URL(urlOf(this.station.streams[this.#formats[0]]));
    url.searchParams.set("sid", this.sid);
    if (this.burst !== null) url.searchParams.set("burst", String(this.burst));
    this.#progress = { time: 0, changedAt: performance.now(), startedAt: 0 };
    this.#setState(this.#failures ? "reconnecting" : "connecting");
    this.emit("connect", undefined);
    this.audio.src = url.href;
    const { sid } = this;
    this.audio.play().catch((error) => {
      if (error.name === "NotAllowedError" && sid === this.sid && this.active) this.#close("blocked");
    });
  }

  #onError() {
    if (!this.active || !this.audio.hasAttribute("src")) return;
    /** @type {number[]} */
    const formatErrors = [MediaError.MEDIA_ERR_DECODE, MediaError.MEDIA_ERR_SRC_NOT_SUPPORTED];
    const neverPlayed = this.#progress.startedAt === 0 && formatErrors.includes(this.audio.error?.code ?? 0);
    // Browsers report "not supported" for an unreachable server too. If the server responds, try the next format.
    if (neverPlayed && this.#formats.length > 1) {
      const { sid } = this;
      fetch(urlOf("/healthz"), { cache: "no-store" }).then(({ ok }) => {
        if (ok && sid === this.sid && this.active) this.#formats = [...this.#formats.slice(1), this.#formats[0]];
      }, () => {});
    }
    this.#reconnectLater();
  }

  #reconnectLater() {
    if (!this.active) return;
    clearTimeout(this.#retryTimer);
    const delay = RETRY_DELAYS[Math.min(this.#failures++, RETRY_DELAYS.length - 1)];
    this.#setState("reconnecting");
    this.#retryTimer = setTimeout(() => this.#connect(), delay * (800 + 400 * Math.random())); // spread over listeners
  }

  // The system paused playback: headphones were unplugged or another app plays. Stop, so that no stale audio piles up.
  #onPause() {
    if (["playing", "stalled"].includes(this.state) && !this.audio.ended && !this.audio.error) this.stop();
  }

  #checkProgress() {
    if (!this.active || this.#retryTimer) return;
    const now = performance.now(), { currentTime } = this.audio;
    if (currentTime !== this.#progress.time) {
      this.#progress = { time: currentTime, changedAt: now, startedAt: this.#progress.startedAt || now };
      if (now - this.#progress.startedAt > STABLE_AFTER * 1000) this.#failures = 0;
    } else if (now - this.#progress.changedAt > STALL_TIMEOUT * 1000) {
      this.#reconnectLater();
    }
  }

  /** @param {PlayerState} state */
  #setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.emit("state", undefined);
  }
}
