// Record in `changes` when the pitch of the player changes, and when the title on the page does.
() => {
  const context = new AudioContext(), analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaElementSource(window.playerAudio).connect(analyser).connect(context.destination);
  const bins = new Float32Array(analyser.frequencyBinCount);
  /** @type {Record<"audio" | "page", string | null>} */
  const last = { audio: null, page: null };
  window.changes = { audio: [], page: [] };
  /** @type {(kind: "audio" | "page", title: string | null) => void} */
  const record = (kind, title) => {
    if (last[kind] !== null && title !== last[kind]) window.changes[kind].push([title, performance.now()]);
    last[kind] = title;
  };
  setInterval(() => {
    analyser.getFloatFrequencyData(bins);
    const loudest = Math.max(...bins);
    const frequency = (bins.indexOf(loudest) * context.sampleRate) / analyser.fftSize;
    if (loudest > -60) record("audio", frequency < 800 ? "400 Hz" : "1600 Hz");
    record("page", document.getElementById("title")?.textContent ?? null);
  }, 10);
}
