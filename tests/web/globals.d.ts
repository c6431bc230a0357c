// Globals that the tests add to the page: see conftest.py and record_changes.js.
interface Window {
  playerAudio: HTMLAudioElement;
  changes: Record<"audio" | "page", [title: string | null, time: number][]>;
}
