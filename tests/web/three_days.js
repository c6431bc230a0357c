// Let a timeline live through three days of events, and tell how many tracks, bars and (at most) notes it keeps.
async () => {
  window.EventSource = class extends EventTarget {
    constructor() { super(); window.feed = this; }
    close() {}
  };
  const { Timeline } = await import("/web/timeline.js");
  const timeline = new Timeline(Object.assign(new EventTarget(), { state: "stopped" }));
  timeline.tune("tone");
  const say = (kind, data) => feed.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) }));
  say("now", { name: "tone", live: 0, recent: [] });
  const end = 3 * 86400;
  let most = 0;
  for (let second = 0; second < end; second++) {
    const frame = 48000 * second;
    if (second % 3 === 0) say("bar", { frame, number: second / 3 });
    if (second % 120 === 0) say("track", { frame, title: "A" });
    if (second > end - 9000) for (let n = 0; n < 20; n++) say("note", { frame, note: 60, velocity: 9 });
    most = Math.max(most, timeline.note.length);
  }
  return [timeline.track.length, timeline.bar.length, most];
}
