// The page's frame: which view is shown, the theme, and whether the server answers.

import { onOutage } from "./base/api.js";
import { memory } from "./base/memory.js";
import { PlayView } from "./views/play.js";
import { WatchView } from "./views/watch.js";
import { InsideView } from "./views/inside.js";

const VIEWS = { play: PlayView, watch: WatchView, inside: InsideView };
const TITLES = { play: "Play", watch: "Watch", inside: "Look inside" };
const main = document.getElementById("view");
let shown = null;
let shownName = "";

function show() {
  const name = location.hash.slice(1).split("?")[0];
  const wanted = name in VIEWS ? name : "play";
  if (name === "view" && shown) return; // the skip link
  if (wanted === shownName) return;
  shown?.close();
  main.replaceChildren();
  main.dataset.view = shownName = wanted;
  shown = new VIEWS[wanted](main);
  document.title = `${TITLES[wanted]} · Cartridge`;
  for (const link of document.querySelectorAll("header nav a")) {
    if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function darkNow() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

document.getElementById("theme").addEventListener("click", () => {
  const theme = darkNow() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  memory.set("theme", theme);
  shown?.themed?.();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown?.themed?.());

onOutage((down) => {
  const line = document.getElementById("outage");
  line.hidden = !down;
  line.textContent = down ? "The server does not answer. This page continues when it is back." : "";
  if (!down) shown?.recovered?.();
});

addEventListener("hashchange", show);
show();
