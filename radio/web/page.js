// The page: its parts, and what passes between them.

import { address } from "./api.js";
import { Controls } from "./controls.js";
import { at, write } from "./dom.js";
import { listen } from "./keyboard.js";
import { Now } from "./now-playing.js";
import { phrase, Player } from "./player.js";
import { Roll } from "./piano-roll.js";
import { share } from "./share-dialog.js";
import { Sleep } from "./sleep-timer.js";
import { Stations } from "./station-list.js";
import { keep, recall } from "./preferences.js";
import { Timeline } from "./timeline.js";
import { Tracks } from "./track-jobs.js";

const player = new Player();
const timeline = new Timeline(player);
const stations = new Stations();
const now = new Now(timeline, player);
const roll = new Roll(at("roll"), timeline);
const sleep = new Sleep(player);
new Controls(timeline, player);
new Tracks(stations, () => chosen?.name);
let chosen = null; // the station on the deck
let answering = true;
let saving = 0; // until when, by this page's clock, to say that a file is on its way

// ---- Choosing and playing -------------------------------------------------------------------------------------

function choose(station) {
  if (station.name !== chosen?.name) {
    chosen = station;
    now.tune(station);
    timeline.tune(station.name);
    roll.recolour();
    keep("station", station.name);
  }
  show();
}

function play(station) {
  choose(station);
  player.play(station);
}

function toggle() {
  if (player.wanted) player.stop();
  else if (chosen) play(chosen);
}

function change(station) {
  if (!station) return;
  if (player.wanted) play(station);
  else choose(station);
}

function turnVolume(to) {
  player.volume = to;
  player.muted = false;
  keep("volume", player.volume);
  showVolume();
}

function mute() {
  player.muted = !player.muted;
  showVolume();
}

// ---- Showing --------------------------------------------------------------------------------------------------

function words() {
  if (performance.now() < saving) return "Your file is being rendered; the download begins by itself";
  if (player.sounding && now.title) return now.title;
  return phrase(player.state) || (answering ? "" : "The radio does not answer; trying again …");
}

function show() {
  document.body.dataset.state = player.state;
  document.body.classList.toggle("wanted", player.wanted);
  at("play").disabled = !chosen;
  at("play").setAttribute("aria-label", player.wanted ? "Stop" : "Play");
  write(at("bar-title"), chosen?.title ?? "Radio");
  write(at("state"), words() || "\u00a0");
  stations.mark(chosen?.name, player.sounding);
}

function showVolume() {
  at("volume").value = Math.round(100 * player.volume);
  at("volume").style.setProperty("--filled", `${100 * player.volume}%`);
  at("mute").setAttribute("aria-pressed", String(player.muted));
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("theme", root.dataset.theme);
  roll.recolour();
}

// ---- What happens ---------------------------------------------------------------------------------------------

at("play").addEventListener("click", toggle);
at("mute").addEventListener("click", mute);
at("save").addEventListener("click", () => {
  saving = performance.now() + 8000;
  show();
  setTimeout(show, 8100);
});
at("volume").addEventListener("input", () => turnVolume(at("volume").value / 100));
at("theme").addEventListener("click", turnTheme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => roll.recolour());
player.addEventListener("state", show);
timeline.addEventListener("track", show);
document.addEventListener("play", () => player.stop(), true); // a track of one's own, which wants to be heard alone
stations.addEventListener("choose", ({ detail }) => {
  if (detail.name === chosen?.name && player.wanted) player.stop();
  else play(detail);
});
stations.addEventListener("loaded", ({ detail }) => {
  answering = true;
  if (!chosen) choose(stations.named(recall("station")) ?? stations.all[0]);
  const station = stations.named(chosen.name);
  if (station) write(at("listeners"), station.listeners > 1 ? `${station.listeners} listening` : "");
  at("controls").hidden = detail.control === "off";
  at("make").hidden = detail.control === "off" || !detail.tracks;
  at("save").hidden = !station?.export;
  if (station?.export) at("save").href = address(`${station.export}?seconds=180&format=mp3`);
  show();
});
stations.addEventListener("lost", () => {
  answering = false;
  show();
});
listen({
  toggle,
  mute,
  beside: (places) => chosen && change(stations.beside(chosen.name, places)),
  place: (n) => stations.all[n - 1] && play(stations.all[n - 1]),
  volume: (step) => turnVolume(Math.min(1, Math.max(0, player.volume + step))),
  sleep: () => sleep.more(),
  theme: turnTheme,
});
share(() => chosen);
if ("mediaSession" in navigator) {
  const session = navigator.mediaSession;
  session.setActionHandler("play", () => chosen && play(chosen));
  for (const action of ["pause", "stop"]) session.setActionHandler(action, () => player.stop());
  session.setActionHandler("nexttrack", () => chosen && change(stations.beside(chosen.name, 1)));
  session.setActionHandler("previoustrack", () => chosen && change(stations.beside(chosen.name, -1)));
}

turnVolume(Number(recall("volume", 0.8)));
show();
stations.load();
