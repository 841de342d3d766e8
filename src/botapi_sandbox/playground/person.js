// The person on a phone: a name and a language. A bot sees them as `first_name` and `language_code`.

import { el } from "./dom.js";
import { field } from "./attach.js";

const LANGUAGES = ["en", "ar", "de", "es", "fa", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl", "pt-br", "ru", "sv", "tr", "uk", "ur", "uz", "vi", "zh-hans"];

const names = new Intl.DisplayNames(["en"], { type: "language" });

export function languageName(code) {
  try {
    return code ? names.of(code) : "No language";
  } catch {
    return code;
  }
}

/** Ask for a person's new name and language: {first_name, language_code}, or null. */
export function askPerson(overlay, person) {
  const name = field("Name", person.first_name);
  name.maxLength = 64;
  name.dataset.testid = "person-name";
  const codes = LANGUAGES.includes(person.language_code) ? LANGUAGES : [person.language_code ?? "", ...LANGUAGES];
  const language = el("select", { class: "field", "aria-label": "Language", data: { testid: "person-language" } }, codes.map((code) => el("option", { value: code, selected: code === person.language_code }, `${languageName(code)} (${code})`)));
  return overlay.ask({
    title: "Edit person", testid: "person",
    body: () => el("div", { class: "fields" }, name, language, el("p", { class: "hint" }, `Telegram ID ${person.id}. Bots see the change with the next message.`)),
    actions: [{ label: "Cancel", value: null }, { label: "Save", kind: "main", testid: "person-save", value: () => ({ first_name: name.value.trim() || person.first_name, language_code: language.value }) }],
  });
}
