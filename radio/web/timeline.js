// The events of a station and the playback position on its clock, so that they are shown when they are heard.

import { urlOf } from "./api.js";
import { Emitter } from "./events.js";

/** @import { AiredEvents, Bar, ControlValues, Frame, RecentEvent, StationDetails, Track } from "./api.js" */
/** @import { PlayerEvents } from "./player.js" */

/** @typedef {keyof AiredEvents} Kind */
/** @typedef {{ [K in Kind]: AiredEvents[K][] }} History */

/**
 * The part of a player that a timeline reads.
 *
 * @typedef {object} Playback
 * @property {string} state
 * @property {boolean} active
 * @property {boolean} playing
 * @property {number | null} burst
 * @property {string | null} sid
 * @property {{ name: string } | null} station
 * @property {{ readonly currentTime: number }} audio
 */

/**
 * follow: the name of another station, before it is loaded. station: sent on each connection. track, bar: now heard.
 * control: values changed.
 *
 * @typedef {{ follow: string, station: StationDetails, track: Track, bar: Bar, control: ControlValues }} TimelineEvents
 */

/**
 * The live edge: a frame, and the seconds on the page's clock when it was live.
 *
 * @typedef {{ frame: Frame, at: number }} LiveEdge
 */

export const SAMPLE_RATE = 48_000;
// If the browser keeps the time stamps of the Ogg stream, frame f is heard at 48000 t = f - 3528: the decoder delays the
// audio by 312 frames, and drops 3840 frames of pre-skip.
const STREAM_OFFSET = 3840 - 312;
const MAX_DISTANCE = 90 * SAMPLE_RATE; // no listener is farther behind the live edge
const DEFAULT_BURST = 22; // seconds
const NOTE_HISTORY = 40 * SAMPLE_RATE; // the time for which notes are kept
/** @type {Record<Kind, number>} */
const LIMITS = { track: 16, bar: 64, note: 4000 };
const KINDS = /** @type {Kind[]} */ (Object.keys(LIMITS));
const ANNOUNCED = /** @type {const} */ (["track", "bar"]);

const seconds = () => performance.now() / 1000;

/** @returns {History} */
const emptyHistory = () => ({ track: [], bar: [], note: [] });

/**
 * The recent events of one station, and the position of the player.
 *
 * @extends {Emitter<TimelineEvents>}
 */
export class Timeline extends Emitter {
  #player;
  #history = emptyHistory();
  /** @type {string | null} */
  #name = null;
  /** @type {EventSource | null} */
  #source = null;
  #failures = 0;
  #retryTimer = 0;
  /** @type {LiveEdge | null} */
  #live = null;
  /** @type {Frame | null} */
  #firstFrame = null; // of the player's stream
  #usesStreamTime = true; // whether the player's clock keeps the stream's time stamps or starts at 0
  /** @type {{ live: LiveEdge, recent: RecentEvent[] } | null} */
  #restarted = null; // events after a restart of the station, while the player still plays audio from before
  /** @type {{ track?: Frame, bar?: Frame }} */
  #announced = {};

