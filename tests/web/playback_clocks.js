// What a timeline takes for heard, in seconds, 30 s after a listener joined a radio that had played for `joined` seconds:
// of a player whose clock is the stream's own, and of one whose clock begins at 0.
async (joined) => {
  const RATE = 48000, BURST = Math.min(22, joined);
  const found = [];
  for (const own of [true, false]) {
    window.EventSource = class extends EventTarget {
      constructor() { super(); window.feed = this; }
      close() {}
    };
    const now = performance.now.bind(performance);
    let ahead = 0;
    performance.now = () => now() + 1000 * ahead;
    const { Timeline } = await import("/web/timeline.js");
    const audio = { currentTime: 0 };
    const player = Object.assign(new EventTarget(), { state: "playing", wanted: true, burst: null, sid: "a", audio });
    const timeline = new Timeline(player);
    timeline.tune("tone");
    const say = (kind, data) => feed.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
    say("now", { name: "tone", live: RATE * joined, recent: [] });
    say("stream", { first: RATE * (joined - BURST) });
    for (ahead = 0; ahead <= 30; ahead += 0.25) {
      audio.currentTime = (own ? joined - BURST : 0) + ahead;
      timeline.heard;
    }
    ahead = 30;
    audio.currentTime = (own ? joined - BURST : 0) + 30;
    found.push(timeline.heard / RATE);
    performance.now = now;
  }
  return found;
}
