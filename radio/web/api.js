// Requests to the radio's HTTP API, and the types of its responses. URLs are resolved against the location of this file,
// so the radio can be mounted under any path.

/**
 * @typedef {number} Frame  A sample number on the station's clock, at 48 kHz.
 * @typedef {number | boolean | string} ControlValue
 * @typedef {Record<string, ControlValue>} ControlValues
 */

/**
 * @typedef {object} Track
 * @property {Frame} frame
 * @property {string} [title]
 * @property {string} [key]
 * @property {number} [tempo]
 * @property {string[]} [chords]  One per bar of the first loop.
 * @property {number} [bars]
 * @property {number} [number]  Counted since the piece began.
 * @property {Record<string, string>} [instrument_names]  By layer.
 */

/**
 * @typedef {object} Bar
 * @property {Frame} frame
 * @property {number} number
 * @property {string} [chord]
 * @property {string} [section]
 * @property {number} [tempo]
 * @property {string[]} [chords]  The loop that starts here.
 * @property {number} [place]  Position in the loop, from 0.
 * @property {string} [key]
 * @property {boolean} [hold]  A client holds the loop.
 */

/**
 * @typedef {object} Note
 * @property {Frame} frame
 * @property {string} layer
 * @property {number} note  MIDI note number.
 * @property {number} velocity  0 releases the note.
 */

/**
 * @typedef {{ track: Track, bar: Bar, note: Note }} AiredEvents  Events by kind.
 * @typedef {{ [K in keyof AiredEvents]: AiredEvents[K] & { kind: K } }[keyof AiredEvents]} RecentEvent
 */

/**
 * @typedef {object} Artwork
 * @property {string} image  A path.
 * @property {number} hue  Degrees.
 * @property {number} ground  Hue of backgrounds, in degrees.
 */

/**
 * @typedef {object} Station
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {boolean} on_air
 * @property {"music" | "repeat" | "texture"} tier
 * @property {{ track: Track | null, bar: Bar | null }} now
 * @property {Frame} live
 * @property {number} listeners
 * @property {Artwork} art
 * @property {string} [export]  A path.
 * @property {Record<string, string>} streams  Paths by format.
 */

/**
 * @typedef {object} ControlBase
 * @property {ControlValue} value
 * @property {ControlValue} [default]
 * @property {string} [label]
 * @property {string} [group]
 * @property {string} [unit]
 * @property {string} [help]
 *
 * @typedef {ControlBase & { kind: "float" | "int", low: number, high: number }} NumberControl
 * @typedef {ControlBase & { kind: "choice", choices: string[] }} ChoiceControl
 * @typedef {ControlBase & { kind: "bool" }} SwitchControl
 * @typedef {NumberControl | ChoiceControl | SwitchControl} Control
 */

/**
 * @typedef {Station & { controls: Record<string, Control>, recent?: RecentEvent[] }} StationDetails
 * @typedef {{ stations: Station[], control: "off" | "token" | "open", tracks: boolean }} StationsResponse
 * @typedef {{ tracks: Track[] }} HistoryResponse
 * @typedef {{ controls: Record<string, { value: ControlValue, frame: Frame | null }> }} ControlsResponse
 * @typedef {{ bar: number, frame: Frame }} ActionResponse  Where an action takes effect.
 */

/**
 * @typedef {object} PromptPhrase
 * @property {string} text
 * @property {boolean} understood
 * @property {ControlValues} controls
 * @property {string[]} notes
 *
 * @typedef {{ phrases: PromptPhrase[], controls: Record<string, { value: ControlValue }>, bars: number }} PromptAnswer
 */

/**
 * @typedef {object} TrackOptions
 * @property {Record<string, { instrument: number, instruments: number[] }>} stations
 * @property {{ name: string, instruments: string[] }[]} families
 * @property {string[]} formats
 * @property {[number, number]} tracks
 * @property {[number, number]} seconds
 * @property {[number, number]} count
 * @property {[number, number]} seed
 */

/**
 * @typedef {object} TrackOrder
 * @property {string} station
 * @property {string} [prompt]  Words about the music.
 * @property {number} [instrument]
 * @property {number} [seconds]  Absent for a whole track.
 * @property {number} count
 * @property {string[]} formats
 * @property {ControlValues} controls
 * @property {number} [seed]
 */

/**
 * @typedef {{ name: string, url: string, bytes: number }} TrackFile
 *
 * @typedef {object} TrackJob
 * @property {string} id
 * @property {"waiting" | "running" | "done" | "failed" | "cancelled"} state
 * @property {number} place  Number of jobs ahead in the queue.
 * @property {number} progress  From 0 to 1.
 * @property {string | null} fault
 * @property {TrackFile[]} files
 * @property {string} station
 * @property {string} instrument
 * @property {number | null} tracks
 * @property {number | null} seconds
 * @property {number[]} seeds
 * @property {string[]} not_understood  Phrases of the prompt.
 */

/**
 * @typedef {object} Primed  The music found in a file.
 * @property {number} tempo
 * @property {string} key
 * @property {string[]} chords  One per bar.
 * @property {boolean} drums
 * @property {boolean} melody
 * @property {number} tracks  Number of tracks that start from it.
 */

/**
 * @typedef {object} RequestOptions
 * @property {string} [method]
 * @property {unknown} [body]  A file, or a value to send as JSON.
 * @property {string | null} [token]
 * @property {number} [timeout]  Milliseconds.
 */

const ROOT = new URL("..", import.meta.url);
const TIMEOUT = 10_000; // milliseconds

/**
 * Return the full URL of a path such as "/chill.opus".
 *
 * @param {string} path
 */
export const urlOf = (path) => new URL(path.replace(/^\//, ""), ROOT).href;

/** An error response from the API. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} [message]
   */
  constructor(status, message = `The server responded with status ${status}.`) {
    super(message);
    this.status = status;
  }
}

/**
 * Send a request and return the JSON of the response. Throw ApiError for an error response, Error without a response.
 *
 * @param {string} path
 * @param {RequestOptions} [options]
 * @returns {Promise<unknown>}
 */
export async function request(path, { method = "GET", body, token, timeout = TIMEOUT } = {}) {
  /** @type {Record<string, string>} */
  const headers = {};
  const isFile = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = isFile ? body.type || "application/octet-stream" : "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  let response, data;
  try {
    response = await fetch(urlOf(path), {
      method,
      headers,
      body: body === undefined ? null : isFile ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(timeout),
    });
    const text = await response.text();
    data = text ? JSON.parse(text) : {};
  } catch {
    throw response && !response.ok ? new ApiError(response.status) : new Error("The server does not respond.");
  }
  if (!response.ok) throw new ApiError(response.status, data.error?.message);
  return data;
}

/**
 * Return the message of a caught value.
 *
 * @param {unknown} error
 */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
