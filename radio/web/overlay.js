// What is on, over another picture: for OBS and its like. Its address says how: ?theme=light or dark letters, ?size= the
// title's height in pixels, ?align=left, center or right, ?delay= seconds that whoever shows it hears behind the radio.

import { at, write } from "./dom.js";
import { Timeline } from "./timeline.js";

const RATE = 48000;
const FADE = 600; // milliseconds, as the style sheet has it
const wanted = new URLSearchParams(location.search);
const number = (name, low, high, usual) => {
  const value = Number.parseFloat(wanted.get(name) ?? "");
  return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : usual;
};
const delay = number("delay", 0, 60, 0);
const root = document.documentElement;
root.dataset.theme = wanted.get("theme") ?? "light";
root.dataset.align = wanted.get("align") ?? "left";
root.style.setProperty("--size", `${number("size", 12, 200, 48)}px`);

// A timeline asks its player what is heard. Nothing is played here: what is heard is the live edge, or some seconds less.
class Elsewhere extends EventTarget {
  state = "playing";
  wanted = false;
  sounding = false;
  audio = { get currentTime() { return timeline.live / RATE - delay; } };
}

const timeline = new Timeline(new Elsewhere());
let track = null;

timeline.addEventListener("station", ({ detail }) => write(at("station"), detail.title));
timeline.addEventListener("track", ({ detail }) => {
  const first = track === null;
  track = detail;
  at("card").hidden = false;
  at("title").classList.add("changing");
  setTimeout(() => {
    write(at("title"), track.title ?? "");
    at("title").classList.remove("changing");
  }, first ? 0 : FADE);
});

// A track's length is as good as its tempo, which may be turned while it plays.
function progress() {
  if (track?.bars && track.tempo) {
    const length = (track.bars * 4 * 60 * RATE) / track.tempo;
    const done = Math.min(1, Math.max(0, (timeline.heard - track.frame) / length));
    at("progress").style.width = `${(100 * done).toFixed(2)}%`;
  }
  at("progress").parentElement.hidden = !(track?.bars && track.tempo);
}

setInterval(progress, 250);
timeline.tune(decodeURIComponent(location.pathname.split("/").at(-2)));
