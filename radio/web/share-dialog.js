// Listening elsewhere: the addresses of a station, and a frame for other pages.

import { address } from "./api.js";
import { at, element } from "./dom.js";

const NAMES = { opus: "Opus, best sound", aac: "AAC", mp3: "MP3, plays everywhere", m3u: "Playlist", pls: "Playlist", hls: "HLS, for weak networks" };

/** Let the share button show where this station can be heard. */
export function share(stationOf) {
  at("share-open").addEventListener("click", () => {
    const station = stationOf();
    if (!station) return;
    const links = Object.entries(station.streams).map(([name, path]) => element("li", {},
      element("a", { href: address(path), textContent: address(path) }), element("span", { textContent: NAMES[name] ?? name })));
    at("addresses").replaceChildren(...links);
    const source = address(`/embed/${station.name}`);
    at("embed-code").value = `<iframe src="${source}" title="${station.title.replaceAll('"', "&quot;")}" width="420" height="132" style="border:0;border-radius:18px" allow="autoplay"></iframe>`;
    at("share").showModal();
  });
  at("copy").addEventListener("click", async (event) => {
    event.preventDefault();
    at("embed-code").select();
    try {
      await navigator.clipboard.writeText(at("embed-code").value);
    } catch {
      document.execCommand("copy"); // browsers give a page without HTTPS no clipboard
    }
    at("copy").textContent = "Copied";
    setTimeout(() => { at("copy").textContent = "Copy the code"; }, 2000);
  });
}
