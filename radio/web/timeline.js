// What airs and when it is heard: a station's events, and the frame of its clock that sounds at this moment.

import { address } from "./api.js";

const RATE = 48000;
// In a stream whose own time the browser keeps, frame f is heard at 48000 t = f − 3528: the decoder's 312 frames of
// lookahead come later, the 3840 of pre-skip are thrown away.
const LEAD = 3840 - 312;
const PLAUSIBLE = 90 * RATE; // nobody hears what is further from the live edge
const BURST = 22; // seconds that a stream begins in the past, where nobody says
const KEPT = 40 * RATE; // frames of the past whose notes are kept
const MOST = { track: 16, bar: 64, note: 4000 };

const seconds = () => performance.now() / 1000;

/**
 * Events: "station" (the station in full, on each connection), "track" and "bar" when they are heard, "control" at once,
 * "lost" and "found" as the connection comes and goes.
 */
export class Timeline extends EventTarget {
  track = [];
  bar = [];
  note = [];
  #player;
  #name = null;
  #feed = null;
  #failures = 0;
  #retry = 0;
  #live = null; // { frame, at }: the live edge, and when it was there by this page's clock
  #first = null; // frame of the stream's first sample
  #own = true; // whether the player's clock is the stream's own
  #next = null; // what airs on the clock of a radio that started anew, while the old one's last seconds still sound
  #heard = {}; // the frame of the track and of the bar that were last told

  constructor(player) {
    super();
    this.#player = player;
    player.addEventListener("connect", () => this.#open());
    player.addEventListener("state", () => player.state === "playing" && this.#turnOver());
    document.addEventListener("visibilitychange", () => this.#sleepOrWake());
    setInterval(() => this.#tell(), 200);
  }

  /** Follow the station of this name. */
  tune(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.#forget();
    this.#open();
  }

  /** The live edge, as far as it is known; null before anything is. */
  get live() {
    return this.#live && this.#live.frame + (seconds() - this.#live.at) * RATE;
  }

  /** The frame that sounds now; at the live edge while nothing sounds. Null before anything is known. */
  get heard() {
    const live = this.live;
    if (live === null || !["playing", "waiting"].includes(this.#player.state)) return live;
    const played = this.#player.audio.currentTime * RATE;
    const first = this.#first ?? live - (this.#player.burst ?? BURST) * RATE;
    return this.#isOwn(played, first, live) ? played + LEAD : first + played;
  }

  // Some browsers' clocks begin at the stream's own time, others' at 0. What cannot be heard yet, or is over, tells which;
  // where both are possible, as in a radio that has just begun, it stays as it was.
  #isOwn(played, first, live) {
    const near = Math.abs(live - played - LEAD) < PLAUSIBLE;
    if (this.#first === null || !near) return near;
    if (first + played > live + RATE) this.#own = true;
    else if (played > 0 && played + LEAD < first - RATE / 2) this.#own = false;
    return this.#own;
  }

  #open() {
    clearTimeout(this.#retry);
    this.#feed?.close();
    this.#feed = null;
    this.#first = null;
    this.#own = true;
    if (!this.#name) return;
    const sid = this.#player.wanted && this.#player.station?.name === this.#name ? `?sid=${this.#player.sid}` : "";
    const feed = this.#feed = new EventSource(address(`/api/stations/${this.#name}/events${sid}`));
    const on = (kind, take) => feed.addEventListener(kind, (message) => feed === this.#feed && take(JSON.parse(message.data)));
    on("now", (data) => this.#begin(data));
    on("stream", ({ first }) => { this.#first = first; });
    on("control", (data) => this.dispatchEvent(new CustomEvent("control", { detail: data })));
    for (const kind of Object.keys(MOST)) on(kind, (data) => this.#take({ ...data, kind }));
    feed.onerror = () => {
      this.dispatchEvent(new Event("lost"));
      if (feed.readyState !== EventSource.CLOSED || feed !== this.#feed) return; // else it tries again by itself
      this.#retry = setTimeout(() => this.#open(), Math.min(15, 2 ** this.#failures++) * 1000);
    };
  }

  #begin(station) {
    this.#failures = 0;
    const known = this.live;
    const fresh = { live: { frame: station.live, at: seconds() }, recent: station.recent ?? [] };
    // A clock that jumped is another radio's, or one that was started anew.
    if (known !== null && Math.abs(known - station.live) > PLAUSIBLE / 4 && this.#player.sounding) this.#next = fresh;
    else this.#adopt(fresh);
    this.dispatchEvent(new Event("found"));
    this.dispatchEvent(new CustomEvent("station", { detail: station }));
  }

  #turnOver() {
    if (this.#next) this.#adopt(this.#next);
  }

  #adopt({ live, recent }) {
    this.#forget();
    this.#live = live;
    for (const event of recent) this[event.kind]?.push(event);
    this.#tell();
  }

  #forget() {
    this.#live = this.#next = null;
    this.#heard = {};
    for (const kind of Object.keys(MOST)) this[kind] = [];
  }

  #take(event) {
    const at = seconds();
    if (this.#next) {
      this.#next.live = { frame: event.frame, at };
      this.#next.recent.push(event);
      if (this.#next.recent.length > MOST.note) this.#next.recent.shift();
      return;
    }
    if (!this.#live) return;
    // Events come some ten milliseconds after their frame, now more, now fewer: follow the edge, not each of them.
    const error = event.frame - this.live;
    this.#live = { frame: this.live + (Math.abs(error) > RATE ? error : error / 10), at };
    const list = this[event.kind];
    list.push(event);
    if (list.length > MOST[event.kind] || (event.kind === "note" && list[0].frame < event.frame - 2 * KEPT)) {
      const from = Math.min(this.heard, event.frame) - KEPT;
      this[event.kind] = list.filter(({ frame }) => event.kind !== "note" || frame > from).slice(-MOST[event.kind] / 2);
    }
  }

  #tell() {
    const until = this.heard;
    if (until === null) return;
    for (const kind of ["track", "bar"]) {
      const event = this[kind].findLast(({ frame }) => frame <= until);
      if (event && event.frame !== this.#heard[kind]) {
        this.#heard[kind] = event.frame;
        this.dispatchEvent(new CustomEvent(kind, { detail: event }));
      }
    }
  }

  // A tab that nobody sees or hears needs no events: browsers open six connections to a host, for all tabs together.
  #sleepOrWake() {
    if (document.hidden && !this.#player.wanted) {
      clearTimeout(this.#retry);
      this.#feed?.close();
      this.#feed = null;
    } else if (!document.hidden && !this.#feed) {
      this.#open();
    }
  }
}
