// The page: photos, their edits, and the picture that follows them.

import { Edits } from "./edits.js";
import * as folder from "./folder.js";
import { Picker } from "./picker.js";
import * as server from "./server.js";
import { firstLanguage, said, speak, switchLanguage, text } from "./texts.js";
import { View } from "./view.js";

const $ = (id) => document.getElementById(id);
// Hints without a radius have this part of the short side; see --hints.
const RADIUS = 1 / 50;
// The long side of what the server makes while a person works.
const SCREEN = 1600;
// The same while something is being changed.
const QUICK = 640;

const photos = new Map();
const closed = []; // Of this page, by their ids.
let open = null; // The photo that is shown.
let chosen = null; // The number of its hint that is being changed.
// What each model takes, once it was asked.
const known = new Map();
const NOTHING = { hints: false, boxes: false, colors: false };
let models = [];
let ready = null; // Settles when the first model is there.
let drawnBox = null;
let findsBoxes = false;

const view = new View({ onClick: addHint, onBox: drawBox, onCorner: () => tell(text("corner")), onMove: sayPlace, onScale: () => { showHints(); later(); } });
const picker = new Picker((color, done) => changeHint({ color }, done));
const job = folder.begin({
  options: () => ({ model: $("model").value, saturation: Number($("strength").value) }),
  onError: say,
});

// ---- What is said

// What went wrong, for when the language changes.
let sayAgain = null;

function tell(words, wrong = false) {
  sayAgain = null;
  $("message").textContent = words;
  $("message").classList.toggle("wrong", wrong);
}

function tellWrong(words) {
  tell(words(), true);
  sayAgain = words;
}

// Takes a message back, unless another one has come.
function untell(words) {
  if ($("message").textContent === words) tell("");
}

function reasonOf(error, name) {
  if (!(error instanceof server.Refused)) throw error;
  if (error.status === 0 || error.status === 403) return text("ended");
  return name ? text("wrong", { name, reason: said(error.said) }) : said(error.said);
}

function say(error, name = null) {
  // A newer wish, or a photo that was closed here meanwhile.
  if (error.status === 409 && error.message === "stale") return;
  if (error.status === 404 && closed.some((id) => error.path.includes(id))) return;
  tellWrong(() => reasonOf(error, name));
}

// For those who hear the page: where the cross is, what was placed.
let saying = null;
function announce(words) {
  clearTimeout(saying);
  saying = setTimeout(() => { $("said").textContent = words; }, 300);
}

function sayPlace([x, y]) {
  const percent = (part, all) => Math.round(100 * part / all);
  announce(text("at", { x: percent(x, open.width), y: percent(y, open.height) }));
}

// No more is waited for than the open photo's picture.
const rest = () => { $("busy").hidden = !open?.working; };

// ---- Photos

// The first of several is shown; a person who works on it is left in peace.
async function addFiles(files) {
  await ready;
  const wrong = [];
  let first = null;
  for (const file of files) {
    const name = file.name || text("pasted");
    const reading = text("reading", { name });
    tell(reading);
    try {
      const photo = await server.add(file, name);
      take(photo);
      if (first) listPhotos();
      else await show(first = photo.id);
      untell(reading);
    } catch (error) {
      if (!(error instanceof server.Refused)) throw error;
      wrong.push([error, name]);
    }
  }
  if (wrong.length) tellWrong(() => wrong.map((both) => reasonOf(...both)).join("\n"));
}

function take(photo) {
  const edit = photo.edit ?? { model: $("model").value, saturation: Number($("strength").value), hints: [], boxes: [] };
  const taken = { ...photo, edits: new Edits(edit, photo.id), urls: {}, working: false, again: false };
  photos.set(photo.id, taken);
  if (!photo.edit) keep(taken);
}

