// The current track: title, key, tempo, section and chords, for the page, screen readers and media keys.

import { request, urlOf } from "./api.js";
import { byId, element, setColors, setCurrent, setText } from "./dom.js";

/** @import { Bar, HistoryResponse, Station, Track } from "./api.js" */
/** @import { Player } from "./player.js" */
/** @import { Timeline } from "./timeline.js" */

const PREVIOUS_TRACKS = 5;
/** @type {Record<string, string>} */
const SECTIONS = { intro: "Intro", break: "Breakdown", outro: "Ending" };

/** Displays the tracks and bars of a timeline. */
export class NowPlaying {
  #timeline;
  #player;
  /** @type {Station | null} */
  #station = null;
  /** @type {Track | null} */
  #track = null;
  /** @type {Track[]} */
  #history = []; // tracks that aired before the page was opened

  /**
   * @param {Timeline} timeline
   * @param {Player} player
   */
  constructor(timeline, player) {
    this.#timeline = timeline;
    this.#player = player;
    timeline.on("station", ({ name }) => this.#loadHistory(name));
    timeline.on("track", (track) => this.#onTrack(track));
    timeline.on("bar", (bar) => this.#onBar(bar));
    player.on("state", () => this.#updateMetadata());
  }

  /** The title of the current track, or an empty string. */
  get title() { return this.#track?.title ?? ""; }

  /**
   * Show another station. Its track follows with its events.
   *
   * @param {Station} station
   */
  setStation(station) {
    this.#track = null;
    this.#history = [];
    setText(byId("title"), "\u00a0");
    byId("chords").replaceChildren();
    byId("instruments").replaceChildren();
    byId("previous-tracks").replaceChildren();
    for (const fact of ["key", "tempo", "section", "bar"]) setText(byId(fact), "–");
    this.updateStation(station);
  }

  /**
   * Show the title, the description and the artwork of the station, which have changed.
   *
   * @param {Station} station
   */
  updateStation(station) {
    this.#station = station;
    setColors(station.art);
    setText(byId("station-title"), station.title);
    setText(byId("description"), station.description);
    byId("artwork", HTMLImageElement).src = urlOf(station.art.image);
    this.#updateMetadata();
  }

  /** @param {Track} track */
  #onTrack(track) {
    this.#track = track;
    setText(byId("title"), track.title ?? "Untitled");
    setText(byId("key"), track.key ?? "–");
    this.#showChords(track.chords ?? []);
    this.#showInstruments(track.instrument_names ?? {});
    this.#showPreviousTracks();
    if (track.tempo) setText(byId("tempo"), `${Math.round(track.tempo)}`);
    this.#updateMetadata();
  }

  /** @param {string} name */
  async #loadHistory(name) {
    try {
      const path = `/api/stations/${name}/history?limit=${PREVIOUS_TRACKS + 2}`;
      const { tracks } = /** @type {HistoryResponse} */ (await request(path));
      if (name === this.#station?.name) this.#history = tracks.reverse();
      this.#showPreviousTracks();
    } catch { /* new tracks are listed anyway */ }
  }

  #showPreviousTracks() {
    const current = this.#track;
    if (!current) return;
    const tracks = new Map([...this.#history, ...this.#timeline.tracks].map((track) => [track.frame, track]));
    const previous = [...tracks.values()].filter(({ frame }) => frame < current.frame).slice(-PREVIOUS_TRACKS).reverse();
    byId("previous-tracks").replaceChildren(...previous.map(({ title, key }) =>
      element("li", {}, title ?? "Untitled", element("span", { textContent: key ?? "" }))));
  }

  /** @param {Bar} bar */
  #onBar(bar) {
    setText(byId("bar"), `${bar.number + 1}`);
    setText(byId("section"), SECTIONS[bar.section ?? ""] ?? bar.section ?? "–");
    if (bar.tempo) setText(byId("tempo"), `${Math.round(bar.tempo)}`);
    if (bar.key) setText(byId("key"), bar.key);
    if (bar.chords) this.#showChords(bar.chords);
    [...byId("chords").children].forEach((item, place) => setCurrent(item, place === bar.place));
  }

  /** @param {string[]} chords */
  #showChords(chords) {
    if ([...byId("chords").children].map((item) => item.textContent).join() === chords.join()) return;
    byId("chords").replaceChildren(...chords.map((chord) => element("li", { textContent: chord })));
  }

  /**
   * Show the instruments in the colors of the piano roll.
   *
   * @param {Record<string, string>} names  By layer.
   */
  #showInstruments(names) {
    byId("instruments").replaceChildren(...Object.entries(names).map(([layer, name]) =>
      element("li", { className: `of-${layer}`, title: layer, textContent: name })));
  }

  #updateMetadata() {
    const station = this.#station;
    const playing = this.#player.playing && this.#player.station?.name === station?.name;
    document.title = station && playing && this.title ? `${this.title} · ${station.title}` : "Radio";
    if (!station) return;
    if (playing && this.title) setText(byId("announcer"), `${this.title}, on ${station.title}`);
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.playbackState = this.#player.active ? "playing" : "none";
    navigator.mediaSession.metadata = new MediaMetadata({
      title: this.title || station.title,
      artist: station.title,
      album: "Radio",
      artwork: [{ src: urlOf(station.art.image), sizes: "480x480" }],
    });
  }
}
