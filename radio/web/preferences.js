// What this browser remembers of its listener; in a frame without storage, nothing.

/** The value kept under a name, or `otherwise`. */
export function recall(name, otherwise = null) {
  try {
    return localStorage.getItem(name) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep a value under a name. */
export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch { /* it is forgotten with the tab, then */ }
}