async function show(id) {
  open = photos.get(id) ?? null;
  chosen = null;
  $("work").hidden = !open;
  $("empty").hidden = Boolean(open);
  $("download").disabled = !open;
  listPhotos();
  if (!open) return showEdit();
  for (const which of ["grey", "color"]) $(which).removeAttribute("src");
  view.open(open.width, open.height);
  listNotes();
  const photo = open;
  showEdit();
  await learn(photo.edits.now.model);
  if (photo !== open) return;
  showEdit();
  try {
    put(photo, "grey", photo.urls.grey ?? URL.createObjectURL(await server.grey(id)));
  } catch (error) {
    say(error, photo.name);
  }
  await follow();
  await wantBoxes();
}

function listNotes() {
  $("notes").replaceChildren(...(open?.notes ?? []).map((note) => {
    const item = document.createElement("li");
    item.textContent = said(note);
    return item;
  }));
}

function listPhotos() {
  const focused = document.activeElement?.closest("#photos > span")?.dataset.photo;
  $("photos").hidden = photos.size < 1;
  $("photos").replaceChildren(...[...photos.values()].map((photo) => {
    const both = document.createElement("span");
    both.dataset.photo = photo.id;
    const [choose, close] = [document.createElement("button"), document.createElement("button")];
    choose.textContent = photo.name;
    choose.title = photo.name;
    if (photo === open) {
      choose.setAttribute("aria-current", "true");
      requestAnimationFrame(() => both.scrollIntoView({ block: "nearest", inline: "nearest" }));
    }
    choose.addEventListener("click", () => show(photo.id));
    close.textContent = "×";
    close.setAttribute("aria-label", text("close", { name: photo.name }));
    close.addEventListener("click", () => shut(photo));
    both.append(choose, close);
    return both;
  }));
  if (!focused) return;
  const same = $("photos").querySelector(`[data-photo="${focused}"] button`);
  (same ?? $("photos").querySelector("button") ?? $("choose")).focus();
}

async function shut(photo) {
  closed.push(photo.id);
  clearTimeout(photo.keeping);
  try {
    await server.close(photo.id);
  } catch (error) {
    say(error, photo.name);
  }
  for (const url of Object.values(photo.urls)) URL.revokeObjectURL(url);
  photo.edits.forget();
  photos.delete(photo.id);
  if (photo === open) show(photos.keys().next().value);
  else listPhotos();
}

function put(photo, which, url) {
  const old = photo.urls[which];
  photo.urls[which] = url;
  if (old && old !== url) setTimeout(() => URL.revokeObjectURL(old), 1000);
  if (photo === open) $(which).src = url;
}

// ---- The picture follows

// One wish is on its way at a time; after it the newest, never those between.
async function follow() {
  const photo = open;
  if (!photo) return;
  if (photo.working) {
    photo.again = true;
    return;
  }
  photo.working = true;
  $("busy").hidden = false;
  try {
    do {
      photo.again = false;
      photo.sharp = photo.detailed = false;
      put(photo, "color", URL.createObjectURL(await server.render(photo.id, photo.edits.now, true)));
    } while (photo.again);
    later();
  } catch (error) {
    say(error, photo.name);
  } finally {
    photo.working = false;
    if (photo === open) $("busy").hidden = true;
    if (photo.again) follow();
  }
}

let waiting = null;

// After a moment's rest the picture is made sharper, and a person who looks
// closely sees the photo's own pixels.
function later() {
  clearTimeout(waiting);
  if (!open) return;
  const photo = open;
  const long = Math.max(photo.width, photo.height);
  const shown = long * view.scale * devicePixelRatio;
  const close = long > SCREEN && shown > 1.2 * SCREEN;
  waiting = setTimeout(async () => {
    if (photo !== open || photo.working) return;
    const edit = photo.edits.now;
    const [done, make] = close ? ["detailed", server.detail] : ["sharp", server.render];
    if (photo[done] || photo.detailed || long <= QUICK) return;
    try {
      const blob = await make(photo.id, edit, false);
      if (edit !== photo.edits.now || photo.working) return;
      photo[done] = true;
      put(photo, "color", URL.createObjectURL(blob));
    } catch (error) {
      say(error, photo.name);
    }
    // Full size takes seconds, for which the next change would wait.
  }, close ? 1000 : 300);
}

