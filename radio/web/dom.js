// Helpers that build and update elements of the page.

/** @import { Artwork } from "./api.js" */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @typedef {Partial<HTMLElementTagNameMap[K]> & { [name: `${string}-${string}`]: string }} Properties
 */

/**
 * Return the element with this id. Throw TypeError if there is none, or if it is not of the given class.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {{ new (): T }} [type]
 * @returns {T}
 */
export function byId(id, type) {
  const node = document.getElementById(id);
  if (node instanceof (type ?? HTMLElement)) return /** @type {T} */ (node);
  throw new TypeError(`no ${type?.name ?? "element"} with id "${id}"`);
}

/**
 * Return the first descendant of a class that matches a selector. Throw TypeError if there is none.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {Element} root
 * @param {string} selector
 * @param {{ new (): T }} [type]
 * @returns {T}
 */
export function query(root, selector, type) {
  const node = root.querySelector(selector);
  if (node instanceof (type ?? HTMLElement)) return /** @type {T} */ (node);
  throw new TypeError(`no ${type?.name ?? "element"} matches "${selector}"`);
}

/**
 * Create an element with properties and children. Names with a dash are attributes.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Properties<K>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, properties, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.includes("-")) node.setAttribute(name, String(value));
    else Reflect.set(node, name, value);
  }
  node.append(...children);
  return node;
}

/**
 * Set the text of a node if it differs, to avoid layout work and repeated screen reader announcements.
 *
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Set or remove `aria-current`.
 *
 * @param {Element} node
 * @param {boolean} current
 */
export function setCurrent(node, current) {
  if (current) node.setAttribute("aria-current", "true");
  else node.removeAttribute("aria-current");
}

/**
 * Show a status message, colored as an error if it is one.
 *
 * @param {HTMLElement} node
 * @param {string} message
 * @param {boolean} [isError]
 */
export function setStatus(node, message, isError = false) {
  setText(node, message);
  node.classList.toggle("error", isError);
}

/**
 * Fill the track of a range input up to its value.
 *
 * @param {HTMLInputElement} input
 */
export function fillTrack(input) {
  const [low, high] = [Number(input.min), Number(input.max)];
  input.style.setProperty("--filled", `${(100 * (Number(input.value) - low)) / (high - low)}%`);
}

/**
 * Set the colors of the page to those of a station's artwork.
 *
 * @param {Artwork} artwork
 */
export function setColors({ hue, ground }) {
  document.documentElement.style.setProperty("--hue", String(hue));
  document.documentElement.style.setProperty("--background-hue", String(ground));
}
