// What can be turned while a station plays: sliders, mutes, resets, as the API describes them.

import { at, element, span, write } from "./dom.js";
import { change } from "./authorization.js";
import { keep, recall } from "./preferences.js";

const MAIN = ["mood", "temperature", "tempo", "density", "swing", "lowpass", "wow"];
const BURST = 2; // seconds that are kept in store while the music is turned
const LONG = 4; // seconds of delay from which it is worth coming nearer to the live edge
const REST = 120; // milliseconds for which a slider must rest until it is sent

const label = (name) => name.replace(/_(level|mute)$/, "").replace(/_/g, " ").replace(/^./, (letter) => letter.toUpperCase());

export class Controls {
  #timeline;
  #player;
  #station = null;
  #shown = {}; // the control's name → a function that shows a value
  #now = {}; // values as the station has them
  #table = {};

  constructor(timeline, player) {
    this.#timeline = timeline;
    this.#player = player;
    timeline.addEventListener("station", ({ detail }) => this.#build(detail));
    timeline.addEventListener("control", ({ detail }) => this.#take(detail));
    at("quick").checked = recall("quick", "yes") === "yes";
    at("quick").addEventListener("change", () => this.#hurry());
    at("reset").addEventListener("click", () => this.#reset());
    at("knobs").addEventListener("submit", (event) => event.preventDefault());
    at("controls").addEventListener("toggle", () => at("controls").open || this.#rest());
  }

  #build({ name, controls }) {
    this.#table = controls;
    this.#now = Object.fromEntries(Object.entries(controls).map(([each, { value }]) => [each, value]));
    const same = this.#station === name && Object.keys(this.#shown).length === Object.keys(controls).length;
    this.#station = name;
    if (same) return this.#take(this.#now); // connected again: whoever holds a slider keeps it
    this.#shown = {};
    const layers = Object.keys(controls).filter((each) => each.endsWith("_mute")).map((each) => each.slice(0, -5));
    const layered = new Set(layers.flatMap((layer) => [`${layer}_level`, `${layer}_mute`]));
    const main = MAIN.filter((each) => each in controls);
    const rest = Object.keys(controls).filter((each) => !main.includes(each) && !layered.has(each));
    at("layer-knobs").replaceChildren(...layers.map((layer) => this.#strip(layer)));
    at("main-knobs").replaceChildren(...main.map((each) => this.#knob(each)));
    at("more-knobs").replaceChildren(...rest.map((each) => this.#knob(each)));
    write(at("said"), "");
  }

  #take(values) {
    for (const [name, value] of Object.entries(values)) {
      if (!(name in this.#shown)) continue;
      this.#now[name] = value;
      this.#shown[name](value);
    }
    at("reset").disabled = !this.#moved().length;
  }

  #moved() {
    return Object.keys(this.#table).filter((name) => "default" in this.#table[name] && this.#now[name] !== this.#table[name].default);
  }

  #choice(name) {
    const { choices, help, default: usual } = this.#table[name];
    const options = choices.map((each) => element("option", { value: each, textContent: label(each) }));
    const input = element("select", { id: `knob-${name}`, title: help ?? "" }, ...options);
    if (help) input.setAttribute("aria-description", help);
    this.#shown[name] = (to) => { input.value = to; };
    this.#shown[name](this.#now[name] ?? usual);
    input.addEventListener("change", () => this.#turn({ [name]: input.value }));
    return element("div", { className: "field" }, element("label", { htmlFor: input.id, textContent: label(name) }), input);
  }

  #knob(name, words = label(name)) {
    if (this.#table[name].kind === "choice") return this.#choice(name);
    const { low, high, kind, unit, help, default: usual } = this.#table[name];
    const value = element("output", { htmlFor: `knob-${name}` });
    const step = kind === "int" || high - low > 20 ? 1 : 0.01;
    const input = element("input", { type: "range", id: `knob-${name}`, min: low, max: high, step });
    const back = element("button", { type: "button", className: "back", title: `Back to ${usual} ${unit}`.trim(), "aria-label": `Reset ${words}` }, "↺");
    const show = (to) => {
      value.textContent = `${Number(to)}${unit ? ` ${unit}` : ""}`;
      input.setAttribute("aria-valuetext", value.textContent);
      input.style.setProperty("--filled", `${(100 * (to - low)) / (high - low)}%`);
      back.hidden = usual === undefined || Number(to) === usual;
    };
    let held = 0;
    this.#shown[name] = (to) => {
      if (held) return;
      input.value = to;
      show(to);
    };
    input.addEventListener("input", () => {
      show(Number(input.value));
      clearTimeout(held);
      held = setTimeout(async () => {
        await this.#turn({ [name]: Number(input.value) });
        held = 0;
        this.#take({ [name]: this.#now[name] });
      }, REST);
    });
    back.addEventListener("click", () => this.#turn({ [name]: usual }));
    this.#shown[name](this.#now[name]);
    const title = element("label", { htmlFor: input.id, textContent: words });
    if (help) input.setAttribute("aria-description", help);
    return element("div", { className: "knob", title: help ?? "" }, title, value, back, input);
  }

  #strip(layer) {
    const mute = element("button", { type: "button", className: "mute", textContent: label(layer), "aria-label": `Mute ${layer}` });
    const name = `${layer}_mute`;
    this.#shown[name] = (to) => mute.setAttribute("aria-pressed", String(to));
    this.#shown[name](this.#now[name]);
    mute.addEventListener("click", () => this.#turn({ [name]: !this.#now[name] }));
    const level = this.#knob(`${layer}_level`, `Level of the ${layer}`);
    return element("div", { className: "layer" }, mute, level);
  }

  async #turn(values) {
    try {
      const answer = await change(`/api/stations/${this.#station}/controls`, { method: "PATCH", body: values });
      if (!answer) return this.#take(this.#now);
      this.#take(Object.fromEntries(Object.entries(answer.controls).map(([name, { value }]) => [name, value])));
      this.#hurry();
      const last = Math.max(...Object.values(answer.controls).map(({ frame }) => frame));
      const names = Object.keys(answer.controls);
      this.#say(`${names.length > 1 ? "All" : label(names[0])}: ${this.#when(last)}.`);
    } catch (error) {
      this.#take(this.#now);
      this.#say(error.message, true);
    }
  }

  #when(frame) {
    if (!this.#player.wanted) return "turned";
    const wait = (frame - (this.#player.sounding ? this.#timeline.heard : this.#timeline.live)) / 48000;
    return wait < 1.5 ? "heard now" : `heard in ${span(wait)}`;
  }

  #reset() {
    const values = Object.fromEntries(this.#moved().map((name) => [name, this.#table[name].default]));
    if (Object.keys(values).length) this.#turn(values);
  }

  // Whoever turns the music wants to hear it: from the first turn on, little is kept in store.
  #hurry() {
    const quick = at("quick").checked;
    keep("quick", quick ? "yes" : "no");
    const far = this.#player.sounding && (this.#timeline.live - this.#timeline.heard) / 48000 > LONG;
    const [before, burst] = [this.#player.burst, quick ? BURST : null];
    this.#player.burst = burst;
    if (this.#player.wanted && (quick ? far : before !== null)) this.#player.play();
  }

  // With the panel closed the next connection is an ordinary one again; the one that sounds is left alone.
  #rest() { this.#player.burst = null; }

  #say(words, bad = false) {
    write(at("said"), words);
    at("said").classList.toggle("bad", bad);
  }
}
