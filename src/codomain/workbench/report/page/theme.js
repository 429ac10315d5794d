// What every page shares: light and dark, copying, colours.

const root = document.documentElement;

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  try { chosen = localStorage.getItem("codomain-theme"); } catch { /* some browsers keep nothing for files */ }
  const set = (theme) => {
    root.dataset.theme = theme;
    dispatchEvent(new Event("codomain-theme"));
  };
  set(chosen ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => chosen ?? set(dark.matches ? "dark" : "light"));
  $("theme").addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    set(chosen);
    try { localStorage.setItem("codomain-theme", chosen); } catch { /* as above */ }
  });
  let before = null; // print on white, with every "How do you know?" open
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    for (const how of document.querySelectorAll(".how:not([open])")) { how.open = true; how.dataset.printed = ""; }
    set("light");
  });
  addEventListener("afterprint", () => {
    for (const how of document.querySelectorAll("[data-printed]")) { how.open = false; delete how.dataset.printed; }
    set(before ?? root.dataset.theme);
  });
}

function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const words = button.querySelector("span");
    try { await navigator.clipboard.writeText(button.dataset.copy); words.textContent = "Copied"; }
    catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      words.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { words.textContent = "Copy"; }, 2500);
  });
}

// Colours: even steps of the golden angle in a perceptual space, so that neighbours in size differ most.
const probe = make("canvas", { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });
function rgb(colour) {
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}
const isDark = () => root.dataset.theme === "dark";
const cssColour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
function rankColour(rank) {
  const light = (isDark() ? [0.76, 0.68, 0.83] : [0.57, 0.66, 0.47])[Math.floor(rank / 7) % 3];
  return `oklch(${light} ${isDark() ? 0.125 : 0.135} ${(175 + rank * 137.508) % 360})`;
}
/** From lost (orange) to kept (green-blue). */
const keptColour = (share) => `oklch(${(isDark() ? 0.74 : 0.66) + (isDark() ? 0.08 : -0.14) * share} 0.13 ${50 + 125 * share})`;
