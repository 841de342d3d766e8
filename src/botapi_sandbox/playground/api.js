// The sandbox's control API, one function for each route. Only actions that a person can do on a phone.

export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(method, path, body) {
  const options = { method };
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, options);
  } catch {
    throw new ApiError("The sandbox isn't answering.", 0);
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new ApiError(answer?.error ?? `The sandbox answered ${response.status}.`, response.status);
  return answer;
}

const chat = (person, bot) => `people/${person}/chats/${bot}`;

export const api = {
  bots: () => call("GET", "bots"),
  people: () => call("GET", "people"),
  addPerson: (person) => call("POST", "people", person),
  changePerson: (id, changes) => call("PATCH", `people/${id}`, changes),
  history: (person, bot) => call("GET", chat(person, bot)),
  /** `content`: {text, entities?} or {message: {…}}, with reply_to_message_id? and quote?. */
  send: (person, bot, content) => call("POST", `${chat(person, bot)}/send`, content),
  edit: (person, bot, change) => call("POST", `${chat(person, bot)}/edit`, change),
  press: (person, bot, message_id, row, column) => call("POST", `${chat(person, bot)}/press`, { message_id, row, column }),
  react: (person, bot, message_id, emoji) => call("POST", `${chat(person, bot)}/react`, { message_id, emoji }),
  vote: (person, bot, message_id, options) => call("POST", `${chat(person, bot)}/vote`, { message_id, options }),
  remove: (person, bot, message_id) => call("POST", `${chat(person, bot)}/delete`, { message_id }),
  forward: (person, bot, message_id, to_bot) => call("POST", `${chat(person, bot)}/forward`, { message_id, to_bot }),
  start: (person, bot, parameter) => call("POST", `${chat(person, bot)}/start`, parameter ? { parameter } : {}),
  block: (person, bot) => call("POST", `${chat(person, bot)}/block`, {}),
  unblock: (person, bot) => call("POST", `${chat(person, bot)}/unblock`, {}),
  pay: (person, bot, what) => call("POST", `${chat(person, bot)}/pay`, what),
  stars: (person) => call("GET", `people/${person}/stars`),
  setStars: (person, stars) => call("POST", `people/${person}/stars`, { stars }),
  renew: (person, subscription) => call("POST", `people/${person}/stars/renew`, { subscription }),
  cancel: (person, subscription) => call("POST", `people/${person}/stars/cancel`, { subscription }),
  resume: (person, subscription) => call("POST", `people/${person}/stars/resume`, { subscription }),
  refund: (person, charge) => call("POST", `people/${person}/stars/refund`, { charge }),

  /** `kind` and `file` (a File), then optional form fields: see `upload` in docs/reference/sandbox.md. */
  upload(person, bot, { file, ...fields }) {
    const form = new FormData();
    for (const [name, value] of Object.entries(given(fields))) form.append(name, String(value));
    form.append("file", file, file.name);
    return call("POST", `${chat(person, bot)}/upload`, form);
  },

  /** Two to ten items as for `upload`, in one request, because a bot gets an album in one burst. */
  album(person, bot, items) {
    const form = new FormData();
    form.append("items", JSON.stringify(items.map(({ file, ...fields }) => given(fields))));
    items.forEach(({ file }, index) => form.append(`file${index}`, file, file.name));
    return call("POST", `${chat(person, bot)}/album`, form);
  },
};

function given(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== "" && value !== false));
}

export const fileUrl = (fileId) => `/sandbox/files/${encodeURIComponent(fileId)}`;
