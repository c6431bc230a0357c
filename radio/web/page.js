// The player page: creates its parts and connects them.

import { urlOf } from "./api.js";
import { Actions } from "./actions.js";
import { ControlPanel } from "./controls.js";
import { PromptPanel } from "./describe.js";
import { byId, fillTrack, setText } from "./dom.js";
import { bindKeys } from "./keyboard.js";
import { NowPlaying } from "./now-playing.js";
import { PianoRoll } from "./piano-roll.js";
import { Player, stateMessage } from "./player.js";
import { readPreference, savePreference } from "./preferences.js";
import { setUpPrimeForm } from "./prime-form.js";
import { setUpShareDialog } from "./share-dialog.js";
import { SleepTimer } from "./sleep-timer.js";
import { StationList, looksOf, tierMessage } from "./station-list.js";
import { Timeline } from "./timeline.js";
import { TrackOrders } from "./track-orders.js";

/** @import { Station } from "./api.js" */

const DOWNLOAD_MESSAGE_TIME = 8000; // milliseconds
const FAILURES = new Set(["reconnecting", "blocked", "unsupported"]); // states that screen readers announce

const player = new Player();
const timeline = new Timeline(player);
const stationList = new StationList();
const nowPlaying = new NowPlaying(timeline, player);
const pianoRoll = new PianoRoll(byId("roll", HTMLCanvasElement), timeline);
const sleepTimer = new SleepTimer(player);
const playButton = byId("play", HTMLButtonElement);
const volumeSlider = byId("volume", HTMLInputElement);
const downloadLink = byId("download", HTMLAnchorElement);
const darkScheme = matchMedia("(prefers-color-scheme: dark)");

/** @type {Station | null} */
let current = null;
let serverResponds = true;
let downloadStarted = -Infinity; // milliseconds on the page's clock

new ControlPanel(timeline, player);
new Actions(timeline, player);
new PromptPanel(timeline);
new TrackOrders(stationList, () => current?.name);
setUpPrimeForm(() => current?.name);

// ---- Actions --------------------------------------------------------------------------------------------------

/** @param {Station} station */
function select(station) {
  if (station.name !== current?.name) {
    current = station;
    nowPlaying.setStation(station);
    timeline.follow(station.name);
    pianoRoll.updateColors();
    savePreference("station", station.name);
  }
  show();
}

/** @param {Station} station  The current station, whose settings may have changed. */
function updateCurrent(station) {
  const changed = current && looksOf(station) !== looksOf(current);
  current = station;
  if (changed) {
    nowPlaying.updateStation(station);
    pianoRoll.updateColors();
  }
  showStationDetails(station);
}

/** @param {EventTarget | null} [except] */
function pauseRenderedTracks(except = null) {
  for (const track of document.querySelectorAll("audio")) if (track !== except) track.pause();
}

/** @param {Station | null} [station] */
function play(station = current) {
  if (!station) return;
  pauseRenderedTracks();
  select(station);
  player.play(station);
}

function togglePlayback() {
  if (player.active) player.stop();
  else play();
}

/** @param {number} offset */
function changeStation(offset) {
  const station = current && stationList.neighbor(current.name, offset);
  if (!station) return;
  if (player.active) play(station);
  else select(station);
}

/** @param {number} volume */
function setVolume(volume) {
  player.volume = volume;
  player.muted = false;
  savePreference("volume", String(player.volume));
  showVolume();
}

function toggleMute() {
  player.muted = !player.muted;
  showVolume();
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : darkScheme.matches;
  root.dataset.theme = dark ? "light" : "dark";
  savePreference("theme", root.dataset.theme);
  pianoRoll.updateColors();
}

// ---- Display --------------------------------------------------------------------------------------------------

function statusMessage() {
  if (performance.now() < downloadStarted + DOWNLOAD_MESSAGE_TIME) {
    return "Rendering the file. The download starts automatically.";
  }
  if (player.playing) {
    const message = tierMessage(current ? stationList.get(current.name) : undefined) || nowPlaying.title;
    if (message) return message;
  }
  return stateMessage(player.state) || (serverResponds ? "" : "Cannot reach the server. Retrying…");
}

function show() {
  document.body.dataset.state = player.state;
  document.body.classList.toggle("active", player.active);
  playButton.disabled = !current;
  playButton.setAttribute("aria-label", player.active ? "Stop" : "Play");
  setText(byId("player-station"), current?.title ?? "Radio");
  const message = statusMessage();
  setText(byId("state"), message || "\u00a0");
  if (FAILURES.has(player.state) || !(serverResponds || player.playing)) setText(byId("announcer"), message);
  stationList.mark(current?.name, player.playing);
}

function showVolume() {
  volumeSlider.value = String(Math.round(100 * player.volume));
  fillTrack(volumeSlider);
  byId("mute").setAttribute("aria-pressed", String(player.muted));
}

/** @param {Station} station */
function showStationDetails(station) {
  setText(byId("listeners"), station.listeners > 1 ? `${station.listeners} listeners` : "");
  downloadLink.hidden = !station.export;
  if (station.export) downloadLink.href = urlOf(`${station.export}?seconds=180&format=mp3`);
}

// ---- Events ---------------------------------------------------------------------------------------------------

playButton.addEventListener("click", togglePlayback);
byId("mute").addEventListener("click", toggleMute);
byId("theme").addEventListener("click", toggleTheme);
volumeSlider.addEventListener("input", () => setVolume(Number(volumeSlider.value) / 100));
downloadLink.addEventListener("click", () => {
  downloadStarted = performance.now();
  show();
  setTimeout(show, DOWNLOAD_MESSAGE_TIME + 100);
});
darkScheme.addEventListener("change", () => pianoRoll.updateColors());
document.addEventListener("play", ({ target }) => { // a rendered track plays alone
  player.stop();
  pauseRenderedTracks(target);
}, true);
player.on("state", show);
timeline.on("track", show);
stationList.on("select", (station) => {
  if (station.name === current?.name && player.active) player.stop();
  else play(station);
});
stationList.on("loaded", ({ control, tracks }) => {
  serverResponds = true;
  if (!current) select(stationList.get(readPreference("station", "")) ?? stationList.stations[0]);
  const station = current && stationList.get(current.name);
  if (station) updateCurrent(station);
  byId("controls").hidden = control === "off";
  byId("describe").hidden = control === "off";
  byId("prime").hidden = control === "off";
  byId("make").hidden = control === "off" || !tracks;
  show();
});
stationList.on("failed", () => {
  serverResponds = false;
  show();
});
bindKeys({
  togglePlayback,
  toggleMute,
  changeStation,
  selectStation: (index) => index in stationList.stations && play(stationList.stations[index]),
  stepVolume: (step) => setVolume(player.volume + step),
  extendSleepTimer: () => sleepTimer.extend(),
  toggleTheme,
});
setUpShareDialog(() => current);
if ("mediaSession" in navigator) {
  const session = navigator.mediaSession;
  session.setActionHandler("play", () => play());
  session.setActionHandler("pause", () => player.stop());
  session.setActionHandler("stop", () => player.stop());
  session.setActionHandler("nexttrack", () => changeStation(1));
  session.setActionHandler("previoustrack", () => changeStation(-1));
}

const storedVolume = Number.parseFloat(readPreference("volume", ""));
setVolume(Number.isFinite(storedVolume) ? storedVolume : player.volume);
show();
stationList.load();
