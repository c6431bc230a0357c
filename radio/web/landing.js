// The time until a change is heard.

import { SAMPLE_RATE } from "./timeline.js";

/** @import { Frame } from "./api.js" */
/** @import { Player } from "./player.js" */
/** @import { Timeline } from "./timeline.js" */

const SOON = 1.5; // seconds

/**
 * Return when a change is heard, in words.
 *
 * @param {Frame | null} frame  When it takes effect; null if it waits for the music.
 * @param {Timeline} timeline
 * @param {Player} player
 */
export function delayOf(frame, timeline, player) {
  if (frame === null) return "takes effect when the music resumes";
  const now = player.playing ? timeline.position : timeline.liveEdge;
  if (!player.active || now === null) return "changed";
  const wait = (frame - now) / SAMPLE_RATE;
  if (wait < SOON) return "takes effect now";
  return `takes effect in ${wait < 90 ? `${Math.round(wait)} s` : `${Math.round(wait / 60)} min`}`;
}
