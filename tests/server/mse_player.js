// A player of HLS as small as one can be: appends each new segment at its own time, and tells how they lie.
window.follow = async (address, kind, wanted) => {
  const media = new MediaSource();
  player.src = URL.createObjectURL(media);
  await new Promise((open) => media.addEventListener("sourceopen", open, { once: true }));
  const buffer = media.addSourceBuffer(kind);
  const append = async (name) => {
    const response = await fetch(new URL(name, address));
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    buffer.appendBuffer(await response.arrayBuffer());
    await new Promise((done, failed) => {
      buffer.addEventListener("updateend", done, { once: true });
      buffer.addEventListener("error", failed, { once: true });
    });
  };
  const known = new Map();
  let begun = null;
  while (known.size < wanted) {
    const list = await (await fetch(address)).text();
    if (begun === null) {
      begun = Date.parse(list.match(/#EXT-X-PROGRAM-DATE-TIME:(.*)/)[1]) / 1000;
      buffer.timestampOffset = -begun;
      await append(list.match(/#EXT-X-MAP:URI="(.*)"/)[1]);
    }
    for (const [, seconds, name] of list.matchAll(/#EXTINF:(.*),\n(.*)/g)) {
      if (known.has(name) || known.size === wanted) continue;
      known.set(name, Number(seconds));
      await append(name);
    }
    await new Promise((later) => setTimeout(later, 500));
  }
  const buffered = [...Array(buffer.buffered.length).keys()].map((n) => [buffer.buffered.start(n), buffer.buffered.end(n)]);
  player.currentTime = buffered[0][0];
  await player.play();
  return { segments: known.size, seconds: [...known.values()].reduce((sum, each) => sum + each), buffered };
};
