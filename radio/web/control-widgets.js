// Widgets for the controls of a station, built from the API's description of each control.

import { element, fillTrack } from "./dom.js";

/** @import { ChoiceControl, Control, ControlValue, NumberControl, SwitchControl } from "./api.js" */

/**
 * show: display a value that was set elsewhere.
 *
 * @typedef {{ node: HTMLElement, show: (value: ControlValue) => void }} Widget
 * @typedef {(value: ControlValue) => Promise<void>} OnChange
 */

const SEND_DELAY = 120; // milliseconds without movement after which a slider's value is sent
const WHOLE_STEPS_ABOVE = 20; // ranges wider than this have whole steps

/**
 * Return a label for a name: "alpha_decay" becomes "Alpha decay".
 *
 * @param {string} name
 */
export const labelOf = (name) => capitalized(name.replaceAll("_", " "));

/** @param {string} text */
const capitalized = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/**
 * Create the widget that fits the kind of a control.
 *
 * @param {string} name
 * @param {Control} control
 * @param {OnChange} onChange
 * @param {string} [label]
 * @returns {Widget}
 */
export function createWidget(name, control, onChange, label = labelOf(name)) {
  const widget = createInput(name, control, onChange, label);
  widget.show(control.value);
  return widget;
}

/**
 * @param {string} name
 * @param {Control} control
 * @param {OnChange} onChange
 * @param {string} label
 * @returns {Widget}
 */
function createInput(name, control, onChange, label) {
  switch (control.kind) {
    case "choice": return createMenu(name, control, onChange, label);
    case "bool": return createCheckbox(name, control, onChange, label);
    default: return createSlider(name, control, onChange, label);
  }
}

/**
 * Create a button that mutes a layer.
 *
 * @param {string} layer
 * @param {Control} control
 * @param {OnChange} onChange
 * @returns {Widget}
 */
export function createMuteButton(layer, control, onChange) {
  const node = element("button", { type: "button", className: "mute", "aria-label": `Mute ${layer}` }, labelOf(layer));
  const muted = () => node.getAttribute("aria-pressed") === "true";
  /** @param {ControlValue} value */
  const show = (value) => node.setAttribute("aria-pressed", String(value));
  show(control.value);
  node.addEventListener("click", () => onChange(!muted()));
  return { node, show };
}

/**
 * @param {string} name
 * @param {ChoiceControl} control
 * @param {OnChange} onChange
 * @param {string} label
 * @returns {Widget}
 */
function createMenu(name, { choices, help }, onChange, label) {
  const options = choices.map((choice) => element("option", { value: choice, textContent: labelOf(choice) }));
  const input = element("select", { id: `control-${name}` }, ...options);
  input.addEventListener("change", () => onChange(input.value));
  const node = element("div", { className: "field" }, element("label", { htmlFor: input.id, textContent: label }), input);
  describe(node, input, help);
  return { node, show: (value) => { input.value = String(value); } };
}

/**
 * @param {string} name
 * @param {SwitchControl} control
 * @param {OnChange} onChange
 * @param {string} label
 * @returns {Widget}
 */
function createCheckbox(name, { help }, onChange, label) {
  const input = element("input", { type: "checkbox", id: `control-${name}` });
  input.addEventListener("change", () => onChange(input.checked));
  const node = element("label", { className: "checkbox" }, input, label);
  describe(node, input, help);
  return { node, show: (value) => { input.checked = Boolean(value); } };
}

/**
 * @param {string} name
 * @param {NumberControl} control
 * @param {OnChange} onChange
 * @param {string} label
 * @returns {Widget}
 */
function createSlider(name, { kind, low, high, unit = "", help, default: defaultValue, value: initialValue }, onChange, label) {
  const id = `control-${name}`;
  const step = kind === "int" || high - low > WHOLE_STEPS_ABOVE ? 1 : 0.01;
  const input = element("input", { type: "range", id, min: String(low), max: String(high), step: String(step) });
  const output = element("output");
  output.setAttribute("for", id);
  /** @param {ControlValue} value */
  const format = (value) => `${Number(value)} ${unit}`.trimEnd();
  const reset = element("button", { type: "button", className: "reset", "aria-label": `Reset ${label}` }, "↺");
  reset.title = `Reset to ${format(defaultValue ?? 0)}`;
  /** @param {ControlValue} value */
  const display = (value) => {
    output.textContent = format(value);
    input.setAttribute("aria-valuetext", format(value));
    fillTrack(input);
    reset.hidden = defaultValue === undefined || Number(value) === defaultValue;
  };

  let current = initialValue;
  let timer = 0; // set from a movement of the slider until its value is sent; other changes do not move it in that time
  /** @param {ControlValue} value */
  const show = (value) => {
    current = value;
    if (timer) return;
    input.value = String(value);
    display(value);
  };
  const send = async () => {
    const sending = timer;
    await onChange(Number(input.value));
    if (timer !== sending) return; // moved again in the meantime
    timer = 0;
    show(current);
  };
  input.addEventListener("input", () => {
    display(Number(input.value));
    clearTimeout(timer);
    timer = setTimeout(send, SEND_DELAY);
  });
  reset.addEventListener("click", () => defaultValue !== undefined && onChange(defaultValue));
  const node = element("div", { className: "slider" },
    element("label", { htmlFor: id, textContent: label }), output, reset, input);
  describe(node, input, help);
  return { node, show };
}

/**
 * Add a tooltip for the mouse and a description for screen readers.
 *
 * @param {HTMLElement} node
 * @param {HTMLElement} input
 * @param {string} [help]
 */
function describe(node, input, help) {
  if (!help) return;
  node.title = capitalized(help);
  input.setAttribute("aria-description", capitalized(help));
}
