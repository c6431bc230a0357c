// The piano roll: notes as they are played, in time with what is heard. What waits in the listener's own buffer is
// known already, and comes in from the right.

const RATE = 48000;
const LOW = 30, HIGH = 82; // MIDI notes at the lower and the upper edge
const HELD = 3 * RATE; // length of a note whose end is not known
const FRAME = 1000 / 24; // milliseconds between two pictures: smooth, and little work for a whole evening
const KICKS = new Set([35, 36]), SNARES = new Set([37, 38, 39, 40]);
const LANE = 11; // CSS pixels of each of the three rows of drums
const TOP = 30; // and of the row of chords

const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Draws on a canvas while it is seen, and only then. */
export class Roll {
  #canvas;
  #context;
  #timeline;
  #request = 0;
  #drawn = 0;
  #seen = true;
  #head = 0.34; // where the present is, as a share of the width
  #colours = {};
  #font = "";

  constructor(canvas, timeline) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#timeline = timeline;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    new IntersectionObserver(([entry]) => { this.#seen = entry.isIntersecting; this.#run(); }).observe(canvas);
    document.addEventListener("visibilitychange", () => this.#run());
    this.recolour();
    this.#run();
  }

  /** Take the colours of the page anew. */
  recolour() {
    const style = getComputedStyle(this.#canvas); // a live view: a variable is only resolved where it is used
    for (const name of ["keys", "bass", "drums", "line", "faint", "text"]) {
      this.#canvas.style.color = `var(--roll-${name})`;
      this.#colours[name] = style.color;
    }
    this.#font = `500 12px ${style.fontFamily}`;
  }

  #resize() {
    const scale = Math.min(2, devicePixelRatio);
    this.#canvas.width = Math.round(this.#canvas.clientWidth * scale);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.recolour();
    this.#drawn = 0;
  }

  #run() {
    cancelAnimationFrame(this.#request);
    if (!document.hidden && this.#seen) this.#request = requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    this.#request = requestAnimationFrame((later) => this.#tick(later));
    if (now - this.#drawn < (calm.matches ? 500 : FRAME - 8)) return;
    this.#drawn = now;
    this.#draw();
  }

  #draw() {
    const context = this.#context, width = this.#canvas.clientWidth, height = this.#canvas.clientHeight;
    context.clearRect(0, 0, width, height);
    const heard = this.#timeline.heard;
    if (heard === null) return;
    const scale = Math.min(72, Math.max(40, width / 14)) / RATE; // pixels a frame
    const from = this.#origin(heard, width, scale);
    const x = (frame) => (frame - from) * scale;
    const until = from + width / scale;
    this.#bars(x, from, until, heard, height);
    this.#notes(x, from, until, heard, height, width);
    context.fillStyle = this.#colours.line;
    context.fillRect(x(heard), TOP - 6, 1.5, height - TOP);
  }

  // The frame at the left edge. With little in store the present moves to the right, as there is no future to show.
  #origin(heard, width, scale) {
    if (calm.matches) { // nothing scrolls: a page of music is turned when it has been played
      const bar = this.#timeline.bar.findLast(({ frame, number }) => frame <= heard && number % 4 === 0);
      if (bar && (heard - bar.frame) * scale < width) return bar.frame - 20 / scale;
    }
    const aim = (this.#timeline.live - heard) * scale > 0.3 * width ? 0.34 : 0.86;
    this.#head += (aim - this.#head) * (this.#drawn ? 0.05 : 1);
    return heard - (this.#head * width) / scale;
  }

  #bars(x, from, until, heard, height) {
    const context = this.#context, bars = this.#timeline.bar;
    context.font = this.#font;
    context.textBaseline = "top";
    for (let n = 0; n < bars.length; n++) {
      const bar = bars[n];
      if (bar.frame > until || (bars[n + 1]?.frame ?? Infinity) < from) continue;
      context.fillStyle = this.#colours.faint;
      context.fillRect(Math.round(x(bar.frame)), TOP - 4, 1, height - TOP - 4);
      const sounds = bar.frame <= heard && heard < (bars[n + 1]?.frame ?? Infinity);
      context.fillStyle = this.#colours.text;
      context.globalAlpha = sounds ? 1 : 0.45;
      context.fillText(bar.chord ?? "", x(bar.frame) + 7, 8);
      context.globalAlpha = 1;
    }
  }

  #notes(x, from, until, heard, height, width) {
    const context = this.#context, notes = this.#timeline.note;
    const floor = height - 3 * LANE - 12, unit = (floor - TOP - 6) / (HIGH - LOW);
    const ends = new Map(); // where a key's strike ends: its release or its next strike, going backwards
    for (let n = notes.length - 1; n >= 0; n--) {
      const { frame, layer, note, velocity } = notes[n];
      const key = layer + note;
      const end = Math.min(ends.get(key) ?? Infinity, frame + HELD);
      ends.set(key, frame);
      if (!velocity || frame > until || end < from) continue;
      const strength = velocity / 127;
      context.fillStyle = this.#colours[layer] ?? this.#colours.keys;
      if (layer === "drums") {
        const row = KICKS.has(note) ? 2 : SNARES.has(note) ? 1 : 0;
        const age = (heard - frame) / RATE;
        context.globalAlpha = age < 0 ? 0.3 : Math.max(0.22, 1 - 1.6 * age);
        const radius = 1.4 + 2.6 * strength + (age >= 0 ? Math.max(0, 2 - 9 * age) : 0);
        context.beginPath();
        context.arc(x(frame), height - 12 - (2 - row) * LANE, radius, 0, 7);
        context.fill();
        continue;
      }
      const left = x(frame), wide = Math.max(4, x(end) - left - 2);
      const y = floor - (Math.min(HIGH, Math.max(LOW, note)) - LOW) * unit;
      const thick = layer === "bass" ? 5 : 6;
      const sounds = frame <= heard && heard < end;
      if (sounds) {
        context.globalAlpha = 0.22 * Math.max(0, 1 - (heard - frame) / RATE);
        this.#pill(left - 4, y - 4, wide + 8, thick + 8);
      }
      context.globalAlpha = (sounds ? 1 : frame > heard ? 0.34 : Math.max(0.16, 0.6 - (0.5 * (heard - end)) / (4 * RATE))) * (0.55 + 0.45 * strength);
      this.#pill(left, y, wide, thick);
    }
    context.globalAlpha = 1;
    if (!notes.length && width) this.#waiting(height, width);
  }

  #pill(left, top, width, height) {
    this.#context.beginPath();
    this.#context.roundRect(left, top, width, height, height / 2);
    this.#context.fill();
  }

  #waiting(height, width) {
    this.#context.fillStyle = this.#colours.faint;
    this.#context.fillRect(0, height / 2, width, 1);
  }
}
