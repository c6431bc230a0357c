// The list of stations: cards with the current track, refreshed every few seconds.

import { request, urlOf } from "./api.js";
import { byId, element, query, setCurrent, setText } from "./dom.js";
import { Emitter } from "./events.js";

/** @import { Station, StationsResponse } from "./api.js" */

/**
 * loaded: after each refresh. failed: the server does not respond. select: a card was clicked.
 *
 * @typedef {{ loaded: StationsResponse, failed: unknown, select: Station }} StationListEvents
 */

const REFRESH_INTERVAL = 10_000; // milliseconds

const TIER_MESSAGES = { music: "", repeat: "Repeating the last bars until the music resumes", texture: "Playing textures until the music resumes" };

/**
 * Return the settings of a station that its card shows, as text. A reload can change them.
 *
 * @param {Station} station
 */
export function looksOf({ name, title, description, art }) {
  return JSON.stringify([name, title, description, art]);
}

/**
 * Return a message about the sound that replaces the station's music, or an empty string.
 *
 * @param {Station | undefined} station
 */
export function tierMessage(station) {
  return station?.on_air ? TIER_MESSAGES[station.tier] : "";
}

/**
 * The stations and their cards.
 *
 * @extends {Emitter<StationListEvents>}
 */
export class StationList extends Emitter {
  /** @type {Station[]} */
  stations = [];
  /** @type {Map<string, HTMLElement>} */
  #cards = new Map(); // by the station's name
  #looks = "";

  constructor() {
    super();
    setInterval(() => document.hidden || this.load(), REFRESH_INTERVAL);
    document.addEventListener("visibilitychange", () => document.hidden || this.load());
    addEventListener("online", () => this.load());
  }

  /** Fetch the stations and update the cards. */
  async load() {
    try {
      const response = /** @type {StationsResponse} */ (await request("/api/stations"));
      this.stations = response.stations;
      this.#show();
      this.emit("loaded", response);
    } catch (error) {
      this.emit("failed", error);
    }
  }

  /**
   * Return the station with this name.
   *
   * @param {string} name
   */
  get(name) { return this.stations.find((station) => station.name === name); }

  /**
   * Return the station at an offset from the one with this name, wrapping around.
   *
   * @param {string} name
   * @param {number} offset
   */
  neighbor(name, offset) {
    const index = this.stations.findIndex((station) => station.name === name);
    return this.stations.at((index + offset) % this.stations.length);
  }

  /**
   * Mark the card of the current station.
   *
   * @param {string | undefined} current
   * @param {boolean} playing
   */
  mark(current, playing) {
    for (const [name, card] of this.#cards) {
      setCurrent(card, name === current);
      card.classList.toggle("playing", name === current && playing);
    }
  }

  #show() {
    const looks = this.stations.map(looksOf).join();
    if (looks !== this.#looks) {
      this.#looks = looks;
      this.#cards = new Map(this.stations.map((station, index) => [station.name, this.#createCard(station, index)]));
      byId("stations").replaceChildren(...[...this.#cards.values()].map((card) => element("li", {}, card)));
    }
    for (const station of this.stations) {
      const card = this.#cards.get(station.name);
      const waiting = station.on_air ? "\u00a0" : "Starting…";
      if (card) setText(query(card, ".card-track"), tierMessage(station) || (station.now.track?.title ?? waiting));
    }
  }

  /**
   * @param {Station} station
   * @param {number} index
   */
  #createCard({ name, title, description, art }, index) {
    const image = element("img", { src: urlOf(art.image), alt: "", width: 480, height: 480 });
    const text = element("span", { className: "card-text" },
      element("strong", { textContent: title }), element("span", { className: "card-track", textContent: "\u00a0" }));
    const bars = element("span", { className: "equalizer", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
    const card = element("button", { type: "button", className: "card", title: description }, image, text, bars);
    card.style.setProperty("--hue", String(art.hue));
    if (index < 9) card.setAttribute("aria-keyshortcuts", String(index + 1));
    card.addEventListener("click", () => {
      const station = this.get(name);
      if (station) this.emit("select", station);
    });
    return card;
  }
}
