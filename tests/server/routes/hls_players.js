// Start one of the usual HLS players on the audio element `player`. Errors that stop a player are in `window.faults`.
window.faults = [];

// video.js wraps the element in a box and gives the box the element's id.
window.media = () => document.querySelector("audio");

window.startPlayer = {
  hls(address) {
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && faults.push(`${data.type}: ${data.details}`));
    hls.loadSource(address);
    hls.attachMedia(player);
  },
  async shaka(address) {
    const instance = new shaka.Player();
    await instance.attach(player);
    instance.addEventListener("error", (event) => faults.push(`shaka ${event.detail.code}`));
    await instance.load(address).catch((error) => faults.push(`shaka ${error.code}`));
  },
  video(address) {
    const instance = videojs(player, { html5: { vhs: { overrideNative: true } } });
    instance.on("error", () => faults.push(`video.js ${instance.error().code}: ${instance.error().message}`));
    instance.src({ src: address, type: "application/vnd.apple.mpegurl" });
  },
};
