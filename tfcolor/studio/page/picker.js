// The color of a hint: what the model finds likely, all colors that sRGB has
// at the place's lightness, or a number.

import { inGamut, toHex, toLab, toRgb } from "./lab.js";
import { text } from "./texts.js";

const $ = (id) => document.getElementById(id);
const REACH = 110;

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

  draw() {
    const { width, height } = this.canvas;
    const paper = this.canvas.getContext("2d");
    if (this.drawn !== this.lightness) {
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
    const [, a, b] = toLab(this.color);
    const [x, y] = [(a / REACH + 1) * width / 2, (1 - b / REACH) * height / 2];
    for (const [line, style] of [[4, "#000"], [2, "#fff"]]) {
      paper.beginPath();
      paper.arc(x, y, 6, 0, 7);
      paper.lineWidth = line;
      paper.strokeStyle = style;
      paper.stroke();
    }
  }

  a(column) { return (column / this.canvas.width * 2 - 1) * REACH; }
  b(row) { return (1 - row / this.canvas.height * 2) * REACH; }

  at(event, done) {
    const edge = this.canvas.getBoundingClientRect();
    this.pick(
      this.a((event.clientX - edge.left) / edge.width * this.canvas.width),
      this.b((event.clientY - edge.top) / edge.height * this.canvas.height),
      done,
    );
  }

  // Colors that sRGB has not move towards grey, as the library does it.
  pick(a, b, done) {
    let [low, high] = [0, 1];
    if (!inGamut(toRgb(this.lightness, a, b))) {
      for (let i = 0; i < 12; i++) {
        const middle = (low + high) / 2;
        if (inGamut(toRgb(this.lightness, middle * a, middle * b))) low = middle;
        else high = middle;
      }
    } else low = 1;
    this.onColor(toHex(toRgb(this.lightness, low * a, low * b)), done);
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
