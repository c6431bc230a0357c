// The compact player of one station. Until it is played, it asks for nothing but that station's name and picture.

import { address, ask } from "./api.js";
import { at, dress, write } from "./dom.js";
import { phrase, Player } from "./player.js";
import { Roll } from "./piano-roll.js";
import { Timeline } from "./timeline.js";

const player = new Player();
const timeline = new Timeline(player);
const name = decodeURIComponent(location.pathname.split("/").pop());
let station = null;
let title = "";

function show() {
  document.body.classList.toggle("wanted", player.wanted);
  at("play").setAttribute("aria-label", player.wanted ? "Stop" : "Play");
  write(at("state"), phrase(player.state) || station?.description || "\u00a0");
  if (player.sounding && title) write(at("announcer"), `${title}, on ${station.title}`);
}

at("play").addEventListener("click", () => {
  if (player.wanted) return player.stop();
  timeline.tune(name);
  player.play(station);
});
player.addEventListener("state", show);
timeline.addEventListener("track", ({ detail }) => {
  title = detail.title;
  write(at("title"), title);
  show();
});

async function load(wait = 1) {
  try {
    station = await ask(`/api/stations/${name}`);
  } catch (error) {
    write(at("state"), error.message);
    setTimeout(load, 1000 * wait, Math.min(30, 2 * wait));
    return;
  }
  dress(station.art);
  document.title = `${station.title} · Radio`;
  write(at("station"), station.title);
  write(at("title"), station.now.track?.title ?? "\u00a0");
  at("sleeve").src = address(station.art.image);
  at("play").disabled = false;
  new Roll(at("roll"), timeline);
  show();
}

load();
