// The phones on the page. They are in localStorage, so that a reload shows the same people with the same bots.

const KEY = "botapi-sandbox.phones";
export const MOST_PHONES = 8;
const NAMES = ["Mira", "Jonas", "Leila", "Tomás", "Aiko", "Samuel", "Noor", "Elif"];

/** A phone's record: {n, person: {id, first_name, language_code}, bot}. `n` is its number on the page, from 1. */
export function load() {
  try {
    const records = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return records.filter((record) => Number.isInteger(record.n) && record.person?.first_name).slice(0, MOST_PHONES);
  } catch {
    return [];
  }
}

export function save(records) {
  try {
    localStorage.setItem(KEY, JSON.stringify(records));
  } catch {
    // In a private window without storage, the phones last as long as the page.
  }
}

export function freeNumber(records) {
  const taken = new Set(records.map((record) => record.n));
  let n = 1;
  while (taken.has(n)) n += 1;
  return n;
}

export const defaultName = (n) => NAMES[(n - 1) % NAMES.length];
