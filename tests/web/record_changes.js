// Note in `turns` when the pitch that is heard turns, and when the title that is shown does.
() => {
  const context = new AudioContext(), ear = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaElementSource(sound).connect(ear).connect(context.destination);
  const bins = new Float32Array(ear.frequencyBinCount);
  const last = { heard: null, shown: null };
  window.turns = { heard: [], shown: [] };
  const note = (kind, now) => {
    if (last[kind] !== null && now !== last[kind]) turns[kind].push([now, performance.now()]);
    last[kind] = now;
  };
  setInterval(() => {
    ear.getFloatFrequencyData(bins);
    const loudest = Math.max(...bins);
    if (loudest > -60) note("heard", (bins.indexOf(loudest) * context.sampleRate) / ear.fftSize < 800 ? "400 Hz" : "1600 Hz");
    note("shown", document.getElementById("title").textContent);
  }, 10);
}
