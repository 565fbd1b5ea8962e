// CIELAB (D65) and sRGB, as in tfcolor/color/lab.py.

const white = [0.95047, 1, 1.08883];

export function toRgb(L, a, b) {
  const y = (L + 16) / 116;
  const [X, Y, Z] = [y + a / 500, y, y - b / 200].map((t, i) =>
    white[i] * (t > 6 / 29 ? t ** 3 : 3 * (6 / 29) ** 2 * (t - 4 / 29)));
  return [
    3.2404542 * X - 1.5371385 * Y - 0.4985314 * Z,
    -0.969266 * X + 1.8760108 * Y + 0.041556 * Z,
    0.0556434 * X - 0.2040259 * Y + 1.0572252 * Z,
  ].map((v) => (v <= 0.0031308 ? 12.92 * v : 1.055 * Math.max(v, 0) ** (1 / 2.4) - 0.055));
}

export const inGamut = (rgb) => rgb.every((v) => v > -0.002 && v < 1.002);

export const toHex = (rgb) =>
  "#" + rgb.map((v) => Math.round(Math.min(Math.max(v, 0), 1) * 255)
    .toString(16).padStart(2, "0")).join("");

export function toLab(hex) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const [x, y, z] = [
    0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    0.0193339 * r + 0.119192 * g + 0.9503041 * b,
  ].map((v, i) => v / white[i])
    .map((t) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29));
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
