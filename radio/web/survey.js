// The page of a survey: plays the pairs of a visit, asks the questions, and sends the answers.

import { byId, element, query, setText } from "./dom.js";

/** @typedef {"balance" | "quality" | "match"} Question */
/** @typedef {{ place: number, a: string, b: string, words: string | null }} Pair */
/** @typedef {{ listener: string, title: string, pairs: Pair[] }} Visit */

/** @type {Record<Question, string>} */
const QUESTIONS = {
  balance: "Which one is better balanced, so that no instrument is too loud or too soft?",
  quality: "Which one would you rather keep listening to?",
  match: "Which one matches the words better?",
};
/** @type {Record<string, string>} */
const CHOICES = { a: "A", same: "No difference", b: "B" };
/** Seconds of each passage to hear before an answer counts, or nine tenths of a shorter one. */
const LEAST = 3;

const form = byId("pair", HTMLFormElement);
const next = byId("next", HTMLButtonElement);
const sides = [byId("play-a", HTMLButtonElement), byId("play-b", HTMLButtonElement)].map((button) => {
  const audio = new Audio();
  audio.preload = "auto";
  return { button, audio, played: 0, last: 0 };
});

/** @type {Visit | undefined} */
let visit;
let place = 0;

/**
 * Send JSON and return the response. Throw Error with the server's message if it refuses, or if there is no response.
 *
 * @param {string} path
 * @param {object} [body]
 */
async function post(path, body) {
  const options = body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, { method: "POST", ...options }).catch(() => {
    throw new Error("The server does not respond. Try again.");
  });
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => null);
  throw new Error(problem?.error?.message ?? `the server answered ${response.status}`);
}

/** @param {unknown} [problem] */
function showError(problem) {
  const node = byId("error");
  node.hidden = problem === undefined;
  setText(node, problem instanceof Error ? problem.message : "");
}

/** @param {Question} name */
function question(name) {
  const choices = Object.entries(CHOICES).map(([value, words]) =>
    element("label", {}, element("input", { type: "radio", name, value, required: true }), element("span", {}, words)),
  );
  return element("fieldset", {}, element("legend", {}, QUESTIONS[name]), element("div", { className: "choices" }, ...choices));
}

/** Show the current pair, or the end. */
function show() {
  const pair = visit?.pairs[place];
  form.hidden = pair === undefined;
  byId("end").hidden = pair !== undefined;
  if (!visit || !pair) {
    byId("end").focus();
    return;
  }
  setText(byId("progress"), `Pair ${place + 1} of ${visit.pairs.length}`);
  const words = byId("words");
  words.hidden = pair.words === null;
  setText(words, pair.words ?? "");
  /** @type {Question[]} */
  const names = pair.words === null ? ["balance", "quality"] : ["balance", "quality", "match"];
  byId("questions").replaceChildren(...names.map(question));
  for (const [number, side] of sides.entries()) {
    side.audio.src = number === 0 ? pair.a : pair.b;
    side.played = side.last = 0;
    update(side);
  }
  check();
  sides[0].button.focus(); // the button that was pressed is now hidden or disabled
}

/** @param {(typeof sides)[number]} side */
function update(side) {
  const playing = !side.audio.paused;
  side.button.setAttribute("aria-pressed", String(playing));
  setText(query(side.button, ".state"), playing ? "Pause" : "Play");
  query(side.button, "progress", HTMLProgressElement).value = side.audio.currentTime / (side.audio.duration || 1);
}

/** @param {(typeof sides)[number]} side */
function count(side) {
  const step = side.audio.currentTime - side.last;
  if (step > 0 && step < 1) side.played += step;
  side.last = side.audio.currentTime;
  update(side);
  check();
}

/** Enable "Next" once both passages were heard and every question has an answer. */
function check() {
  const heard = sides.every(({ audio, played }) => played >= Math.min(LEAST, 0.9 * (audio.duration || LEAST)));
  const answered = form.checkValidity();
  next.disabled = !heard || !answered;
  setText(byId("hint"), heard ? (answered ? "" : "Answer every question.") : "Listen to A and B.");
}

for (const side of sides) {
  side.button.addEventListener("click", () => {
    if (!side.audio.paused) {
      side.audio.pause();
      return;
    }
    for (const other of sides) other.audio.pause();
    showError();
    side.audio.play().catch((problem) => {
      if (problem.name !== "AbortError") showError(problem); // paused before it began
    });
  });
  for (const event of ["play", "pause", "ended"]) side.audio.addEventListener(event, () => update(side));
  side.audio.addEventListener("timeupdate", () => count(side));
  side.audio.addEventListener("error", () => showError(new Error("A passage cannot be played. Load the page again.")));
}
form.addEventListener("change", check);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!visit) return;
  next.disabled = true;
  for (const { audio } of sides) audio.pause();
  try {
    await post("api/answers", { listener: visit.listener, place, ...Object.fromEntries(new FormData(form)) });
    showError();
    place += 1;
    show();
  } catch (problem) {
    showError(problem);
    next.disabled = false;
  }
});
const start = byId("start", HTMLButtonElement);
start.addEventListener("click", async () => {
  start.disabled = true; // a second click would begin another visit
  try {
    visit = /** @type {Visit} */ (await post("api/visits"));
    showError();
    byId("intro").hidden = true;
    document.title = visit.title;
    setText(byId("title"), visit.title);
    show();
  } catch (problem) {
    showError(problem);
    start.disabled = false;
  }
});
