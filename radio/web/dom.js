// The few lines that every part of the page needs to build its own.

/** The element of this id. */
export const at = (id) => document.getElementById(id);

/** A new element: its properties (dashed names are attributes), then what it holds. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Set text only where it differs, so that nothing is laid out or read out twice. */
export function write(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/** "2 min", "45 s". */
export const span = (seconds) => (seconds < 90 ? `${Math.max(0, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`);

/** Give the page the colours of a station's picture. */
export function dress({ hue, ground }) {
  document.documentElement.style.setProperty("--hue", hue);
  document.documentElement.style.setProperty("--ground-hue", ground);
}