function keep(photo) {
  clearTimeout(photo.keeping);
  photo.keeping = setTimeout(() => {
    photo.edits.keep();
    server.keep(photo.id, photo.edits.now).catch(say);
  }, 100);
}

function changed(photo = open) {
  keep(photo);
  if (photo !== open) return;
  if ($("message").classList.contains("wrong")) tell("");
  showEdit();
  follow();
}

// ---- Model and strength

const takes = () => known.get(open ? open.edits.now.model : $("model").value) ?? NOTHING;

// Loads a model that was not asked yet; returns whether it can be used.
let learning = 0;
async function learn(name) {
  if (known.has(name)) return true;
  const loading = text("loading");
  tell(loading);
  $("busy").hidden = false;
  // Until it is there, a download would be that of the model before.
  learning += 1;
  $("download").disabled = true;
  try {
    known.set(name, await server.model(name));
    untell(loading);
    return true;
  } catch (error) {
    say(error, name);
    return false;
  } finally {
    learning -= 1;
    rest();
    $("download").disabled = !open || learning > 0;
  }
}

let choices = 0;
async function changeModel() {
  const [photo, name] = [open, $("model").value];
  const choice = ++choices;
  const usable = await learn(name);
  // Another one was chosen meanwhile.
  if (choice !== choices) return;
  if (!usable || !photo) return showEdit();
  // What a model does not take is left out; undo brings it back.
  const [now, { hints, boxes }] = [photo.edits.now, known.get(name)];
  photo.edits.change({
    model: name,
    hints: hints ? now.hints : [],
    ...(boxes ? {} : { boxes: [], all: [] }),
  });
  if (!hints && photo === open) chosen = null;
  changed(photo);
  if (photo === open) await wantBoxes();
}

function changeStrength(done) {
  const saturation = Number($("strength").value);
  if (open) {
    open.edits.change({ saturation }, "strength");
    if (done) open.edits.settle();
    changed();
  } else showEdit();
}

// ---- Hints

const hints = () => open?.edits.now.hints ?? [];
const radiusOf = (hint) => hint.radius ?? RADIUS * Math.min(open.width, open.height);

async function addHint([x, y]) {
  if (!open || !takes().hints) return;
  const photo = open;
  [x, y] = [Math.round(x * 10) / 10, Math.round(y * 10) / 10];
  $("busy").hidden = false;
  try {
    const found = await server.colors(photo.id, photo.edits.now, x, y, true);
    if (photo !== open) return;
    // The second one: the first is most like what is there already.
    const color = (found.colors[1] ?? found.colors[0])?.color ?? "#b06a3c";
    chosen = hints().length;
    photo.edits.change({ hints: [...hints(), { x, y, color }] });
    picker.offer(found);
    announce(text("placed", { number: chosen + 1 }));
    changed();
  } catch (error) {
    say(error, photo.name);
  } finally {
    rest();
  }
}

async function choose(number) {
  chosen = number;
  showHints();
  const [photo, hint] = [open, hints()[number]];
  const edit = { ...photo.edits.now, hints: hints().filter((_, i) => i !== number) };
  try {
    const found = await server.colors(photo.id, edit, hint.x, hint.y);
    if (photo === open && chosen === number) picker.offer(found);
  } catch (error) {
    say(error, photo.name);
  }
}

function changeHint(what, done, number = chosen) {
  if (!open || number === null || !hints()[number]) return;
  const next = hints().map((hint, i) => (i === number ? { ...hint, ...what } : hint));
  open.edits.change({ hints: next }, `hint ${number} ${Object.keys(what)}`);
  if (done) open.edits.settle();
  changed();
}

function removeHint(number) {
  if (number === null) return;
  open.edits.change({ hints: hints().filter((_, i) => i !== number) });
  chosen = null;
  changed();
  $("stage").focus({ preventScroll: true });
}

