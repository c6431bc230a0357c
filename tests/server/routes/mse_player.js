// A minimal HLS player on Media Source Extensions: it appends each new segment at its own time, and returns the buffered
// ranges.
window.follow = async (address, kind, count) => {
  const media = new MediaSource();
  player.src = URL.createObjectURL(media);
  await new Promise((resolve) => media.addEventListener("sourceopen", resolve, { once: true }));
  const buffer = media.addSourceBuffer(kind);
  const append = async (name) => {
    const response = await fetch(new URL(name, address));
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    buffer.appendBuffer(await response.arrayBuffer());
    await new Promise((resolve, reject) => {
      buffer.addEventListener("updateend", resolve, { once: true });
      buffer.addEventListener("error", reject, { once: true });
    });
  };
  const segments = new Map();
  let start = null;
  while (segments.size < count) {
    const list = await (await fetch(address)).text();
    if (start === null) {
      start = Date.parse(list.match(/#EXT-X-PROGRAM-DATE-TIME:(.*)/)[1]) / 1000;
      buffer.timestampOffset = -start;
      await append(list.match(/#EXT-X-MAP:URI="(.*)"/)[1]);
    }
    for (const [, seconds, name] of list.matchAll(/#EXTINF:(.*),\n(.*)/g)) {
      if (segments.has(name) || segments.size === count) continue;
      segments.set(name, Number(seconds));
      await append(name);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const buffered = [...Array(buffer.buffered.length).keys()].map((n) => [buffer.buffered.start(n), buffer.buffered.end(n)]);
  player.currentTime = buffered[0][0];
  await player.play();
  return { segments: segments.size, seconds: [...segments.values()].reduce((sum, seconds) => sum + seconds), buffered };
};
