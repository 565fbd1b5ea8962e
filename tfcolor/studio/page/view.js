// The stage: grey and color under one line, zoom, pan, and a cross for keys.

const $ = (id) => document.getElementById(id);
const MOST = 8; // Screen pixels a photo's pixel may take.
const CLICK = 4; // Pixels within which a press is a click.

export class View {
  constructor({ onClick, onBox, onCorner, onMove, onScale }) {
    Object.assign(this, { onClick, onBox, onCorner, onMove, onScale });
    this.stage = $("stage");
    this.picture = $("picture");
    this.width = this.height = 1;
    this.scale = 1;
    this.x = this.y = 0;
    this.cross = null;
    this.drawing = false;
    this.corner = null; // Of a box that is drawn with keys.
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.fitted ? this.fit() : this.place()).observe(this.stage);
  }

  open(width, height) {
    this.width = width;
    this.height = height;
    this.cross = this.corner = null;
    $("cross").hidden = true;
    // As high as the whole photo needs, within what the style allows.
    this.stage.style.aspectRatio = `${width} / ${height}`;
    this.fit();
  }

  whole() {
    return Math.min(this.stage.clientWidth / this.width, this.stage.clientHeight / this.height);
  }

  fit() {
    this.scale = this.whole() || 1;
    this.x = (this.stage.clientWidth - this.width * this.scale) / 2;
    this.y = (this.stage.clientHeight - this.height * this.scale) / 2;
    this.place();
    this.fitted = true;
  }

  zoom(factor, x = this.stage.clientWidth / 2, y = this.stage.clientHeight / 2) {
    const scale = Math.min(Math.max(this.scale * factor, this.whole() / 2), MOST);
    this.x = x - (x - this.x) * (scale / this.scale);
    this.y = y - (y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.place();
  }

  fullSize() {
    this.zoom(1 / devicePixelRatio / this.scale);
  }

  place() {
    this.fitted = false;
    // Some of the photo always stays in sight.
    const keep = 48;
    const [w, h] = [this.width * this.scale, this.height * this.scale];
    this.x = Math.min(Math.max(this.x, keep - w), this.stage.clientWidth - keep);
    this.y = Math.min(Math.max(this.y, keep - h), this.stage.clientHeight - keep);
    this.picture.style.width = `${w}px`;
    this.picture.style.height = `${h}px`;
    this.picture.style.transform = `translate(${this.x}px, ${this.y}px)`;
    this.placeCross();
    this.onScale();
  }

  compare(percent) {
    $("color").style.clipPath = `inset(0 0 0 ${percent}%)`;
    $("line").style.left = `${percent}%`;
    $("line").hidden = percent <= 0 || percent >= 100;
  }

  // A place on the screen to pixels of the photo.
  toPhoto(event) {
    const edge = this.stage.getBoundingClientRect();
    return [
      (event.clientX - edge.left - this.x) / this.scale,
      (event.clientY - edge.top - this.y) / this.scale,
    ];
  }

  inside([x, y]) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  placeCross() {
    const cross = $("cross");
    if (!this.cross) return;
    cross.style.left = `${100 * this.cross[0] / this.width}%`;
    cross.style.top = `${100 * this.cross[1] / this.height}%`;
  }

  moveCross(dx, dy) {
    if (!this.cross) this.cross = [this.width / 2, this.height / 2];
    else {
      const [x, y] = this.cross;
      this.cross = [
        Math.min(Math.max(x + dx / this.scale, 0), this.width - 1),
        Math.min(Math.max(y + dy / this.scale, 0), this.height - 1),
      ];
    }
    $("cross").hidden = false;
    const [left, top] = [this.cross[0] * this.scale + this.x, this.cross[1] * this.scale + this.y];
    if (left < 0) this.x -= left - 20;
    if (top < 0) this.y -= top - 20;
    if (left > this.stage.clientWidth) this.x -= left - this.stage.clientWidth + 20;
    if (top > this.stage.clientHeight) this.y -= top - this.stage.clientHeight + 20;
    this.place();
  }

  listen() {
    const stage = this.stage;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const edge = stage.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - edge.left, event.clientY - edge.top);
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => this.press(event));
    stage.addEventListener("pointermove", (event) => this.move(event));
    stage.addEventListener("pointerup", (event) => this.release(event, true));
    stage.addEventListener("pointercancel", (event) => this.release(event, false));
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("blur", () => { $("cross").hidden = true; });
  }

  press(event) {
    if (event.target.closest(".point") || event.button > 0) return;
    this.stage.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 1) {
      this.from = event;
      this.moved = this.pinched = false;
    } else this.moved = this.pinched = true;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 2) return this.pinch(event, before);
    const far = Math.hypot(event.clientX - this.from.clientX, event.clientY - this.from.clientY);
    if (far > CLICK) this.moved = true;
    if (!this.moved) return;
    if (this.drawing && !this.pinched) return this.onBox(this.boxBetween(this.toPhoto(this.from), this.toPhoto(event)), false);
    this.stage.classList.add("moving");
    this.x += event.clientX - before.clientX;
    this.y += event.clientY - before.clientY;
    this.place();
  }

  pinch(event, before) {
    const other = [...this.pointers.values()].find((p) => p.pointerId !== event.pointerId);
    const length = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY);
    const edge = this.stage.getBoundingClientRect();
    this.zoom(
      length(event) / Math.max(length(before), 1),
      (event.clientX + other.clientX) / 2 - edge.left,
      (event.clientY + other.clientY) / 2 - edge.top,
    );
  }

  release(event, done) {
    if (!this.pointers.delete(event.pointerId)) return;
    this.stage.classList.remove("moving");
    if (!done || this.pointers.size) return;
    if (this.drawing) {
      if (this.moved && !this.pinched) this.onBox(this.boxBetween(this.toPhoto(this.from), this.toPhoto(event)), true);
    } else if (!this.moved && this.inside(this.toPhoto(event))) this.onClick(this.toPhoto(event));
  }

  // top, left, bottom, right in pixels of the photo, as the library has it.
  boxBetween([x0, y0], [x1, y1]) {
    const within = (v, most) => Math.round(Math.min(Math.max(v, 0), most));
    return [
      within(Math.min(y0, y1), this.height), within(Math.min(x0, x1), this.width),
      within(Math.max(y0, y1), this.height), within(Math.max(x0, x1), this.width),
    ];
  }

  // Begins or ends drawing; a box that was begun with keys is given up.
  draw(wanted) {
    this.drawing = wanted;
    if (!this.corner) return;
    this.corner = null;
    this.onBox([0, 0, 0, 0], true);
  }

  setCorner() {
    const first = this.corner;
    this.corner = first ? null : [...this.cross];
    if (first) this.onBox(this.boxBetween(first, this.cross), true);
    else this.onCorner();
  }

  key(event) {
    if (event.target !== this.stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 60 : 12;
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    if (ways[event.key]) {
      this.moveCross(...ways[event.key]);
      this.onMove(this.cross);
      if (this.corner) this.onBox(this.boxBetween(this.corner, this.cross), false);
    } else if (event.key === "Enter" && $("cross").hidden) this.moveCross(0, 0);
    else if (event.key === "Enter" && this.drawing) this.setCorner();
    else if (event.key === "Escape" && this.corner) this.draw(this.drawing);
    else if (event.key === "Enter") this.onClick([...this.cross]);
    else if (event.key === "+") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit();
    else return;
    event.preventDefault();
  }
}
