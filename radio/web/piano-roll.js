// A scrolling piano roll, in time with playback. Notes that are buffered but not heard yet come in from the right.

import { SAMPLE_RATE } from "./timeline.js";

/** @import { Frame, Note } from "./api.js" */
/** @import { Timeline } from "./timeline.js" */

/**
 * The visible part of the timeline.
 *
 * @typedef {object} View
 * @property {number} width  CSS pixels.
 * @property {number} height
 * @property {number} scale  Pixels per frame.
 * @property {Frame} from  The frame at the left edge.
 * @property {Frame} until
 * @property {Frame} position  The frame that is heard now.
 * @property {(frame: Frame) => number} x
 */

const LOWEST = 30, HIGHEST = 88; // MIDI note numbers at the lower and upper edge
const MAX_LENGTH = 3 * SAMPLE_RATE; // of a note whose end is unknown
const FRAME_INTERVAL = 1000 / 24; // milliseconds; a low frame rate saves power
const REDUCED_INTERVAL = 500; // milliseconds, for listeners who prefer reduced motion
const KICKS = new Set([35, 36]), SNARES = new Set([37, 38, 39, 40]); // General MIDI
const DRUM_ROW = 11; // CSS pixels
const CHORD_ROW = 30;
const COLORS = /** @type {const} */ (["keys", "bass", "drums", "lead", "playhead", "grid", "text"]);

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** Draws a timeline on a canvas while the canvas is visible. */
export class PianoRoll {
  #canvas;
  #context;
  #timeline;
  #request = 0;
  #lastDrawn = 0;
  #visible = true;
  #playhead = 0.34; // as a share of the width
  /** @type {Record<string, string>} */
  #colors = {};
  #font = "";

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {Timeline} timeline
   */
  constructor(canvas, timeline) {
    const context = canvas.getContext("2d");
    if (!context) throw new Error("the canvas has no 2D context");
    this.#canvas = canvas;
    this.#context = context;
    this.#timeline = timeline;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    new IntersectionObserver((entries) => {
      this.#visible = entries.some((entry) => entry.isIntersecting);
      this.#schedule();
    }).observe(canvas);
    document.addEventListener("visibilitychange", () => this.#schedule());
    this.updateColors();
    this.#schedule();
  }

  /** Read the colors from the style sheet again. */
  updateColors() {
    const style = getComputedStyle(this.#canvas); // live; resolves variables only in properties
    for (const name of COLORS) {
      this.#canvas.style.color = `var(--roll-${name})`;
      this.#colors[name] = style.color;
    }
    this.#font = `500 12px ${style.fontFamily}`;
  }

  #resize() {
    const scale = Math.min(2, devicePixelRatio);
    this.#canvas.width = Math.round(this.#canvas.clientWidth * scale);
    this.#canvas.height = Math.round(this.#canvas.clientHeight * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.updateColors();
    this.#lastDrawn = 0;
  }

  #schedule() {
    cancelAnimationFrame(this.#request);
    if (!document.hidden && this.#visible) this.#request = requestAnimationFrame((now) => this.#onFrame(now));
  }

  /** @param {number} now  Milliseconds. */
  #onFrame(now) {
    this.#request = requestAnimationFrame((later) => this.#onFrame(later));
    const interval = reducedMotion.matches ? REDUCED_INTERVAL : FRAME_INTERVAL - 8;
    if (now - this.#lastDrawn < interval) return;
    this.#lastDrawn = now;
    this.#draw();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    this.#context.clearRect(0, 0, width, height);
    const { position, liveEdge } = this.#timeline;
    if (position === null || liveEdge === null) return;
    const scale = Math.min(72, Math.max(40, width / 14)) / SAMPLE_RATE;
    const from = this.#leftEdge(position, liveEdge, width, scale);
    /** @type {View} */
    const view = { width, height, scale, from, until: from + width / scale, position, x: (frame) => (frame - from) * scale };
    this.#drawBars(view);
    this.#drawNotes(view);
    this.#context.fillStyle = this.#colors.playhead;
    this.#context.fillRect(view.x(position), CHORD_ROW - 6, 1.5, height - CHORD_ROW);
  }

  /**
   * Return the frame at the left edge. The playhead moves to the right if little of the future is buffered. With reduced
   * motion, four bars at a time are shown without scrolling.
   *
   * @param {Frame} position
   * @param {Frame} liveEdge
   * @param {number} width
   * @param {number} scale
   */
  #leftEdge(position, liveEdge, width, scale) {
    if (reducedMotion.matches) {
      const bar = this.#timeline.bars.findLast(({ frame, number }) => frame <= position && number % 4 === 0);
      if (bar && (position - bar.frame) * scale < width) return bar.frame - 20 / scale;
    }
    const target = (liveEdge - position) * scale > 0.3 * width ? 0.34 : 0.86;
    this.#playhead += 0.05 * (target - this.#playhead);
    return position - (this.#playhead * width) / scale;
  }

  /** @param {View} view */
  #drawBars({ x, from, until, position, height }) {
    const context = this.#context, { bars } = this.#timeline;
    context.font = this.#font;
    context.textBaseline = "top";
    bars.forEach((bar, index) => {
      const end = bars[index + 1]?.frame ?? Infinity;
      if (bar.frame > until || end < from) return;
      context.fillStyle = this.#colors.grid;
      context.fillRect(Math.round(x(bar.frame)), CHORD_ROW - 4, 1, height - CHORD_ROW - 4);
      context.fillStyle = this.#colors.text;
      context.globalAlpha = bar.frame <= position && position < end ? 1 : 0.45;
      context.fillText(bar.chord ?? "", x(bar.frame) + 7, 8);
      context.globalAlpha = 1;
    });
  }

  /** @param {View} view */
  #drawNotes(view) {
    const { notes } = this.#timeline;
    const ends = new Map(); // the end of each key's next note, going backwards: its release, or the next strike
    for (let index = notes.length - 1; index >= 0; index--) {
      const event = notes[index], { frame, layer, note, velocity } = event;
      const key = layer + note;
      const end = Math.min(ends.get(key) ?? Infinity, frame + MAX_LENGTH);
      ends.set(key, frame);
      if (!velocity || frame > view.until || end < view.from) continue;
      this.#context.fillStyle = this.#colors[layer] ?? this.#colors.keys;
      if (layer === "drums") this.#drawHit(event, view);
      else this.#drawNote(event, end, view);
    }
    this.#context.globalAlpha = 1;
    if (!notes.length && view.width) this.#drawEmptyLine(view);
  }

  /**
   * @param {Note} event
   * @param {View} view
   */
  #drawHit({ frame, note, velocity }, { x, height, position }) {
    const context = this.#context;
    const row = KICKS.has(note) ? 0 : SNARES.has(note) ? 1 : 2;
    const age = (position - frame) / SAMPLE_RATE; // seconds
    const radius = 1.4 + (2.6 * velocity) / 127 + (age >= 0 ? Math.max(0, 2 - 9 * age) : 0);
    context.globalAlpha = age < 0 ? 0.3 : Math.max(0.22, 1 - 1.6 * age);
    context.beginPath();
    context.arc(x(frame), height - 12 - row * DRUM_ROW, radius, 0, 7);
    context.fill();
  }

  /**
   * @param {Note} event
   * @param {Frame} end
   * @param {View} view
   */
  #drawNote({ frame, layer, note, velocity }, end, { x, height, position }) {
    const context = this.#context;
    const bottom = height - 3 * DRUM_ROW - 12, pixelsPerNote = (bottom - CHORD_ROW - 6) / (HIGHEST - LOWEST);
    const left = x(frame), width = Math.max(4, x(end) - left - 2);
    const top = bottom - (Math.min(HIGHEST, Math.max(LOWEST, note)) - LOWEST) * pixelsPerNote;
    const thickness = layer === "bass" ? 5 : 6;
    let alpha = 0.34; // not heard yet
    if (frame <= position && position < end) {
      context.globalAlpha = 0.22 * Math.max(0, 1 - (position - frame) / SAMPLE_RATE);
      this.#fillPill(left - 4, top - 4, width + 8, thickness + 8);
      alpha = 1;
    } else if (frame <= position) {
      alpha = Math.max(0.16, 0.6 - (0.5 * (position - end)) / (4 * SAMPLE_RATE));
    }
    context.globalAlpha = alpha * (0.55 + (0.45 * velocity) / 127);
    this.#fillPill(left, top, width, thickness);
  }

  /**
   * @param {number} left
   * @param {number} top
   * @param {number} width
   * @param {number} height
   */
  #fillPill(left, top, width, height) {
    this.#context.beginPath();
    this.#context.roundRect(left, top, width, height, height / 2);
    this.#context.fill();
  }

  /** @param {View} view */
  #drawEmptyLine({ width, height }) {
    this.#context.fillStyle = this.#colors.grid;
    this.#context.fillRect(0, height / 2, width, 1);
  }
}
