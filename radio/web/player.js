// The player: stations from the API, what is on from server-sent events, sound from one audio element.

const MAIN = ["temperature", "tempo", "top_p", "density"];
const QUICK_BURST = 3;
// The mount's frame number f is heard at the audio clock's 48000 t = f − 3528: the decoder's 312 frames of lookahead
// come later, the 3840 of pre-skip are thrown away.
const CLOCK_LEAD = 3840 - 312;
const at = (id) => document.getElementById(id);

const audio = new Audio();
audio.preload = "none";
let stations = [];
let chosen = null; // name of the station on the deck
let wanted = false; // whether it should be sounding
let feed = null; // EventSource of the station on the deck
let live = null; // { frame, seconds }: the live edge, and when it was there by this page's clock
let joined = null; // the live edge when the sound began, for browsers whose audio clock begins at 0
let aired = []; // tracks and bars of the last minutes, in order; the listener is a burst behind the last
let shown = {}; // the frame of the track and of the bar that the page shows
let track = {};
let retry = 0;

// ---- Stations -------------------------------------------------------------------------------------------------

async function loadStations() {
  const answer = await fetch("/api/stations");
  stations = (await answer.json()).stations;
  const list = at("stations");
  if (list.children.length !== stations.length) list.replaceChildren(...stations.map(card));
  for (const station of stations) {
    const button = list.querySelector(`[data-name="${station.name}"]`);
    button.setAttribute("aria-pressed", String(station.name === chosen));
    button.classList.toggle("sounding", station.name === chosen && sounding());
    button.querySelector(".on").textContent = station.now.track?.title ?? (station.on_air ? "" : "Tuning in …");
  }
}

function card(station) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  button.dataset.name = station.name;
  const record = document.createElement("div");
  record.className = "record";
  record.style.setProperty("--hue", [...station.name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 360, 7));
  const text = document.createElement("div");
  for (const [tag, kind, words] of [["strong", "", station.title], ["span", "", station.description], ["span", "on", ""]]) {
    const line = document.createElement(tag);
    line.className = kind;
    line.textContent = words;
    text.append(line);
  }
  button.append(record, text);
  button.addEventListener("click", () => {
    if (station.name === chosen && wanted) stop();
    else play(station.name);
  });
  item.append(button);
  return item;
}

// ---- Sound ----------------------------------------------------------------------------------------------------

const sounding = () => wanted && !audio.paused && audio.readyState > 2;

function play(name = chosen) {
  if (!name) return;
  choose(name);
  wanted = true;
  joined = live && { ...live };
  const burst = at("quick").checked ? `&burst=${QUICK_BURST}` : "";
  audio.src = `/${name}.opus?t=${Date.now()}${burst}`;
  audio.play().catch((error) => {
    if (error.name !== "AbortError") trouble(`It cannot be played here: ${error.message}`);
  });
  show();
}

function stop() {
  wanted = false;
  clearTimeout(retry);
  audio.pause();
  audio.removeAttribute("src"); // a paused stream would stay connected until it is dropped for being slow
  audio.load();
  show();
}

function again() {
  if (!wanted) return;
  clearTimeout(retry);
  retry = setTimeout(() => wanted && play(), 2000);
  show("The connection was lost; trying again …");
}

function show(words) {
  const station = stations.find((each) => each.name === chosen);
  document.body.classList.toggle("sounding", wanted);
  at("play").disabled = !station;
  at("play").setAttribute("aria-label", wanted ? "Stop" : "Play");
  at("playing-station").textContent = station ? station.title : "Choose a station";
  at("state").textContent = words ?? (!wanted ? "" : sounding() ? (track.title ?? "On the air") : "Tuning in …");
  for (const button of document.querySelectorAll(".card")) {
    button.setAttribute("aria-pressed", String(button.dataset.name === chosen));
    button.classList.toggle("sounding", button.dataset.name === chosen && sounding());
  }
}

for (const kind of ["playing", "waiting", "pause"]) audio.addEventListener(kind, () => show());
for (const kind of ["error", "ended"]) audio.addEventListener(kind, again);

