// A stream of server-sent events, which is opened again if the connection breaks.

import { ApiError, refusalOf } from "./api.js";

const AGAIN_MS = 1000;

export class Stream {
  /**
   * `onevent(value)` is called with the data of each event called `name`, and `onrefused(sentence)` when the server refuses the
   * stream, which ends it. So does an outage.
   */
  constructor(address, name, onevent, onrefused) {
    Object.assign(this, { address, name, onevent, onrefused });
    this.open();
  }

  open() {
    this.source = new EventSource(this.address);
    this.source.addEventListener(this.name, (event) => this.onevent(JSON.parse(event.data)));
    this.source.onerror = () => this.broken();
  }

  close() {
    this.closed = true;
    this.source.close();
    clearTimeout(this.again);
  }

  /** The connection has ended. An EventSource doesn't tell why. */
  async broken() {
    this.source.close();
    let sentence;
    try {
      sentence = await refusalOf(this.address);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (!error.status) return; // an outage
      sentence = error.message;
    }
    if (this.closed) return;
    if (sentence === null) this.again = setTimeout(() => this.open(), AGAIN_MS);
    else this.onrefused(sentence);
  }
}
