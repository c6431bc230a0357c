// The form that lets the station start from a MIDI file.

import { messageOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { byId, setStatus } from "./dom.js";

/** @import { Primed } from "./api.js" */

const TIMEOUT = 90_000; // milliseconds

/**
 * Let the form upload its file to the selected station.
 *
 * @param {() => string | undefined} currentStation  Return the name of the selected station.
 */
export function setUpPrimeForm(currentStation) {
  const form = byId("prime-form", HTMLFormElement);
  const input = byId("prime-file", HTMLInputElement);
  const button = byId("prime-send", HTMLButtonElement);
  const status = byId("prime-status");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const file = input.files?.[0];
    const station = currentStation();
    if (!file || !station) return setStatus(status, "Choose a MIDI file.", true);
    button.disabled = true;
    setStatus(status, "Listening to the file …");
    try {
      const path = `/api/stations/${station}/prime?name=${encodeURIComponent(file.name.slice(0, 200))}`;
      const options = { method: "POST", body: file, timeout: TIMEOUT };
      const primed = /** @type {Primed | null} */ (await authorizedRequest(path, options));
      if (primed && byId("prime-now", HTMLInputElement).checked) {
        await authorizedRequest(`/api/stations/${station}/skip`, { method: "POST" });
      }
      setStatus(status, primed ? describe(primed) : "");
    } catch (error) {
      setStatus(status, messageOf(error), true);
    } finally {
      button.disabled = false;
    }
  });
}

/** @param {Primed} primed */
function describe({ tempo, key, chords, drums, melody, tracks }) {
  const parts = [...(drums ? ["its drums"] : []), ...(melody ? ["its melody"] : [])];
  const rest = parts.length ? `, with ${parts.join(" and ")}` : "";
  return `Found ${Math.round(tempo)} BPM, ${key}, ${chords.join(" – ")}${rest}. The next ${tracks} tracks take it up.`;
}
