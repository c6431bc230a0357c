// Recording from the microphone, for a minute at most.

const LONGEST = 60; // seconds

/**
 * @typedef {object} Recording
 * @property {() => void} stop
 * @property {Promise<Blob>} finished  The sound, once it has been stopped or a minute has passed.
 */

/**
 * Record from the microphone. If that is impossible, throw an Error that says what is missing.
 *
 * @param {(seconds: number, longest: number) => void} onSecond  Called each second during the recording.
 * @returns {Promise<Recording>}
 */
export async function record(onSecond) {
  const stream = await openMicrophone();
  try {
    return recordStream(stream, onSecond);
  } catch (error) {
    close(stream);
    throw error;
  }
}

/**
 * @param {MediaStream} stream  Closed when the recording ends.
 * @param {(seconds: number, longest: number) => void} onSecond
 * @returns {Recording}
 */
function recordStream(stream, onSecond) {
  const recorder = new MediaRecorder(stream);
  recorder.start();
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  let seconds = 0;
  const stop = () => recorder.state === "recording" && recorder.stop();
  const timer = setInterval(() => {
    seconds += 1;
    if (seconds >= LONGEST) stop();
    else onSecond(seconds, LONGEST);
  }, 1000);
  const finished = /** @type {Promise<Blob>} */ (new Promise((resolve) => {
    recorder.addEventListener("stop", () => {
      clearInterval(timer);
      close(stream);
      resolve(new Blob(parts, { type: recorder.mimeType }));
    });
  }));
  onSecond(0, LONGEST);
  return { stop, finished };
}

/** @param {MediaStream} stream */
function close(stream) {
  for (const track of stream.getTracks()) track.stop();
}

async function openMicrophone() {
  if (!navigator.mediaDevices || !window.MediaRecorder) {
    throw new Error("This browser can record only on pages with HTTPS, or on this computer itself. Choose a file instead.");
  }
  try {
    // The filters are made for speech, and treat held notes as noise.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const name = error instanceof Error ? error.name : "";
    if (name === "NotAllowedError") throw new Error("The page may not use the microphone. Allow it in the browser's settings for this page.");
    if (name === "NotFoundError") throw new Error("There is no microphone.");
    throw error;
  }
}