function within(x, y) {
  const inside = (v, most) => Math.round(Math.min(Math.max(v, 0), most - 1) * 10) / 10;
  return { x: inside(x, open.width), y: inside(y, open.height) };
}

function makePoint(number) {
  const point = document.createElement("button");
  point.className = "point";
  let from = null;
  point.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    point.setPointerCapture(event.pointerId);
    from = event;
  });
  point.addEventListener("pointermove", (event) => {
    if (!from || !point.hasPointerCapture(event.pointerId)) return;
    if (Math.hypot(event.clientX - from.clientX, event.clientY - from.clientY) < 3) return;
    changeHint(within(...view.toPhoto(event)), false, number);
  });
  point.addEventListener("pointerup", () => {
    from = null;
    open?.edits.settle();
  });
  point.addEventListener("click", () => choose(number));
  point.addEventListener("keydown", (event) => {
    const step = (event.shiftKey ? 10 : 1) * Math.max(1 / view.scale, 1);
    const ways = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const hint = hints()[number];
    if (ways[event.key]) {
      changeHint(within(hint.x + ways[event.key][0], hint.y + ways[event.key][1]), false, number);
      // Another place has other likely colors.
      clearTimeout(point.resting);
      point.resting = setTimeout(() => { if (chosen === number) choose(number); }, 400);
    }
    else if (event.key === "Delete" || event.key === "Backspace") removeHint(number);
    else return;
    event.preventDefault();
  });
  return point;
}

// Points are kept while they are dragged or have the focus.
function showHints() {
  const overlay = $("overlay");
  const points = [...overlay.querySelectorAll(".point")];
  const wanted = open ? hints() : [];
  for (const extra of points.splice(wanted.length)) extra.remove();
  while (points.length < wanted.length) {
    points.push(makePoint(points.length));
    overlay.append(points.at(-1));
  }
  wanted.forEach((hint, number) => {
    const point = points[number];
    point.style.left = `${100 * (hint.x + 0.5) / open.width}%`;
    point.style.top = `${100 * (hint.y + 0.5) / open.height}%`;
    point.style.background = hint.color;
    point.classList.toggle("chosen", number === chosen);
    point.setAttribute("aria-label", text("hint", { number: number + 1, color: hint.color }));
  });
  overlay.querySelector(".area")?.remove();
  const hint = wanted[chosen];
  $("picker").hidden = !hint;
  if (!hint) return;
  const area = document.createElement("div");
  area.className = "area";
  const radius = radiusOf(hint);
  area.style.left = `${100 * (hint.x + 0.5 - radius) / open.width}%`;
  area.style.top = `${100 * (hint.y + 0.5 - radius) / open.height}%`;
  area.style.width = `${200 * radius / open.width}%`;
  area.style.height = `${200 * radius / open.height}%`;
  overlay.append(area);
  picker.show(hint.color);
  $("radius").value = 100 * radius / Math.min(open.width, open.height);
  showValue("radius", text("pixels", { count: Math.round(radius) }));
}

async function loadHints(file) {
  const photo = open;
  try {
    photo.edits.change({ hints: await server.readHints(photo.id, file) });
    if (photo === open) chosen = null;
    changed(photo);
  } catch (error) {
    say(error, file.name);
  }
}

// ---- Boxes

// All boxes in their order, each with whether it is on; only those are sent.
const allBoxes = (edit) => edit?.all ?? (edit?.boxes ?? []).map((box) => [box, true]);
const withBoxes = (all) => ({ all, boxes: all.filter(([, on]) => on).map(([box]) => box) });

function drawBoxes(wanted) {
  view.draw(wanted);
  $("draw-box").setAttribute("aria-pressed", String(wanted));
}

