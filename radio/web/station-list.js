// The stations as cards: which there are, what is on, which one sounds.

import { address, ask } from "./api.js";
import { at, element, write } from "./dom.js";

const EVERY = 10_000; // milliseconds between two looks at what is on

/** Events: "loaded" after each look, "lost" when the radio does not answer, "choose" with a station. */
export class Stations extends EventTarget {
  all = [];
  #list = at("stations");

  constructor() {
    super();
    setInterval(() => document.hidden || this.load(), EVERY);
    document.addEventListener("visibilitychange", () => document.hidden || this.load());
    addEventListener("online", () => this.load());
  }

  async load() {
    try {
      const answer = await ask("/api/stations");
      const names = answer.stations.map(({ name }) => name).join();
      const same = this.all.map(({ name }) => name).join() === names;
      this.all = answer.stations;
      if (!same) this.#list.replaceChildren(...this.all.map((station, place) => this.#card(station, place)));
      for (const station of this.all) {
        const { track } = station.now;
        write(this.#of(station.name).querySelector(".on"), track?.title ?? (station.on_air ? "\u00a0" : "Tuning in …"));
      }
      this.dispatchEvent(new CustomEvent("loaded", { detail: answer }));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("lost", { detail: error }));
    }
  }

  named(name) { return this.all.find((station) => station.name === name); }

  /** The station so many places after the one of this name, round and round. */
  beside(name, places) {
    const place = this.all.findIndex((station) => station.name === name);
    return this.all[(place + places + this.all.length) % this.all.length];
  }

  /** Mark the chosen one, and whether it sounds. */
  mark(name, sounding) {
    for (const { name: each } of this.all) {
      const card = this.#of(each);
      if (each === name) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
      card.classList.toggle("sounding", each === name && sounding);
    }
  }

  #of(name) { return this.#list.querySelector(`[data-name="${name}"]`); }

  #card(station, place) {
    const art = element("img", { src: address(station.art.image), alt: "", width: 480, height: 480 });
    const words = element("span", { className: "words" },
      element("strong", { textContent: station.title }), element("span", { className: "on", textContent: "\u00a0" }));
    const bars = element("span", { className: "bars", "aria-hidden": "true" }, element("i"), element("i"), element("i"));
    const card = element("button", { type: "button", className: "card", title: station.description }, art, words, bars);
    card.dataset.name = station.name;
    card.style.setProperty("--hue", station.art.hue);
    if (place < 9) card.setAttribute("aria-keyshortcuts", String(place + 1));
    card.addEventListener("click", () => this.dispatchEvent(new CustomEvent("choose", { detail: this.named(station.name) })));
    return element("li", {}, card);
  }
}
