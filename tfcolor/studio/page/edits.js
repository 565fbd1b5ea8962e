// What a person has done to a photo, and back again.

const MOST = 200;
// Steps that a reload keeps.
const KEPT = 50;

export class Edits {
  // The server keeps the edit itself; the tab keeps the way back, for a reload.
  constructor(edit, id) {
    this.now = edit;
    this.place = `edits ${id}`;
    const kept = this.kept();
    const same = kept && JSON.stringify(kept.now) === JSON.stringify(edit);
    this.past = same ? kept.past : [];
    this.future = same ? kept.future : [];
  }

  kept() {
    try {
      return JSON.parse(sessionStorage.getItem(this.place));
    } catch {
      return null;
    }
  }

  keep() {
    const { now, past, future } = this;
    try {
      sessionStorage.setItem(this.place, JSON.stringify({
        now, past: past.slice(-KEPT), future: future.slice(-KEPT),
      }));
    } catch {
      this.forget(); // A browser may keep nothing, or no more.
    }
  }

  forget() {
    try {
      sessionStorage.removeItem(this.place);
    } catch { /* Nothing was kept. */ }
  }

  // Changes with one name in a row, as a drag, are undone together.
  change(what, name = null) {
    if (name === null || name !== this.last) {
      this.past.push(this.now);
      if (this.past.length > MOST) this.past.shift();
    }
    this.last = name;
    this.future = [];
    this.now = { ...this.now, ...what };
  }

  settle() {
    this.last = null;
  }

  undo() {
    if (!this.past.length) return false;
    this.future.push(this.now);
    this.now = this.past.pop();
    this.last = null;
    return true;
  }

  redo() {
    if (!this.future.length) return false;
    this.past.push(this.now);
    this.now = this.future.pop();
    this.last = null;
    return true;
  }
}