// ---- What is on -----------------------------------------------------------------------------------------------

function choose(name) {
  if (name === chosen) return;
  chosen = name;
  live = joined = null;
  aired = [];
  shown = {};
  feed?.close();
  feed = new EventSource(`/api/stations/${name}/events`);
  feed.addEventListener("now", (message) => start(JSON.parse(message.data)));
  for (const kind of ["track", "bar"]) {
    feed.addEventListener(kind, (message) => take({ kind, ...JSON.parse(message.data) }));
  }
  at("deck").hidden = false;
  localStorage.setItem("station", name);
}

function start(station) {
  live = { frame: station.live, seconds: performance.now() / 1000 };
  joined ??= wanted ? { ...live } : null;
  at("deck-station").textContent = `${station.title} · ${station.description}`;
  aired = station.recent;
  follow();
  build(station.controls);
}

function take(event) {
  live = { frame: event.frame, seconds: performance.now() / 1000 };
  aired.push(event);
  if (aired.length > 100) aired = aired.slice(-60);
  follow();
}

// The mount's frame that is heard now. Chromium's audio clock begins at the stream's own time, others' at 0.
function heard() {
  const now = live.frame + (performance.now() / 1000 - live.seconds) * 48000;
  if (!sounding()) return now;
  const absolute = audio.currentTime * 48000 + CLOCK_LEAD;
  if (Math.abs(now - absolute) < 60 * 48000) return absolute;
  const burst = at("quick").checked ? QUICK_BURST : 22;
  return (joined ?? live).frame - burst * 48000 + audio.currentTime * 48000;
}

// Show the track and the bar that are heard, which may be older than those shown when the sound has just begun.
function follow() {
  if (!live) return;
  const until = heard();
  for (const kind of ["track", "bar"]) {
    const event = aired.findLast((each) => each.kind === kind && each.frame <= until);
    if (event && event.frame !== shown[kind]) {
      shown[kind] = event.frame;
      air(kind, event);
    }
  }
}

function air(kind, data) {
  if (kind === "track") {
    track = data;
    at("title").textContent = data.title ?? "Untitled";
    at("key").textContent = data.key ?? "–";
    const chords = (data.chords ?? []).map((name) => {
      const item = document.createElement("li");
      item.textContent = name;
      return item;
    });
    at("chords").replaceChildren(...chords);
    tell();
  }
  if (kind === "bar") {
    at("bar").textContent = Number(data.number) + 1;
    at("section").textContent = data.section ?? "–";
    const chords = [...at("chords").children];
    const same = chords.findIndex((item) => item.hasAttribute("aria-current"));
    // The same chord may stand twice in a loop: the one after the last is meant.
    const order = chords.map((_, n) => chords[(same + 1 + n) % chords.length]);
    const next = order.find((item) => item.textContent === data.chord);
    for (const item of chords) item.removeAttribute("aria-current");
    next?.setAttribute("aria-current", "true");
  }
  if (data.tempo) at("tempo").textContent = `${Math.round(data.tempo)} BPM`;
  show();
}

function tell() {
  if (!("mediaSession" in navigator)) return;
  const station = stations.find((each) => each.name === chosen);
  navigator.mediaSession.metadata = new MediaMetadata({ title: track.title ?? "", artist: station?.title ?? "Radio" });
}

// ---- Controls -------------------------------------------------------------------------------------------------

const label = (name) => name.replace(/_level$/, "").replace(/_/g, " ").replace(/^./, (letter) => letter.toUpperCase());

function build(controls) {
  const layers = Object.keys(controls).filter((name) => name.endsWith("_mute")).map((name) => name.slice(0, -5));
  const isLayer = (name) => layers.some((layer) => name === `${layer}_level` || name === `${layer}_mute`);
  const rest = Object.keys(controls).filter((name) => !MAIN.includes(name) && !isLayer(name));
  at("main-knobs").replaceChildren(...MAIN.filter((name) => name in controls).map((name) => knob(name, controls[name])));
  at("more-knobs").replaceChildren(...rest.map((name) => knob(name, controls[name])));
  at("layer-knobs").replaceChildren(...layers.map((layer) => strip(layer, controls)));
}

