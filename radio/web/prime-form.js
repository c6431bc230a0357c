// The form to start the station from a MIDI file, a recording, or the microphone.

import { messageOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { byId, setStatus, setText } from "./dom.js";
import { record } from "./recorder.js";

/**
 * @import { Primed } from "./api.js"
 * @import { Recording } from "./recorder.js"
 */

const TIMEOUT = 150_000; // milliseconds

/**
 * Make the form upload its file, or a recording, to the selected station.
 *
 * @param {() => string | undefined} currentStation  Return the name of the selected station.
 */
export function setUpPrimeForm(currentStation) {
  const form = byId("prime-form", HTMLFormElement);
  const input = byId("prime-file", HTMLInputElement);
  const send = byId("prime-send", HTMLButtonElement);
  const microphone = byId("prime-record", HTMLButtonElement);
  const status = byId("prime-status");
  /** @type {Recording | null} */
  let recording = null;

  /** @param {Blob} sound @param {string} name @param {string} [part] */
  async function upload(sound, name, part = "") {
    const station = currentStation();
    if (!station) return;
    send.disabled = microphone.disabled = true;
    setStatus(status, "Listening …");
    try {
      const query = new URLSearchParams({ name: name.slice(0, 200), ...(part && { part }) });
      const path = `/api/stations/${station}/prime?${query}`;
      const options = { method: "POST", body: sound, timeout: TIMEOUT };
      const primed = /** @type {Primed | null} */ (await authorizedRequest(path, options));
      if (primed && byId("prime-now", HTMLInputElement).checked) {
        await authorizedRequest(`/api/stations/${station}/skip`, { method: "POST" });
      }
      setStatus(status, primed ? describe(primed) : "");
    } catch (error) {
      setStatus(status, messageOf(error), true);
    } finally {
      send.disabled = microphone.disabled = false;
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const file = input.files?.[0];
    if (file) upload(file, file.name, byId("prime-part", HTMLInputElement).value.trim());
    else setStatus(status, "Choose a MIDI file or a recording.", true);
  });

  microphone.addEventListener("click", async () => {
    if (recording) return recording.stop();
    send.disabled = microphone.disabled = true; // until the browser has asked
    try {
      recording = await record((seconds, longest) => {
        if (seconds) status.setAttribute("aria-live", "off"); // a screen reader would count into the microphone
        setStatus(status, `Recording: ${seconds} of ${longest} s`);
      });
      setText(microphone, "Stop and use it");
      microphone.disabled = false;
      const sound = await recording.finished;
      status.removeAttribute("aria-live");
      await upload(sound, "microphone");
    } catch (error) {
      setStatus(status, messageOf(error), true);
    } finally {
      recording = null;
      setText(microphone, "Hum a melody");
      send.disabled = microphone.disabled = false;
    }
  });
}

/** @param {Primed} primed */
function describe({ tempo, key, chords, drums, melody, tracks }) {
  const parts = [...(drums ? ["its drums"] : []), ...(melody ? ["its melody"] : [])];
  const rest = parts.length ? `, with ${parts.join(" and ")}` : "";
  return `Found ${Math.round(tempo)} BPM, ${key}, ${chords.join(" – ")}${rest}. The next ${tracks} tracks start from it.`;
}
