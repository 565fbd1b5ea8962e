// The color of a hint: what the model finds likely, all colors that sRGB has
// at the place's lightness, or a number.

import { inGamut, toHex, toLab, toRgb } from "./lab.js";
import { text } from "./texts.js";

const $ = (id) => document.getElementById(id);
// Where sRGB lies in a and b, and some of its steps.
const REACH = 110;
const STEP = 2;

export class Picker {
  constructor(onColor) {
    this.onColor = onColor;
    this.lightness = 50;
    this.canvas = $("gamut");
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.at(event, false);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (this.canvas.hasPointerCapture(event.pointerId)) this.at(event, false);
    });
    this.canvas.addEventListener("pointerup", (event) => this.at(event, true));
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    $("hex").addEventListener("change", () => {
      const hex = $("hex").value.trim().toLowerCase();
      if (/^#[0-9a-f]{6}$/.test(hex)) this.onColor(hex, true);
      else $("hex").value = this.color;
    });
  }

  show(color) {
    this.color = color;
    $("hex").value = color;
    this.canvas.setAttribute("aria-valuetext", color);
    this.canvas.setAttribute("aria-valuenow", Math.round(toLab(color)[1]));
    for (const swatch of $("swatches").children)
      swatch.setAttribute("aria-pressed", String(swatch.dataset.color === color));
    this.draw();
  }

  // In another language.
  repeat() {
    if (this.offered) this.offer(this.offered);
  }

  offer(found) {
    const { lightness, colors } = found;
    this.offered = found;
    this.lightness = lightness;
    $("swatches").replaceChildren(...colors.map(({ color, probability }) => {
      const button = document.createElement("button");
      button.dataset.color = color;
      button.style.background = color;
      const said = text("chance", { color, percent: (100 * probability).toFixed(0) });
      button.title = said;
      button.setAttribute("aria-label", said);
      button.addEventListener("click", () => this.onColor(color, true));
      return button;
    }));
    if (!colors.length) $("swatches").textContent = text("likelyNone");
    if (this.color) this.show(this.color);
  }

  // A square of a and b around all colors of the lightness.
  frame() {
    const found = [];
    for (let a = -REACH; a <= REACH; a += STEP)
      for (let b = -REACH; b <= REACH; b += STEP)
        if (inGamut(toRgb(this.lightness, a, b))) found.push([a, b]);
    const [as, bs] = [0, 1].map((i) => [0, ...found.map((ab) => ab[i])]);
    const ends = [as, bs].map((all) => [Math.min(...all), Math.max(...all)]);
    const reach = Math.max(20, ...ends.map(([low, high]) => (high - low) / 2)) * 1.1;
    return { reach, middle: ends.map(([low, high]) => (low + high) / 2) };
  }

  draw() {
    const { width, height } = this.canvas;
    const paper = this.canvas.getContext("2d");
    if (this.drawn !== this.lightness) {
      this.shown = this.frame();
      const area = paper.createImageData(width, height);
      for (let row = 0, i = 0; row < height; row++)
        for (let column = 0; column < width; column++, i += 4) {
          const rgb = toRgb(this.lightness, this.a(column), this.b(row));
          if (!inGamut(rgb)) continue;
          for (let c = 0; c < 3; c++) area.data[i + c] = rgb[c] * 255;
          area.data[i + 3] = 255;
        }
      this.area = area;
      this.drawn = this.lightness;
    }
    paper.putImageData(this.area, 0, 0);
    const [a, b] = this.within(...toLab(this.color).slice(1));
    const { reach, middle } = this.shown;
    const x = ((a - middle[0]) / reach + 1) * width / 2;
    const y = (1 - (b - middle[1]) / reach) * height / 2;
    for (const [line, style] of [[4, "#000"], [2, "#fff"]]) {
      paper.beginPath();
      paper.arc(x, y, 6, 0, 7);
      paper.lineWidth = line;
      paper.strokeStyle = style;
      paper.stroke();
    }
  }

  a(column) { return (column / this.canvas.width * 2 - 1) * this.shown.reach + this.shown.middle[0]; }
  b(row) { return (1 - row / this.canvas.height * 2) * this.shown.reach + this.shown.middle[1]; }

  at(event, done) {
    const edge = this.canvas.getBoundingClientRect();
    this.pick(
      this.a((event.clientX - edge.left) / edge.width * this.canvas.width),
      this.b((event.clientY - edge.top) / edge.height * this.canvas.height),
      done,
    );
  }

  pick(a, b, done) {
    this.onColor(toHex(toRgb(this.lightness, ...this.within(a, b))), done);
  }

  // Colors that sRGB has not move towards grey, as the library does it.
  within(a, b) {
    if (inGamut(toRgb(this.lightness, a, b))) return [a, b];
    let [low, high] = [0, 1];
    for (let i = 0; i < 12; i++) {
      const middle = (low + high) / 2;
      if (inGamut(toRgb(this.lightness, middle * a, middle * b))) low = middle;
      else high = middle;
    }
    return [low * a, low * b];
  }

  key(event) {
    const step = event.shiftKey ? 15 : 4;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (!ways[event.key]) return;
    event.preventDefault();
    const [, a, b] = toLab(this.color);
    this.pick(a + ways[event.key][0], b + ways[event.key][1], true);
  }
}
