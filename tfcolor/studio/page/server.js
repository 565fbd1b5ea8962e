// Requests to the studio's server. Addresses are relative: the token is in
// the page's own address.

// `said` is what the server says: a reason in English, and its code and values
// for the person's language; see `said` of texts.js.
export class Refused extends Error {
  constructor(status, said, path) {
    super(said.reason);
    Object.assign(this, { status, said, path });
  }
}

// Tells this page's wishes from those of another one.
const page = crypto.randomUUID();

async function ask(path, options = {}) {
  options.headers = { "X-Page": page, ...options.headers };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refused(0, { reason: "" }, path);
  }
  if (!answer.ok) {
    const text = await answer.text();
    let said = { reason: text, code: answer.status === 500 ? "broken" : null };
    try {
      said = JSON.parse(text);
    } catch { /* Not of the application itself. */ }
    throw new Refused(answer.status, said, path);
  }
  return answer;
}

const json = (method, content) => ({
  method,
  body: JSON.stringify(content),
  headers: { "Content-Type": "application/json" },
});
const at = (id, what) => `api/photos/${id}${what}`;

export const state = async () => (await ask("api/state")).json();
export const add = async (file, name) => (await ask("api/photos", {
  method: "POST", body: file, headers: { "X-Name": encodeURIComponent(name) },
})).json();
export const close = (id) => ask(at(id, ""), { method: "DELETE" });
export const keep = (id, edit) =>
  ask(at(id, "/edit"), { ...json("PUT", edit), keepalive: true });
export const grey = async (id) => (await ask(at(id, "/grey"))).blob();
export const render = async (id, edit, quick) =>
  (await ask(at(id, "/render"), json("POST", { edit, quick }))).blob();
export const detail = async (id, edit) =>
  (await ask(at(id, "/detail"), json("POST", { edit }))).blob();
// For a new hint the answer must come; for one that is chosen the newest counts.
export const colors = async (id, edit, x, y, isNew = false) =>
  (await ask(at(id, isNew ? "/colors?new" : "/colors"), json("POST", { edit, x, y }))).json();
export const readHints = async (id, file) =>
  (await (await ask(at(id, "/hints"), { method: "POST", body: file })).json()).hints;
export const findBoxes = async (id) =>
  (await (await ask(at(id, "/boxes"), { method: "POST" })).json()).boxes;
export const model = async (name) =>
  (await (await ask("api/model", json("POST", { model: name }))).json()).takes;
export const job = async () => (await (await ask("api/job")).json()).job;
export const startJob = async (wish) =>
  (await (await ask("api/job", json("POST", wish))).json()).job;
export const cancelJob = () => ask("api/job", { method: "DELETE" });

export async function result(id, edit) {
  const answer = await ask(at(id, "/result"), json("POST", { edit }));
  const said = answer.headers.get("content-disposition") ?? "";
  const coded = /filename\*=utf-8''([^;]+)/i.exec(said);
  const plain = /filename="([^"]+)"/.exec(said);
  const name = coded ? decodeURIComponent(coded[1]) : plain?.[1];
  return { blob: await answer.blob(), name: name ?? "photo" };
}

export function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
