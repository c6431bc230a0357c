// Tracks made to order: submission, progress and the resulting files.

import { ApiError, messageOf, request, urlOf } from "./api.js";
import { authorizedRequest } from "./authorization.js";
import { byId, element, query, setStatus, setText } from "./dom.js";
import { readTabValue, saveTabValue } from "./preferences.js";
import { buildForm, formatLength, readForm } from "./track-form.js";

/** @import { TrackFile, TrackJob, TrackOptions } from "./api.js" */
/** @import { StationList } from "./station-list.js" */

const POLL_INTERVAL = 1000; // milliseconds
const UNFINISHED = ["waiting", "running"];

/** @param {number} bytes */
const formatSize = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** The form for orders, and the list of jobs. */
export class TrackOrders {
  #stationList;
  #hasForm = false;
  /** @type {Map<string, TrackJob | null>} */
  #jobs = new Map(); // by id; null until fetched
  #pollTimer = 0;

  /**
   * @param {StationList} stationList
   * @param {() => string | undefined} currentStation  Return the name of the selected station.
   */
  constructor(stationList, currentStation) {
    this.#stationList = stationList;
    const panel = byId("make", HTMLDetailsElement);
    panel.addEventListener("toggle", () => panel.open && this.#openForm(currentStation()));
    byId("order-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    const ids = /** @type {string[]} */ (JSON.parse(readTabValue("orders") ?? "[]"));
    for (const id of ids) this.#jobs.set(id, null);
    if (ids.length) this.#poll();
  }

  /** @param {string | undefined} station */
  async #openForm(station) {
    if (this.#hasForm) return;
    try {
      const options = /** @type {TrackOptions} */ (await request("/api/tracks"));
      buildForm(options, station, (name) => this.#titleOf(name));
      this.#hasForm = true;
    } catch (error) {
      this.#showError(error);
    }
  }

  async #submit() {
    const order = readForm();
    if (!order.formats.length) return this.#showError("Choose at least one format.");
    try {
      const job = /** @type {TrackJob | null} */ (await authorizedRequest("/api/tracks", { method: "POST", body: order }));
      if (!job) return;
      const unknown = job.not_understood.map((phrase) => `“${phrase}”`).join(", ");
      setStatus(byId("order-status"), unknown && `Not understood: ${unknown}.`);
      this.#jobs.set(job.id, job);
      this.#poll();
    } catch (error) {
      this.#showError(error);
    }
  }

  async #poll() {
    clearTimeout(this.#pollTimer);
    for (const [id, job] of this.#jobs) {
      if (job && !UNFINISHED.includes(job.state)) continue;
      try {
        const latest = /** @type {TrackJob} */ (await request(`/api/tracks/${id}`));
        if (this.#jobs.has(id)) this.#jobs.set(id, latest); // else it was removed in the meantime
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) this.#jobs.delete(id); // expired; else try again
      }
    }
    this.#show();
    const unfinished = [...this.#jobs.values()].some((job) => !job || UNFINISHED.includes(job.state));
    if (unfinished) this.#pollTimer = setTimeout(() => this.#poll(), POLL_INTERVAL);
  }

  #show() {
    saveTabValue("orders", JSON.stringify([...this.#jobs.keys()]));
    const list = byId("orders");
    const items = /** @type {HTMLElement[]} */ ([...list.children]);
    const outdated = new Map(items.map((item) => [item.dataset.id, item]));
    for (const job of this.#jobs.values()) {
      if (!job) continue;
      const item = outdated.get(job.id) ?? list.insertBefore(this.#createItem(job), list.firstChild);
      updateItem(item, job);
      outdated.delete(job.id);
    }
    for (const item of outdated.values()) item.remove();
  }

  /** @param {TrackJob} job */
  #createItem({ id, station, instrument, tracks, seconds, seeds }) {
    const description = `${this.#titleOf(station)}, ${instrument}, ${describeLength(tracks, seconds)}`;
    const seedText = seeds.length > 1 ? `seeds ${seeds[0]} to ${seeds.at(-1)}` : `seed ${seeds[0]}`;
    const button = element("button", { type: "button", className: "secondary", textContent: "Cancel" });
    button.addEventListener("click", () => this.#remove(id));
    const item = element("li", {},
      element("p", {}, element("strong", { textContent: description }), element("span", { textContent: seedText })),
      element("p", { className: "order-state" }),
      button,
      element("progress", { max: 1, value: 0, "aria-label": `Progress of ${description}` }),
      element("ul", { className: "files" }));
    item.dataset.id = id;
    return item;
  }

  /** @param {string} id */
  async #remove(id) {
    try {
      if ((await authorizedRequest(`/api/tracks/${id}`, { method: "DELETE" })) === null) return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) return this.#showError(error);
    }
    this.#jobs.delete(id);
    this.#show();
  }

  /** @param {string} name */
  #titleOf(name) { return this.#stationList.get(name)?.title ?? name; }

  /** @param {unknown} error */
  #showError(error) { setStatus(byId("order-status"), messageOf(error), true); }
}

/**
 * @param {HTMLElement} item
 * @param {TrackJob} job
 */
function updateItem(item, job) {
  const bar = query(item, "progress", HTMLProgressElement);
  bar.hidden = !UNFINISHED.includes(job.state);
  bar.value = job.progress;
  setText(query(item, ".order-state"), describeState(job));
  setText(query(item, "button"), UNFINISHED.includes(job.state) ? "Cancel" : "Remove");
  const files = query(item, ".files");
  if (files.children.length !== job.files.length) files.replaceChildren(...job.files.map(createFile));
}

/**
 * @param {number | null} tracks
 * @param {number | null} seconds
 */
function describeLength(tracks, seconds) {
  if (seconds !== null) return formatLength(seconds);
  return tracks === 1 ? "whole track" : `${tracks} whole tracks`;
}

/** @param {TrackJob} job */
function describeState({ state, place, progress, fault }) {
  switch (state) {
    case "waiting": return place ? `Queued, ${place} ahead` : "Queued";
    case "running": return `${Math.round(100 * progress)} %`;
    case "failed": return `Failed: ${fault}`;
    case "cancelled": return "Canceled";
    default: return "";
  }
}

/** @param {TrackFile} file */
function createFile({ name, url, bytes }) {
  const link = element("a", { href: urlOf(url), download: name }, name, element("small", { textContent: formatSize(bytes) }));
  if (name.endsWith(".mid")) return element("li", {}, link);
  const player = element("audio", { src: urlOf(url), controls: true, preload: "none", "aria-label": `Play ${name}` });
  return element("li", {}, link, player);
}
