// The compact player of one station. It connects to the event stream when playback starts.

import { messageOf, request, urlOf } from "./api.js";
import { byId, setColors, setText } from "./dom.js";
import { PianoRoll } from "./piano-roll.js";
import { Player, stateMessage } from "./player.js";
import { Timeline } from "./timeline.js";

/** @import { Station } from "./api.js" */

const REFRESH_INTERVAL = 30_000; // milliseconds

const player = new Player();
const timeline = new Timeline(player);
const playButton = byId("play", HTMLButtonElement);
const name = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
/** @type {Station | null} */
let station = null;
let title = "";
let followed = false; // whether the title comes from events

function show() {
  document.body.classList.toggle("active", player.active);
  playButton.setAttribute("aria-label", player.active ? "Stop" : "Play");
  setText(byId("state"), stateMessage(player.state) || station?.description || "\u00a0");
  if (station && player.playing && title) setText(byId("announcer"), `${title}, on ${station.title}`);
}

async function load(retryDelay = 1) {
  try {
    station = /** @type {Station} */ (await request(`/api/stations/${name}`));
  } catch (error) {
    setText(byId("state"), messageOf(error));
    setTimeout(load, 1000 * retryDelay, Math.min(30, 2 * retryDelay));
    return;
  }
  setColors(station.art);
  document.title = `${station.title} · Radio`;
  setText(byId("station"), station.title);
  showTitle(station);
  byId("artwork", HTMLImageElement).src = urlOf(station.art.image);
  playButton.disabled = false;
  new PianoRoll(byId("roll", HTMLCanvasElement), timeline);
  show();
}

/** @param {Station} station */
function showTitle({ now }) {
  if (!followed) setText(byId("title"), now.track?.title ?? "\u00a0");
}

async function refreshTitle() {
  if (!station || followed || document.hidden) return;
  try {
    showTitle(/** @type {Station} */ (await request(`/api/stations/${name}`)));
  } catch { /* retried later */ }
}

playButton.addEventListener("click", () => {
  if (player.active) return player.stop();
  followed = true;
  timeline.follow(name);
  player.play(station);
});
player.on("state", show);
timeline.on("track", (track) => {
  title = track.title ?? "";
  setText(byId("title"), title);
  show();
});
setInterval(refreshTitle, REFRESH_INTERVAL);
load();
