// Texts of the page in the person's language, from one file a language.

const languages = ["en", "de"];
let texts = {};
export let language = "en";

export function text(key, values = {}) {
  const found = texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

// What the server says: `reason`, a sentence in English, and, where it is one
// that is known, `code` and `values` for the person's own language.
export function said({ reason, code, values = {} }) {
  const key = `reason ${code}`;
  if (!code || !texts[key]) return text("reason other", { reason });
  const shown = Object.entries(values).map(([name, value]) =>
    [name, value?.reason !== undefined ? said(value) : withGroups(value)]);
  return text(key, Object.fromEntries(shown));
}

// Numbers of many digits in the groups of the language.
function withGroups(value) {
  return /^\d{5,15}$/.test(value) ? new Intl.NumberFormat(language).format(value) : value;
}

export async function speak(wanted) {
  language = languages.includes(wanted) ? wanted : "en";
  texts = await (await fetch(`${language}.json`)).json();
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-text]"))
    place.textContent = text(place.dataset.text);
  for (const place of document.querySelectorAll("[data-label]"))
    place.setAttribute("aria-label", text(place.dataset.label));
  const other = document.getElementById("language");
  other.textContent = text("other");
  other.lang = language === "en" ? "de" : "en";
}

export function firstLanguage() {
  try {
    return localStorage.getItem("language") ?? navigator.language.slice(0, 2);
  } catch {
    return navigator.language.slice(0, 2);
  }
}

export async function switchLanguage() {
  await speak(language === "en" ? "de" : "en");
  try {
    localStorage.setItem("language", language);
  } catch { /* A browser may keep nothing. */ }
}
