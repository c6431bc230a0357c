// Preferences in the browser's local storage. Without storage, as in some frames, none are remembered.

/**
 * Return the stored value of a preference, or a default.
 *
 * @param {string} name
 * @param {string} defaultValue
 */
export function readPreference(name, defaultValue) {
  try {
    return localStorage.getItem(name) ?? defaultValue;
  } catch {
    return defaultValue;
  }
}

/**
 * Store a preference.
 *
 * @param {string} name
 * @param {string} value
 */
export function savePreference(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch { /* no storage: the value is lost with the tab */ }
}
