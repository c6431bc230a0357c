// Make a track: what may be asked for, how far it is, and the files that come of it.

import { address, ask } from "./api.js";
import { at, element, write } from "./dom.js";
import { change } from "./authorization.js";

const EVERY = 1000; // milliseconds between two looks at what is being made
const NAMES = { mp3: "MP3", mid: "MIDI", wav: "WAV", flac: "FLAC", opus: "Opus" };
const UNDERWAY = ["waiting", "running"];
const FIRST = ["mp3", "mid"]; // formats that are ticked at first

const length = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, "0")}`;
const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

export class Tracks {
  #stations;
  #choices = null;
  #orders = new Map(); // id → how it stood when last looked at
  #timer = 0;

  /** Args: stations, for their titles; chosen, a function that gives the name of the station on the deck. */
  constructor(stations, chosen) {
    this.#stations = stations;
    at("make").addEventListener("toggle", () => at("make").open && this.#open(chosen()));
    at("order").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    for (const id of JSON.parse(sessionStorage.getItem("orders") ?? "[]")) this.#orders.set(id, { id, state: "waiting" });
    if (this.#orders.size) this.#look();
  }

  async #open(station) {
    if (this.#choices) return;
    try {
      this.#choices = await ask("/api/tracks");
      this.#build(station);
    } catch (error) {
      this.#say(error.message, true);
    }
  }

  // ---- The form -----------------------------------------------------------------------------------------------

  #build(chosen) {
    const { families, formats, seconds, count, seed } = this.#choices;
    const like = element("select", { name: "station" }, ...Object.keys(this.#choices.stations).map((name) =>
      element("option", { value: name, textContent: this.#stations.named(name)?.title ?? name })));
    like.value = chosen;
    const instrument = element("select", { name: "instrument" }, ...families.map(({ name, instruments }, family) =>
      element("optgroup", { label: name }, ...instruments.map((each, place) =>
        element("option", { value: 8 * family + place, textContent: each })))));
    const fit = () => {
      const { instrument: own, instruments } = this.#choices.stations[like.value];
      for (const option of instrument.querySelectorAll("option")) option.disabled = !instruments.includes(Number(option.value));
      instrument.value = own;
    };
    like.addEventListener("change", fit);
    fit();
    const many = element("select", { name: "count" });
    for (let n = count[0]; n <= count[1]; n++) many.append(element("option", { value: n, textContent: n === 1 ? "one" : n }));
    const drums = element("input", { type: "checkbox", name: "drums", checked: true });
    const boxes = formats.map((format) => element("label", { className: "check" },
      element("input", { type: "checkbox", name: "formats", value: format, checked: FIRST.includes(format) }), NAMES[format] ?? format));
    at("order").replaceChildren(
      element("div", { className: "knobs" },
        this.#field("Like", like),
        this.#field("Instrument", instrument),
        this.#field("How many", many, "each from the next seed"),
        this.#range("Length", "seconds", seconds[0], seconds[1], 5, 120, length),
        this.#range("Temperature", "temperature", 0, 2, 0.05, 1, (value) => value.toFixed(2)),
        this.#field("Seed", element("input", { type: "number", name: "seed", min: seed[0], max: seed[1], step: 1, placeholder: "any" }), "the same makes the same music")),
      element("div", { className: "row" }, element("label", { className: "check" }, drums, "Drums"),
        element("fieldset", { className: "formats" }, element("legend", { textContent: "As" }), ...boxes),
        element("button", { className: "primary", textContent: "Make it" })));
  }

  #field(words, input, hint = "") {
    input.id = `order-${input.name}`;
    const about = element("small", { textContent: hint, id: `${input.id}-hint` });
    if (hint) input.setAttribute("aria-describedby", about.id);
    return element("div", { className: "field" }, element("label", { htmlFor: input.id, textContent: words }), input, about);
  }

  #range(words, name, low, high, step, value, show) {
    const output = element("output");
    const input = element("input", { type: "range", name, id: `order-${name}`, min: low, max: high, step, value });
    const read = () => {
      output.textContent = show(Number(input.value));
      input.setAttribute("aria-valuetext", output.textContent);
      input.style.setProperty("--filled", `${(100 * (input.value - low)) / (high - low)}%`);
    };
    input.addEventListener("input", read);
    read();
    return element("div", { className: "knob" }, element("label", { htmlFor: input.id, textContent: words }), output, input);
  }

  async #submit() {
    const form = new FormData(at("order"));
    const order = {
      station: form.get("station"),
      instrument: Number(form.get("instrument")),
      seconds: Number(form.get("seconds")),
      count: Number(form.get("count")),
      formats: form.getAll("formats"),
      controls: { temperature: Number(form.get("temperature")), drums_mute: !form.has("drums") },
    };
    if (form.get("seed")) order.seed = Number(form.get("seed"));
    if (!order.formats.length) return this.#say("Choose at least one format.", true);
    try {
      const state = await change("/api/tracks", { method: "POST", body: order });
      if (!state) return;
      this.#say("");
      this.#orders.set(state.id, state);
      this.#look();
    } catch (error) {
      this.#say(error.message, true);
    }
  }

  // ---- What is being made -------------------------------------------------------------------------------------

  async #look() {
    clearTimeout(this.#timer);
    for (const [id, { state }] of this.#orders) {
      if (!UNDERWAY.includes(state)) continue;
      try {
        this.#orders.set(id, await ask(`/api/tracks/${id}`));
      } catch (error) {
        if (error.status) this.#orders.delete(id); // kept no longer; where nobody answers, it is asked again
      }
    }
    this.#show();
    if ([...this.#orders.values()].some(({ state }) => UNDERWAY.includes(state))) this.#timer = setTimeout(() => this.#look(), EVERY);
  }

  #show() {
    sessionStorage.setItem("orders", JSON.stringify([...this.#orders.keys()]));
    const known = new Map([...at("orders").children].map((item) => [item.dataset.id, item]));
    for (const order of this.#orders.values()) {
      if (!order.seeds) continue;
      const item = known.get(order.id) ?? at("orders").insertBefore(this.#item(order), at("orders").firstChild);
      this.#update(item, order);
      known.delete(order.id);
    }
    for (const item of known.values()) item.remove();
  }

  #item({ id, station, instrument, seconds, seeds }) {
    const title = this.#stations.named(station)?.title ?? station;
    const what = `${title}, ${instrument}, ${length(seconds)}`;
    const which = seeds.length > 1 ? `seeds ${seeds[0]} to ${seeds.at(-1)}` : `seed ${seeds[0]}`;
    const away = element("button", { type: "button", className: "plain", textContent: "Cancel" });
    away.addEventListener("click", () => this.#remove(id));
    const bar = element("progress", { max: 1, value: 0, "aria-label": `How far ${what} is` });
    const item = element("li", {}, element("p", {}, element("strong", { textContent: what }), element("span", { textContent: which })),
      element("p", { className: "order-state" }), away, bar, element("ul", { className: "files" }));
    item.dataset.id = id;
    return item;
  }

  #update(item, { state, progress, place, fault, files }) {
    const bar = item.querySelector("progress");
    bar.hidden = !UNDERWAY.includes(state);
    bar.value = progress;
    const said = { waiting: place ? `Waiting; ${place} before it` : "Waiting", running: `${Math.round(100 * progress)} %`, failed: `It failed: ${fault}`, cancelled: "Cancelled" };
    write(item.querySelector(".order-state"), said[state] ?? "");
    write(item.querySelector("button"), UNDERWAY.includes(state) ? "Cancel" : "Remove");
    const list = item.querySelector(".files");
    if (list.children.length !== files.length) list.replaceChildren(...files.map((file) => this.#file(file)));
  }

  #file({ name, url, bytes }) {
    const link = element("a", { href: address(url), download: name }, name, element("small", { textContent: size(bytes) }));
    if (name.endsWith(".mid")) return element("li", {}, link);
    return element("li", {}, link, element("audio", { src: address(url), controls: true, preload: "none", "aria-label": `Listen to ${name}` }));
  }

  async #remove(id) {
    try {
      if ((await change(`/api/tracks/${id}`, { method: "DELETE" })) === null) return;
    } catch (error) {
      if (error.status !== 404) return this.#say(error.message, true);
    }
    this.#orders.delete(id);
    this.#show();
  }

  #say(words, bad = false) {
    write(at("order-said"), words);
    at("order-said").classList.toggle("bad", bad);
  }
}
