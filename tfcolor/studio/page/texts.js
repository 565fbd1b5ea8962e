// Texts of the page in the person's language, from one file a language.

const languages = ["en", "de"];
let texts = {};
export let language = "en";

export function text(key, values = {}) {
  const found = texts[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
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