// Asked once for each photo; what a person drew or removed stays.
async function wantBoxes(again = false) {
  const photo = open;
  if (!photo || !takes().boxes || !findsBoxes) return;
  const untouched = () => !photo.edits.now.asked && !allBoxes(photo.edits.now).length;
  if (!again && !untouched()) return;
  $("busy").hidden = false;
  try {
    const found = await server.findBoxes(photo.id);
    if (!again && !untouched()) return;
    photo.edits.change({ asked: true, ...withBoxes(found.map((box) => [box, true])) });
    changed(photo);
  } catch (error) {
    say(error, photo.name);
  } finally {
    rest();
  }
}

function changeBoxes(all) {
  open.edits.change(withBoxes(all));
  changed();
}

function drawBox(box, done) {
  drawnBox = done ? null : box;
  if (done) untell(text("corner"));
  if (done && box[2] - box[0] >= 2 && box[3] - box[1] >= 2)
    changeBoxes([...allBoxes(open.edits.now), [box, true]]);
  else showBoxes();
}

function showBoxes() {
  const overlay = $("overlay");
  for (const old of overlay.querySelectorAll(".box")) old.remove();
  const all = allBoxes(open?.edits.now);
  if (open && takes().boxes && $("show-boxes").checked)
    [...all, ...(drawnBox ? [[drawnBox, true]] : [])].forEach(([[top, left, bottom, right], on], number) => {
      const frame = document.createElement("div");
      frame.className = on ? "box" : "box off";
      frame.textContent = number + 1;
      frame.style.left = `${100 * left / open.width}%`;
      frame.style.top = `${100 * top / open.height}%`;
      frame.style.width = `${100 * (right - left) / open.width}%`;
      frame.style.height = `${100 * (bottom - top) / open.height}%`;
      overlay.prepend(frame);
    });
  if (drawnBox) return;
  const controls = () => [...$("boxes").querySelectorAll("input, button")];
  const focused = controls().indexOf(document.activeElement);
  $("boxes").replaceChildren(...all.map(([, on], number) => {
    const item = document.createElement("li");
    item.className = "row";
    const label = document.createElement("label");
    label.className = "check";
    const check = document.createElement("input");
    check.type = "checkbox";
    check.checked = on;
    check.addEventListener("change", () =>
      changeBoxes(all.map(([box, is], i) => [box, i === number ? !is : is])));
    label.append(check, text("box", { number: number + 1 }));
    const remove = document.createElement("button");
    remove.textContent = "×";
    remove.className = "square";
    remove.setAttribute("aria-label", text("removeBox", { number: number + 1 }));
    remove.addEventListener("click", () => changeBoxes(all.filter((_, i) => i !== number)));
    item.append(label, remove);
    return item;
  }));
  if (focused >= 0) (controls()[focused] ?? controls().at(-1) ?? $("draw-box")).focus();
}

// ---- Everything on the page that shows an edit

function showValue(slider, words) {
  $(`${slider}-value`).textContent = words;
  $(slider).setAttribute("aria-valuetext", words);
}

function listModels() {
  const chosenModel = $("model").value;
  $("model").replaceChildren(...models.map((name) => {
    const words = text(`model ${name}`);
    return new Option(words === `model ${name}` ? name : words, name);
  }));
  if (chosenModel) $("model").value = chosenModel;
}

// What can be done; a button that can do nothing more hands the focus on.
function enable(can) {
  const focused = document.activeElement;
  for (const [id, is] of Object.entries(can)) $(id).disabled = !is;
  if (!(focused?.id in can) || !focused.disabled) return;
  const next = Object.keys(can).find((id) => can[id]);
  $(next ?? "stage").focus({ preventScroll: true });
}

function showEdit() {
  const edit = open?.edits.now;
  if (edit) {
    $("model").value = edit.model;
    $("strength").value = edit.saturation;
    $("color").alt = text("colored", { name: open.name });
  }
  showValue("strength", text("percent", { count: Math.round(100 * $("strength").value) }));
  const count = hints().length;
  $("hints-none").textContent = !takes().hints ? text("hintsNot")
    : count ? text("hintsCount", { count }) : text("hintsNone");
  const { past = [], future = [] } = open?.edits ?? {};
  enable({ undo: past.length, redo: future.length, clear: count });
  $("save-hints").disabled = !count;
  $("load-hints").disabled = !open || !takes().hints;
  $("boxes-part").hidden = !takes().boxes;
  $("find-boxes").hidden = !findsBoxes;
  if (!takes().boxes) drawBoxes(false);
  if (chosen !== null && chosen >= count) chosen = null;
  showHints();
  showBoxes();
}

