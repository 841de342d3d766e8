// One event stream for the whole page: a browser allows six connections to a server, and there may be eight phones.
// After every (re)connection the histories are loaded anew, so a break loses nothing.

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 3000;

export class Live {
  #source = null;
  #timer = null;
  #wait = FIRST_WAIT_MS;
  #attempt = 0;

  /**
   * `prepare()` resolves to the ids of the people to listen for, when they are known to exist.
   * `onEvent(event)`, `onOpen()` after every connection, `onLost()` when the server went away.
   */
  constructor({ prepare, onEvent, onOpen, onLost }) {
    Object.assign(this, { prepare, onEvent, onOpen, onLost });
  }

  /** Listen for the people of now. The old stream is closed only once the new one is open: nothing falls between. */
  async restart() {
    const attempt = ++this.#attempt;
    clearTimeout(this.#timer);
    let people;
    try {
      people = await this.prepare();
    } catch {
      this.#lose(attempt);
      return;
    }
    if (attempt !== this.#attempt) return;
    if (people.length === 0) {
      this.#close();
      this.onOpen();
      return;
    }
    const source = new EventSource(`/sandbox/events?people=${people.join(",")}`);
    source.onmessage = (message) => this.onEvent(JSON.parse(message.data));
    source.onopen = () => {
      if (attempt !== this.#attempt) {
        source.close();
        return;
      }
      this.#close();
      this.#source = source;
      this.#wait = FIRST_WAIT_MS;
      this.onOpen();
    };
    source.onerror = () => {
      source.close();
      this.#lose(attempt);
    };
  }

  #close() {
    this.#source?.close();
    this.#source = null;
  }

  // The browser's own retry gives up after an HTTP error, so the retrying is done here.
  #lose(attempt) {
    if (attempt !== this.#attempt) return;
    this.#close();
    this.onLost();
    this.#timer = setTimeout(() => this.restart(), this.#wait);
    this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT_MS);
  }
}
