// Send three days of events to a timeline. Return its final numbers of tracks and bars, and its peak number of notes.
async () => {
  let source = new EventTarget();
  // @ts-expect-error A stand-in without a connection.
  window.EventSource = class extends EventTarget {
    constructor() { super(); source = this; }
    close() {}
  };
  const { Emitter } = await import("/web/events.js");
  const { SAMPLE_RATE, Timeline } = await import("/web/timeline.js");
  const audio = { currentTime: 0 };
  const player = Object.assign(new Emitter(), { state: "stopped", active: false, playing: false, burst: null, sid: null, station: null, audio });
  const timeline = new Timeline(player);
  timeline.follow("tone");
  /** @type {(kind: string, data: object) => void} */
  const send = (kind, data) => { source.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })); };
  send("now", { name: "tone", live: 0, recent: [] });
  const end = 3 * 86400; // seconds
  let mostNotes = 0;
  for (let second = 0; second < end; second++) {
    const frame = SAMPLE_RATE * second;
    if (second % 3 === 0) send("bar", { frame, number: second / 3 });
    if (second % 120 === 0) send("track", { frame, title: "A" });
    if (second > end - 9000) for (let n = 0; n < 20; n++) send("note", { frame, note: 60, velocity: 9 });
    mostNotes = Math.max(mostNotes, timeline.notes.length);
  }
  return [timeline.tracks.length, timeline.bars.length, mostNotes];
}
