// The current title as an overlay for video, as in OBS. Query parameters: `theme` (light or dark text), `size` (of the
// title, in pixels), `align` (left, center or right), `delay` (of the video's audio behind the radio, in seconds).

import { byId, setText } from "./dom.js";
import { Emitter } from "./events.js";
import { SAMPLE_RATE, Timeline } from "./timeline.js";

/** @import { Track } from "./api.js" */
/** @import { PlayerEvents } from "./player.js" */

const FADE = 600; // milliseconds, as in overlay.css
const parameters = new URLSearchParams(location.search);
const root = document.documentElement;

/**
 * Return a numeric query parameter, limited to a range.
 *
 * @param {string} name
 * @param {number} low
 * @param {number} high
 * @param {number} defaultValue
 */
function numberParameter(name, low, high, defaultValue) {
  const value = Number.parseFloat(parameters.get(name) ?? "");
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : defaultValue;
}

const delay = numberParameter("delay", 0, 60, 0);
root.dataset.theme = parameters.get("theme") ?? "light";
root.dataset.align = parameters.get("align") ?? "left";
root.style.setProperty("--size", `${numberParameter("size", 12, 200, 48)}px`);

/**
 * A player without audio, positioned `delay` seconds behind the live edge.
 *
 * @extends {Emitter<PlayerEvents>}
 */
class DelayedPlayback extends Emitter {
  state = "playing";
  active = false;
  playing = false;
  burst = null;
  sid = null;
  station = null;
  audio = { get currentTime() { return (timeline.liveEdge ?? 0) / SAMPLE_RATE - delay; } };
}

/** @type {Timeline} */
const timeline = new Timeline(new DelayedPlayback());
/** @type {Track | null} */
let track = null;

timeline.on("station", ({ title }) => setText(byId("station"), title));
timeline.on("track", (next) => {
  const wait = track ? FADE : 0;
  track = next;
  byId("card").hidden = false;
  byId("title").classList.add("changing");
  setTimeout(() => {
    setText(byId("title"), track?.title ?? "");
    byId("title").classList.remove("changing");
  }, wait);
});

function showProgress() {
  byId("progress-track").hidden = !track?.bars || !track.tempo;
  if (!track?.bars || !track.tempo) return;
  const length = (track.bars * 4 * 60 * SAMPLE_RATE) / track.tempo; // an estimate: the tempo may change
  const progress = Math.min(1, Math.max(0, ((timeline.position ?? track.frame) - track.frame) / length));
  byId("progress").style.width = `${(100 * progress).toFixed(2)}%`;
}

setInterval(showProgress, 250);
timeline.follow(decodeURIComponent(location.pathname.split("/").at(-2) ?? ""));
