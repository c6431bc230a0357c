// Typed events.

/**
 * An event target whose events carry a value, the detail. `Events` maps the names of events to the types of details.
 *
 * @template {object} Events
 */
export class Emitter extends EventTarget {
  /**
   * Call a function with the detail of each event of this name.
   *
   * @template {keyof Events & string} K
   * @param {K} name
   * @param {(detail: Events[K]) => void} callback
   */
  on(name, callback) {
    this.addEventListener(name, (event) => callback(/** @type {CustomEvent<Events[K]>} */ (event).detail));
  }

  /**
   * Dispatch an event.
   *
   * @template {keyof Events & string} K
   * @param {K} name
   * @param {Events[K]} detail
   */
  emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
