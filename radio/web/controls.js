// The control panel of a station. The API describes the controls. Each group becomes a section, and each layer a strip.

import { messageOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { createMuteButton, createWidget, labelOf } from "./control-widgets.js";
import { byId, element, setStatus } from "./dom.js";
import { delayOf } from "./landing.js";
import { readPreference, savePreference } from "./preferences.js";
import { SAMPLE_RATE } from "./timeline.js";

/** @import { Control, ControlsResponse, ControlValues, StationDetails } from "./api.js" */
/** @import { Widget } from "./control-widgets.js" */
/** @import { Player } from "./player.js" */
/** @import { Timeline } from "./timeline.js" */

const LOW_LATENCY_BURST = 2; // seconds of audio that a low-latency stream starts with
const HIGH_LATENCY = 4; // seconds behind the live edge above which reconnecting is worth a gap
const DEFAULT_GROUP = "music";
const COLLAPSED_GROUPS = new Set(["sampling"]); // for experts

/** The controls of the station that a timeline follows. */
export class ControlPanel {
  #timeline;
  #player;
  #lowLatency = byId("low-latency", HTMLInputElement);
  #reset = byId("reset", HTMLButtonElement);
  #form = byId("controls-form");
  /** @type {string | null} */
  #station = null;
  /** @type {Record<string, Control>} */
  #controls = {};
  /** @type {Map<string, Widget>} */
  #widgets = new Map();
  /** @type {ControlValues} */
  #values = {}; // as set on the station

  /**
   * @param {Timeline} timeline
   * @param {Player} player
   */
  constructor(timeline, player) {
    this.#timeline = timeline;
    this.#player = player;
    timeline.on("follow", () => { this.#form.inert = true; }); // it shows the values of the previous station
    timeline.on("station", (station) => this.#onStation(station));
    timeline.on("control", (values) => this.#show(values));
    this.#lowLatency.checked = readPreference("low-latency", "yes") === "yes";
    this.#lowLatency.addEventListener("change", () => this.#applyLatency());
    this.#reset.addEventListener("click", () => this.#resetAll());
    this.#form.addEventListener("submit", (event) => event.preventDefault());
    const panel = byId("controls", HTMLDetailsElement);
    panel.addEventListener("toggle", () => {
      if (!panel.open) player.burst = null; // for the next stream; the current one continues
    });
  }

  /** @param {StationDetails} station */
  #onStation({ name, controls }) {
    const rebuild = this.#station !== name || Object.keys(controls).join() !== Object.keys(this.#controls).join();
    this.#station = name;
    this.#controls = controls;
    this.#form.inert = false;
    if (rebuild) this.#build();
    this.#show(Object.fromEntries(Object.entries(controls).map(([control, { value }]) => [control, value])));
  }

  #build() {
    const names = Object.keys(this.#controls);
    const layers = names.map((name) => name.match(/^(.+)_mute$/)?.[1] ?? "").filter((layer) => names.includes(`${layer}_level`));
    const layerControls = new Set(layers.flatMap((layer) => [`${layer}_mute`, `${layer}_level`]));
    /** @type {Map<string, string[]>} */
    const groups = new Map();
    for (const name of names.filter((other) => !layerControls.has(other))) {
      const group = this.#controls[name].group ?? DEFAULT_GROUP;
      groups.set(group, [...groups.get(group) ?? [], name]);
    }
    const sections = [...groups].sort(([a], [b]) => Number(COLLAPSED_GROUPS.has(a)) - Number(COLLAPSED_GROUPS.has(b)));
    this.#widgets.clear();
    this.#values = {};
    byId("layer-controls").replaceChildren(...layers.map((layer) => this.#createStrip(layer)));
    byId("control-groups").replaceChildren(...sections.map(([group, members]) => this.#createGroup(group, members)));
    setStatus(byId("controls-status"), "");
  }

  /** @param {string} layer */
  #createStrip(layer) {
    const mute = `${layer}_mute`, level = `${layer}_level`;
    const button = createMuteButton(layer, this.#controls[mute], (value) => this.#change({ [mute]: value }));
    this.#widgets.set(mute, button);
    return element("div", { className: "layer" }, button.node, this.#createControl(level, `${labelOf(layer)} level`));
  }

  /**
   * @param {string} group
   * @param {string[]} names
   */
  #createGroup(group, names) {
    const grid = element("div", { className: "control-grid" }, ...names.map((name) => this.#createControl(name)));
    if (COLLAPSED_GROUPS.has(group)) {
      return element("details", { className: "control-group" }, element("summary", { textContent: labelOf(group) }), grid);
    }
    return element("fieldset", { className: "control-group" }, element("legend", { textContent: labelOf(group) }), grid);
  }

  /**
   * @param {string} name
   * @param {string} [label]
   */
  #createControl(name, label) {
    const widget = createWidget(name, this.#controls[name], (value) => this.#change({ [name]: value }), label);
    this.#widgets.set(name, widget);
    return widget.node;
  }

  /** @param {ControlValues} values */
  #show(values) {
    for (const [name, widget] of this.#widgets) {
      if (!(name in values)) continue;
      this.#values[name] = values[name];
      widget.show(values[name]);
    }
    this.#reset.disabled = !Object.keys(this.#changedFromDefault()).length;
  }

  /** Return the defaults of the controls that have a different value. */
  #changedFromDefault() {
    /** @type {ControlValues} */
    const defaults = {};
    for (const [name, { default: value }] of Object.entries(this.#controls)) {
      if (value !== undefined && this.#values[name] !== value) defaults[name] = value;
    }
    return defaults;
  }

  #resetAll() {
    const values = this.#changedFromDefault();
    if (Object.keys(values).length) this.#change(values);
  }

  /** @param {ControlValues} values */
  async #change(values) {
    const status = byId("controls-status"), station = this.#station;
    try {
      const path = `/api/stations/${station}/controls`;
      const response = /** @type {ControlsResponse | null} */ (await authorizedRequest(path, { method: "PATCH", body: values }));
      if (station !== this.#station) return;
      if (!response) return this.#show(this.#values);
      const changes = Object.entries(response.controls);
      this.#show(Object.fromEntries(changes.map(([name, { value }]) => [name, value])));
      this.#applyLatency();
      const label = changes.length > 1 ? "All controls" : labelOf(changes[0][0]);
      const frames = changes.map(([, landing]) => landing.frame);
      const frame = frames.reduce((last, next) => last === null || next === null ? null : Math.max(last, next));
      setStatus(status, `${label}: ${delayOf(frame, this.#timeline, this.#player)}.`);
    } catch (error) {
      this.#show(this.#values);
      setStatus(status, messageOf(error), true);
    }
  }

  // After a change, reconnect with a smaller buffer, so that the change is heard soon.
  #applyLatency() {
    const lowLatency = this.#lowLatency.checked, player = this.#player;
    savePreference("low-latency", lowLatency ? "yes" : "no");
    const { liveEdge, position } = this.#timeline;
    const behind = liveEdge === null || position === null ? 0 : (liveEdge - position) / SAMPLE_RATE;
    const reconnect = lowLatency ? player.playing && behind > HIGH_LATENCY : player.burst !== null;
    player.burst = lowLatency ? LOW_LATENCY_BURST : null;
    if (player.active && reconnect) player.play();
  }
}
