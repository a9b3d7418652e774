// What the page remembers in the browser. A browser may refuse to store anything; then it is remembered until the page is closed.

class Memory {
  /** `open()` returns the browser's storage, or throws if the browser blocks it. */
  constructor(open) {
    this.open = open;
    this.unstored = new Map(); // what the browser refused to store
  }

  /** The text of that name; null if there is none. */
  get(name) {
    if (this.unstored.has(name)) return this.unstored.get(name);
    try {
      return this.open().getItem(name);
    } catch {
      return null;
    }
  }

  set(name, text) {
    try {
      this.open().setItem(name, text);
      this.unstored.delete(name);
    } catch {
      this.unstored.set(name, text);
    }
  }
}

/** For all tabs, and for later visits. */
export const memory = new Memory(() => localStorage);
/** For this tab. */
export const tabMemory = new Memory(() => sessionStorage);
