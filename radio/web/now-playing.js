// What is heard: the title and what came before, key, tempo and chords; for eyes, screen readers and media keys.

import { address, ask } from "./api.js";
import { at, dress, element, write } from "./dom.js";

const BEFORE = 5;
const SECTIONS = { A: "Sparse", B: "Building", C: "Full", D: "Breaking down" };

/** Shows a timeline's tracks and bars as they are heard. */
export class Now {
  #timeline;
  #player;
  #station = null;
  #track = null;
  #past = []; // tracks that aired before this page was opened

  constructor(timeline, player) {
    this.#timeline = timeline;
    this.#player = player;
    timeline.addEventListener("station", ({ detail }) => this.#recall(detail.name));
    timeline.addEventListener("track", ({ detail }) => this.#onTrack(detail));
    timeline.addEventListener("bar", ({ detail }) => this.#onBar(detail));
    player.addEventListener("state", () => this.#tell());
  }

  /** The title that is heard, or an empty string. */
  get title() { return this.#track?.title ?? ""; }

  /** Show another station; its track follows when its events come. */
  tune(station) {
    this.#station = station;
    this.#track = null;
    this.#past = [];
    dress(station.art);
    write(at("deck-station"), station.title);
    write(at("description"), station.description);
    write(at("title"), "\u00a0");
    at("sleeve").src = address(station.art.image);
    at("chords").replaceChildren();
    at("before").replaceChildren();
    for (const fact of ["key", "tempo", "section", "bar"]) write(at(fact), "–");
    this.#tell();
  }

  #onTrack(track) {
    this.#track = track;
    write(at("title"), track.title ?? "Untitled");
    write(at("key"), track.key ?? "–");
    this.#showLoop(track.chords ?? []);
    this.#showBefore();
    if (track.tempo) write(at("tempo"), `${Math.round(track.tempo)}`);
    this.#tell();
  }

  async #recall(name) {
    try {
      const { tracks } = await ask(`/api/stations/${name}/history?limit=${BEFORE + 2}`);
      if (name === this.#station?.name) this.#past = tracks.reverse();
      this.#showBefore();
    } catch { /* the next track will show what has been heard meanwhile */ }
  }

  #showBefore() {
    if (!this.#track) return;
    const known = new Map([...this.#past, ...this.#timeline.track].map((track) => [track.frame, track]));
    const before = [...known.values()].filter(({ frame }) => frame < this.#track.frame).slice(-BEFORE).reverse();
    at("before").replaceChildren(...before.map(({ title, key }) => element("li", {}, title, element("span", { textContent: key ?? "" }))));
  }

  #onBar(bar) {
    write(at("bar"), `${Number(bar.number) + 1}`);
    write(at("section"), SECTIONS[bar.section] ?? bar.section ?? "–");
    if (bar.tempo) write(at("tempo"), `${Math.round(bar.tempo)}`);
    if (bar.chords) this.#showLoop(bar.chords);
    [...at("chords").children].forEach((item, n) => {
      if (n === bar.place) item.setAttribute("aria-current", "true");
      else item.removeAttribute("aria-current");
    });
  }

  // Sections have loops of their own: the list changes where another begins.
  #showLoop(names) {
    if ([...at("chords").children].map((item) => item.textContent).join() === names.join()) return;
    at("chords").replaceChildren(...names.map((name) => element("li", { textContent: name })));
  }

  #tell() {
    const playing = this.#player.sounding && this.#player.station?.name === this.#station?.name;
    document.title = playing && this.title ? `${this.title} · ${this.#station.title}` : "Radio";
    if (playing && this.title) write(at("announcer"), `${this.title}, on ${this.#station.title}`);
    if (!("mediaSession" in navigator) || !this.#station) return;
    navigator.mediaSession.playbackState = this.#player.wanted ? "playing" : "none";
    navigator.mediaSession.metadata = new MediaMetadata({
      title: this.title || this.#station.title,
      artist: this.#station.title,
      album: "Radio",
      artwork: [{ src: address(this.#station.art.image), sizes: "480x480" }],
    });
  }
}