  /** @param {Emitter<PlayerEvents> & Playback} player */
  constructor(player) {
    super();
    this.#player = player;
    player.on("connect", () => this.#connect());
    player.on("state", () => {
      if (player.state === "playing") this.#adoptRestarted();
      this.#onVisibilityChange();
    });
    document.addEventListener("visibilitychange", () => this.#onVisibilityChange());
    setInterval(() => this.#announce(), 200);
  }

  get tracks() { return this.#history.track; }
  get bars() { return this.#history.bar; }
  get notes() { return this.#history.note; }

  /**
   * Follow the station with this name.
   *
   * @param {string} name
   */
  follow(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.#clear();
    this.emit("follow", name);
    this.#connect();
  }

  /** The frame at the live edge, or null if it is unknown. */
  get liveEdge() {
    return this.#live && this.#live.frame + (seconds() - this.#live.at) * SAMPLE_RATE;
  }

  /** The frame that is heard now, the live edge if nothing plays, or null if it is unknown. */
  get position() {
    const live = this.liveEdge;
    if (live === null || !["playing", "stalled"].includes(this.#player.state)) return live;
    const played = this.#player.audio.currentTime * SAMPLE_RATE;
    const first = this.#firstFrame ?? live - (this.#player.burst ?? DEFAULT_BURST) * SAMPLE_RATE;
    return this.#detectStreamTime(played, first, live) ? played + STREAM_OFFSET : first + played;
  }

  /**
   * Return true if the player's clock keeps the stream's time stamps, which depends on the browser. A position beyond
   * the live edge or before the stream's first frame rules out one clock. Until then, keep the last result.
   *
   * @param {Frame} played
   * @param {Frame} first
   * @param {Frame} live
   */
  #detectStreamTime(played, first, live) {
    const near = Math.abs(live - played - STREAM_OFFSET) < MAX_DISTANCE;
    if (this.#firstFrame === null || !near) return near;
    if (first + played > live + SAMPLE_RATE) this.#usesStreamTime = true;
    else if (played > 0 && played + STREAM_OFFSET < first - SAMPLE_RATE / 2) this.#usesStreamTime = false;
    return this.#usesStreamTime;
  }

  #connect() {
    this.#disconnect();
    this.#firstFrame = null;
    this.#usesStreamTime = true;
    if (!this.#name || this.#sleeps) return;
    const ownStream = this.#player.active && this.#player.station?.name === this.#name;
    const source = new EventSource(urlOf(`/api/stations/${this.#name}/events${ownStream ? `?sid=${this.#player.sid}` : ""}`));
    this.#source = source;
    this.#listen(source, "now", (/** @type {StationDetails} */ station) => this.#onStation(station));
    this.#listen(source, "stream", (/** @type {{ first: Frame }} */ { first }) => { this.#firstFrame = first; });
    this.#listen(source, "control", (/** @type {ControlValues} */ values) => this.emit("control", values));
    for (const kind of KINDS) {
      this.#listen(source, kind, (/** @type {AiredEvents[Kind]} */ event) => {
        this.#onEvent(/** @type {RecentEvent} */ ({ ...event, kind }));
      });
    }
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED || source !== this.#source) return; // else the browser retries
      this.#retryTimer = setTimeout(() => this.#connect(), Math.min(15, 2 ** this.#failures++) * 1000);
    };
  }

  /**
   * Call a function with the data of each message of this kind, while the source is the current one.
   *
   * @template T
   * @param {EventSource} source
   * @param {string} kind
   * @param {(data: T) => void} callback
   */
  #listen(source, kind, callback) {
    source.addEventListener(kind, (message) => {
      if (source === this.#source) callback(/** @type {T} */ (JSON.parse(message.data)));
    });
  }

  #disconnect() {
    clearTimeout(this.#retryTimer);
    this.#source?.close();
    this.#source = null;
  }

  /** @param {StationDetails} station */
  #onStation(station) {
    this.#failures = 0;
    const known = this.liveEdge;
    const latest = { live: { frame: station.live, at: seconds() }, recent: station.recent ?? [] };
    // A jump of the clock means that the radio was restarted.
    const jumped = known !== null && Math.abs(known - station.live) > MAX_DISTANCE / 4;
    if (jumped && this.#player.playing) this.#restarted = latest;
    else this.#adopt(latest);
    this.emit("station", station);
  }

  #adoptRestarted() {
    if (this.#restarted) this.#adopt(this.#restarted);
  }

  /** @param {{ live: LiveEdge, recent: RecentEvent[] }} latest */
  #adopt({ live, recent }) {
    this.#clear();
    this.#live = live;
    for (const event of recent) this.#listFor(event)?.push(event);
    this.#announce();
  }

  #clear() {
    this.#live = this.#restarted = null;
    this.#announced = {};
    this.#history = emptyHistory();
  }

  /**
   * @param {RecentEvent} event
   * @returns {AiredEvents[Kind][] | undefined}
   */
  #listFor({ kind }) { return this.#history[kind]; }

  /** @param {RecentEvent} event */
  #onEvent(event) {
    const at = seconds();
    if (this.#restarted) {
      this.#restarted.live = { frame: event.frame, at };
      this.#restarted.recent.push(event);
      if (this.#restarted.recent.length > LIMITS.note) this.#restarted.recent.shift();
      return;
    }
    const live = this.liveEdge;
    if (live === null) return;
    // Events arrive about ten milliseconds after their frame, with jitter: smooth the estimate of the live edge.
    const error = event.frame - live;
    this.#live = { frame: live + (Math.abs(error) > SAMPLE_RATE ? error : error / 10), at };
    this.#listFor(event)?.push(event);
    this.#discardOld(event);
  }

  /** @param {RecentEvent} latest */
  #discardOld({ kind, frame }) {
    const limit = LIMITS[kind], list = this.#history[kind];
    const outdated = kind === "note" && list[0].frame < frame - 2 * NOTE_HISTORY;
    if (list.length <= limit && !outdated) return;
    const from = kind === "note" ? Math.min(this.position ?? frame, frame) - NOTE_HISTORY : -Infinity;
    const recent = list.filter((event) => event.frame > from).slice(-limit / 2);
    list.splice(0, list.length, ...recent);
  }

  #announce() {
    const position = this.position;
    if (position === null) return;
    for (const kind of ANNOUNCED) {
      const event = this.#history[kind].findLast(({ frame }) => frame <= position);
      if (event && event.frame !== this.#announced[kind]) {
        this.#announced[kind] = event.frame;
        this.dispatchEvent(new CustomEvent(kind, { detail: event }));
      }
    }
  }

  // Browsers open at most six connections to a host, across all tabs: a hidden tab that plays nothing has none.
  get #sleeps() { return document.hidden && !this.#player.active; }

  #onVisibilityChange() {
    if (this.#sleeps) this.#disconnect();
    else if (!document.hidden && !this.#source) this.#connect();
  }
}