function knob(name, control) {
  const box = document.createElement("label");
  box.className = "knob";
  box.title = control.help;
  const words = document.createElement("span");
  words.textContent = label(name);
  const value = document.createElement("output");
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: control.low, max: control.high });
  input.step = control.kind === "int" || control.high - control.low > 20 ? 1 : 0.01;
  input.value = control.value;
  input.setAttribute("aria-description", control.help);
  const read = () => {
    value.textContent = `${Number(input.value)}${control.unit ? ` ${control.unit}` : ""}`;
    input.setAttribute("aria-valuetext", value.textContent);
  };
  read();
  input.addEventListener("input", read);
  input.addEventListener("change", async () => {
    if (await change(name, Number(input.value))) control.value = Number(input.value);
    else input.value = control.value;
    read();
  });
  box.append(words, value, input);
  return box;
}

function strip(layer, controls) {
  const box = document.createElement("div");
  box.className = "layer";
  const mute = document.createElement("button");
  mute.type = "button";
  mute.className = "mute";
  mute.textContent = label(layer);
  mute.setAttribute("aria-label", `Mute ${layer}`);
  mute.setAttribute("aria-pressed", String(controls[`${layer}_mute`].value));
  mute.addEventListener("click", async () => {
    const silent = mute.getAttribute("aria-pressed") !== "true";
    if (await change(`${layer}_mute`, silent)) mute.setAttribute("aria-pressed", String(silent));
  });
  const level = knob(`${layer}_level`, controls[`${layer}_level`]);
  level.querySelector("span").textContent = "Level";
  level.querySelector("input").setAttribute("aria-label", `Level of the ${layer}`);
  box.append(mute, level);
  return box;
}

async function change(name, value) {
  const headers = { "Content-Type": "application/json" };
  if (at("token").value) headers.Authorization = `Bearer ${at("token").value}`;
  try {
    const address = `/api/stations/${chosen}/controls`;
    const answer = await fetch(address, { method: "PATCH", headers, body: JSON.stringify({ [name]: value }) });
    const body = await answer.json();
    if (!answer.ok) {
      if (answer.status === 401) at("token-row").hidden = false;
      say(body.error.message, true);
      return false;
    }
    const wait = Math.max(0, (body.controls[name].frame - heard()) / 48000);
    say(`${label(name)}: heard ${wait < 1 ? "now" : `in ${Math.round(wait)} s`}.`);
    return true;
  } catch {
    say("The radio does not answer.", true);
    return false;
  }
}

function say(words, bad = false) {
  at("said").textContent = words;
  at("said").classList.toggle("bad", bad);
}

function trouble(words) {
  at("trouble").textContent = words;
}

// ---- The rest -------------------------------------------------------------------------------------------------

at("play").addEventListener("click", () => (wanted ? stop() : play()));
at("quick").addEventListener("change", () => wanted && play());
at("knobs").addEventListener("submit", (event) => event.preventDefault());
at("volume").addEventListener("input", () => {
  audio.volume = at("volume").value;
  localStorage.setItem("volume", audio.volume);
});
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.target.closest("input, button, summary")) return;
  event.preventDefault();
  if (wanted) stop();
  else play();
});
if ("mediaSession" in navigator) {
  navigator.mediaSession.setActionHandler("play", () => play());
  navigator.mediaSession.setActionHandler("pause", stop);
  navigator.mediaSession.setActionHandler("stop", stop);
}
at("volume").value = localStorage.getItem("volume") ?? 0.8;
audio.volume = at("volume").value;
setInterval(follow, 200);
setInterval(() => loadStations().then(() => trouble(""), () => trouble("The radio does not answer.")), 5000);
await loadStations();
const last = localStorage.getItem("station");
choose(stations.some((station) => station.name === last) ? last : stations[0].name);
show();
