// What a person has done to a photo, and back again.

const MOST = 200;

export class Edits {
  constructor(edit) {
    this.now = edit;
    this.past = [];
    this.future = [];
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
