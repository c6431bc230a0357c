// Return the positions in seconds that a timeline reports 30 s after a listener joins a radio that has played for
// `joined` seconds: for a player whose clock keeps the stream's timestamps, and for one whose clock starts at 0.
/** @param {number} joined */
async (joined) => {
  const { Emitter } = await import("/web/events.js");
  const { SAMPLE_RATE, Timeline } = await import("/web/timeline.js");
  const burst = Math.min(22, joined);
  const positions = [];
  for (const usesStreamTime of [true, false]) {
    let source = new EventTarget();
    // @ts-expect-error A stand-in without a connection.
    window.EventSource = class extends EventTarget {
      constructor() { super(); source = this; }
      close() {}
    };
    const now = performance.now.bind(performance);
    let elapsed = 0; // seconds
    performance.now = () => now() + 1000 * elapsed;
    const audio = { currentTime: 0 };
    const station = { name: "tone" };
    const player = Object.assign(new Emitter(), { state: "playing", active: true, playing: true, burst: null, sid: "a", station, audio });
    const timeline = new Timeline(player);
    timeline.follow("tone");
    /** @type {(kind: string, data: object) => void} */
    const send = (kind, data) => { source.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })); };
    send("now", { name: "tone", live: SAMPLE_RATE * joined, recent: [] });
    send("stream", { first: SAMPLE_RATE * (joined - burst) });
    const start = usesStreamTime ? joined - burst : 0;
    let position = null;
    for (elapsed = 0; elapsed <= 30; elapsed += 0.25) {
      audio.currentTime = start + elapsed;
      position = timeline.position;
    }
    positions.push((position ?? NaN) / SAMPLE_RATE);
    performance.now = now;
  }
  return positions;
}
