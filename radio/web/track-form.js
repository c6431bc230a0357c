// The form that orders tracks.

import { byId, element, fillTrack, query } from "./dom.js";

/** @import { TrackOptions, TrackOrder } from "./api.js" */

/** @type {Record<string, string>} */
const FORMATS = { mp3: "MP3", mid: "MIDI", wav: "WAV", flac: "FLAC", opus: "Opus" };
const DEFAULT_FORMATS = ["mp3", "mid"];
const DEFAULT_LENGTH = 120; // seconds
const STATION_VALUE = "The station's own";

/**
 * Return seconds as minutes and seconds, such as "2:05".
 *
 * @param {number} seconds
 */
export function formatLength(seconds) {
  const rounded = Math.round(seconds);
  return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, "0")}`;
}

/**
 * Fill the form.
 *
 * @param {TrackOptions} options
 * @param {string | undefined} station  Name of the preselected station.
 * @param {(name: string) => string} titleOf
 */
export function buildForm(options, station, titleOf) {
  const { formats, seconds, count, seed } = options;
  const { stationMenu, instrumentMenu } = createMenus(options, station, titleOf);
  const counts = Array.from({ length: count[1] - count[0] + 1 }, (_, index) => String(count[0] + index));
  const countMenu = element("select", { name: "count" }, ...counts.map((text) => element("option", { value: text, textContent: text })));
  const seedInput = element("input", {
    type: "number", name: "seed", min: String(seed[0]), max: String(seed[1]), step: "1", placeholder: "random",
  });
  const temperature = element("input", {
    type: "number", name: "temperature", min: "0", max: "2", step: "0.05", placeholder: STATION_VALUE,
  });
  const words = element("input", { type: "text", name: "prompt", maxLength: 1000, placeholder: "slow, sad, no drums" });
  const whole = element("input", { type: "checkbox", name: "whole", checked: true });
  const length = createSlider("Length", "seconds", [seconds[0], seconds[1], 5], DEFAULT_LENGTH, formatLength);
  const slider = query(length, "input", HTMLInputElement);
  const updateLength = () => { slider.disabled = whole.checked; };
  whole.addEventListener("change", updateLength);
  updateLength();
  const drumsMenu = element("select", { name: "drums" },
    ...[["", STATION_VALUE], ["on", "On"], ["off", "Off"]].map(([value, textContent]) => element("option", { value, textContent })));
  const formatBoxes = formats.map((format) => element("label", { className: "checkbox" },
    element("input", { type: "checkbox", name: "formats", value: format, checked: DEFAULT_FORMATS.includes(format) }),
    FORMATS[format] ?? format));
  byId("order-form").replaceChildren(
    element("div", { className: "control-grid" },
      createField("Station", stationMenu),
      createField("Words", words, "mood, tempo, instruments, weather"),
      createField("Instrument", instrumentMenu),
      createField("Count", countMenu, "with consecutive seeds"),
      createField("Drums", drumsMenu),
      length,
      createField("Temperature", temperature, "0 to 2; higher is wilder"),
      createField("Seed", seedInput, "same seed, same music")),
    element("div", { className: "row" },
      element("label", { className: "checkbox" }, whole, "Whole track"),
      element("fieldset", { className: "formats" }, element("legend", { textContent: "Formats" }), ...formatBoxes),
      element("button", { className: "primary", textContent: "Make track" })));
}

/**
 * Read the order from the form. Fields that were not changed are left out, and take the station's values.
 *
 * @returns {TrackOrder}
 */
export function readForm() {
  const form = new FormData(byId("order-form", HTMLFormElement));
  /** @type {TrackOrder} */
  const order = {
    station: String(form.get("station")),
    count: Number(form.get("count")),
    formats: form.getAll("formats").map(String),
    controls: {},
  };
  if (form.get("instrument")) order.instrument = Number(form.get("instrument"));
  if (form.get("temperature")) order.controls.temperature = Number(form.get("temperature"));
  if (form.get("drums")) order.controls.drums_mute = form.get("drums") === "off";
  const words = String(form.get("prompt")).trim();
  if (words) order.prompt = words;
  if (!form.has("whole")) order.seconds = Number(form.get("seconds"));
  if (form.get("seed")) order.seed = Number(form.get("seed"));
  return order;
}

/**
 * Create the menus of stations and instruments. Only instruments in the station's soundfont can be chosen.
 *
 * @param {TrackOptions} options
 * @param {string | undefined} station
 * @param {(name: string) => string} titleOf
 */
function createMenus({ stations, families }, station, titleOf) {
  const stationMenu = element("select", { name: "station" }, ...Object.keys(stations).map((name) =>
    element("option", { value: name, textContent: titleOf(name) })));
  if (station) stationMenu.value = station;
  let program = 0; // General MIDI
  const instrumentMenu = element("select", { name: "instrument" }, element("option", { value: "", textContent: STATION_VALUE }),
    ...families.map(({ name, instruments }) => element("optgroup", { label: name }, ...instruments.map((instrument) =>
      element("option", { value: String(program++), textContent: instrument })))));
  const updateInstruments = () => {
    const { instruments } = stations[stationMenu.value];
    for (const option of instrumentMenu.options) option.disabled = option.value !== "" && !instruments.includes(Number(option.value));
    instrumentMenu.value = "";
  };
  stationMenu.addEventListener("change", updateInstruments);
  updateInstruments();
  return { stationMenu, instrumentMenu };
}

/**
 * @param {string} label
 * @param {HTMLInputElement | HTMLSelectElement} input
 * @param {string} [hint]
 */
function createField(label, input, hint = "") {
  input.id = `order-${input.name}`;
  const note = element("small", { textContent: hint, id: `${input.id}-hint` });
  if (hint) input.setAttribute("aria-describedby", note.id);
  return element("div", { className: "field" }, element("label", { htmlFor: input.id, textContent: label }), input, note);
}

/**
 * @param {string} label
 * @param {string} name
 * @param {[low: number, high: number, step: number]} range
 * @param {number} value
 * @param {(value: number) => string} format
 */
function createSlider(label, name, range, value, format) {
  const [min, max, step] = range.map(String);
  const output = element("output");
  const input = element("input", { type: "range", name, id: `order-${name}`, min, max, step, value: String(value) });
  const show = () => {
    output.textContent = format(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
    fillTrack(input);
  };
  input.addEventListener("input", show);
  show();
  return element("div", { className: "slider" }, element("label", { htmlFor: input.id, textContent: label }), output, input);
}
