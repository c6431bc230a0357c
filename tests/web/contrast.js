// Return the texts whose contrast with their background is too low: WCAG 2.2, success criterion 1.4.3.
() => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  if (!pixel) throw new Error("the canvas has no 2D context");
  /** @param {string[]} colors  From the bottom layer up. */
  const blend = (colors) => {
    pixel.clearRect(0, 0, 1, 1);
    for (const color of colors) {
      pixel.fillStyle = color;
      pixel.fillRect(0, 0, 1, 1);
    }
    return [...pixel.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  /** @param {number} value */
  const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  /** @param {number[]} color */
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const failures = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement, text = walker.currentNode.textContent?.trim();
    if (!node || !text || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (node.closest(".visually-hidden, .skip, option, [disabled], noscript, script")) continue;
    const backgrounds = [];
    for (let ancestor = /** @type {Element | null} */ (node); ancestor; ancestor = ancestor.parentElement) {
      backgrounds.unshift(getComputedStyle(ancestor).backgroundColor);
    }
    const { color, fontSize } = getComputedStyle(node);
    const [front, back] = [luminance(blend([...backgrounds, color])), luminance(blend(backgrounds))];
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const required = parseFloat(fontSize) >= 24 ? 3 : 4.5;
    if (ratio < required) failures.push(`${ratio.toFixed(2)}: ${node.tagName} ${text.slice(0, 30)}`);
  }
  return failures;
}
