// Apply the stored theme before the first paint. Without one, the page follows the system.
try {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* no storage */ }
