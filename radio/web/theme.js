// Dark or light, before the first pixel is drawn: what was chosen here, else what the system says.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* a frame without storage follows the system */ }