async function step(which) {
  if (!open?.edits[which]()) return;
  const photo = open;
  if (await learn(photo.edits.now.model)) changed(photo);
}

async function download() {
  const photo = open;
  const focused = document.activeElement === $("download");
  tell(text("making"));
  $("download").disabled = true;
  try {
    const { blob, name } = await server.result(photo.id, photo.edits.now);
    server.download(blob, name);
    tell(text("made", { name }));
  } catch (error) {
    say(error, photo.name);
  } finally {
    $("download").disabled = !open || learning > 0;
    if (focused && document.activeElement === document.body) $("download").focus();
  }
}

function listen() {
  const on = (id, what, act) => $(id).addEventListener(what, act);
  on("choose", "click", () => $("files").click());
  on("empty", "click", () => $("files").click());
  on("files", "change", async () => {
    const files = [...$("files").files];
    $("files").value = "";
    await addFiles(files);
  });
  on("language", "click", async () => {
    await switchLanguage();
    if (sayAgain) tellWrong(sayAgain);
    listPhotos();
    listNotes();
    listModels();
    picker.repeat();
    showEdit();
    job.show(await server.job().catch(() => null));
  });
  on("compare", "input", () => view.compare(Number($("compare").value)));
  on("in", "click", () => view.zoom(1.4));
  on("out", "click", () => view.zoom(1 / 1.4));
  on("fit", "click", () => view.fit());
  on("full", "click", () => view.fullSize());
  on("model", "change", changeModel);
  on("strength", "input", () => changeStrength(false));
  on("strength", "change", () => open?.edits.settle());
  on("undo", "click", () => step("undo"));
  on("redo", "click", () => step("redo"));
  on("clear", "click", () => { open.edits.change({ hints: [] }); changed(); });
  on("remove", "click", () => removeHint(chosen));
  on("radius", "input", () =>
    changeHint({ radius: Math.round(Number($("radius").value) * Math.min(open.width, open.height)) / 100 }, false));
  on("radius", "change", () => open?.edits.settle());
  on("save-hints", "click", () => server.download(
    new Blob([JSON.stringify({ points: hints() }, null, 1)], { type: "application/json" }),
    `${open.name.replace(/\.[^.]*$/, "")}.hints.json`,
  ));
  on("load-hints", "click", () => $("hints-file").click());
  on("hints-file", "change", async () => {
    const [file] = $("hints-file").files;
    if (file) await loadHints(file);
    $("hints-file").value = "";
  });
  on("draw-box", "click", () => drawBoxes(!view.drawing));
  on("find-boxes", "click", () => wantBoxes(true));
  on("show-boxes", "change", showBoxes);
  on("download", "click", download);
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) addFiles(files);
  });
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    addFiles([...event.dataTransfer.files]);
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text]")) return;
    const key = event.key.toLowerCase();
    const which = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : null;
    if (!which) return;
    event.preventDefault();
    step(which);
  });
}

async function start() {
  await speak(firstLanguage());
  listen();
  view.compare(0);
  showEdit();
  const loading = text("loading");
  tell(loading);
  try {
    const state = await server.state();
    models = state.models;
    known.set(state.loaded, state.takes);
    findsBoxes = state.finds_boxes;
    listModels();
    $("model").value = state.loaded;
    untell(loading);
    for (const photo of state.photos) take(photo);
    job.show(state.job);
    await show(state.photos.at(-1)?.id);
    document.body.dataset.ready = "yes";
  } catch (error) {
    say(error);
  }
}

ready = start();
