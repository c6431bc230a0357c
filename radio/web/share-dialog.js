// The dialog with the stream URLs of a station and the code that embeds its player in another page.

import { urlOf } from "./api.js";
import { byId, element } from "./dom.js";

/** @import { Station } from "./api.js" */

/** @type {Record<string, string>} */
const FORMATS = {
  opus: "Opus (best quality)",
  aac: "AAC",
  mp3: "MP3 (widest support)",
  hls: "HLS (for unstable networks)",
};

/**
 * Make the share button open the dialog.
 *
 * @param {() => Station | null} currentStation
 */
export function setUpShareDialog(currentStation) {
  const code = byId("embed-code", HTMLTextAreaElement);
  const copy = byId("copy");
  byId("share-open").addEventListener("click", () => {
    const station = currentStation();
    if (!station) return;
    byId("stream-urls").replaceChildren(...Object.entries(station.streams).map(([format, path]) => element("li", {},
      element("span", { textContent: FORMATS[format] ?? format }),
      element("a", { href: urlOf(path), textContent: urlOf(path) }))));
    code.value = embedCode(station);
    byId("share", HTMLDialogElement).showModal();
  });
  copy.addEventListener("click", async (event) => {
    event.preventDefault();
    code.select();
    try {
      await navigator.clipboard.writeText(code.value);
    } catch {
      document.execCommand("copy"); // the clipboard API requires HTTPS
    }
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy embed code"; }, 2000);
  });
}

/** @param {Station} station */
function embedCode({ name, title }) {
  const attributes = `title="${title.replaceAll("&", "&amp;").replaceAll('"', "&quot;")}" width="420" height="132" style="border:0;border-radius:18px"`;
  return `<iframe src="${urlOf(`/embed/${name}`)}" ${attributes} allow="autoplay"></iframe>`;
}
