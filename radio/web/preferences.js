// Values in the browser's storage: preferences, and values of this tab. Without storage, as in some frames, both are
// lost with the page.

/** @type {Map<string, string>} */
const tabValues = new Map();

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
  } catch { /* no storage: the value is lost */ }
}

/**
 * Return a value that was stored for this tab, or null.
 *
 * @param {string} name
 */
export function readTabValue(name) {
  try {
    return tabValues.get(name) ?? sessionStorage.getItem(name);
  } catch {
    return null;
  }
}

/**
 * Store a value until the tab is closed.
 *
 * @param {string} name
 * @param {string} value
 */
export function saveTabValue(name, value) {
  tabValues.set(name, value);
  try {
    sessionStorage.setItem(name, value);
  } catch { /* no storage: the value is lost with the page */ }
}
