// One event stream for the whole page, because a browser allows six connections to a server and there may be eight
// phones. After every connection the histories are loaded again, so an interruption loses nothing.

const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 3000;

export class Live {
  #source = null;
  #timer = null;
  #wait = FIRST_WAIT_MS;
  #attempt = 0;

  /**
   * `prepare()` makes sure that the people exist, and resolves to the ids to listen for.
   * `onEvent(event)`; `onOpen()` after every connection; `onLost()` when the server is gone.
   */
  constructor({ prepare, onEvent, onOpen, onLost }) {
    Object.assign(this, { prepare, onEvent, onOpen, onLost });
  }

  /** Listen for the current people. The old stream is closed after the new one is open, so that no event is lost. */
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

  // The browser stops retrying after an HTTP error, so this class retries.
  #lose(attempt) {
    if (attempt !== this.#attempt) return;
    this.#close();
    this.onLost();
    this.#timer = setTimeout(() => this.restart(), this.#wait);
    this.#wait = Math.min(this.#wait * 1.6, LONGEST_WAIT_MS);
  }
}
