// The map of all hosts follows by one letter a host, and can be narrowed. Where the hosts themselves
// have become others, it is fetched anew.
"use strict";
addEventListener("DOMContentLoaded", () => {
  const WORDS = { o: "OK", p: "PENDING", w: "WARNING", u: "UNKNOWN", c: "CRITICAL" };
  const SIGNS = { o: "", p: "…", w: "!", u: "?", c: "✕" };
  const only = document.getElementById("only"), count = document.getElementById("only-count");
  const cells = () => document.querySelectorAll("#map a");
  let fetching = false;

  const write = (cell, letter) => {
    const word = WORDS[letter] || "PENDING";
    cell.className = `cell st-${word.toLowerCase()}`;
    cell.title = `${cell.title.slice(0, cell.title.lastIndexOf(": "))}: ${word}`;
    cell.textContent = SIGNS[letter] ?? "…";
  };
  const narrow = () => {
    const words = only.value.trim().toLowerCase();
    let found = 0;
    for (const cell of cells()) {
      const fits = cell.title.toLowerCase().includes(words);
      cell.parentNode.hidden = !fits;
      found += fits;
    }
    for (const row of document.querySelectorAll("#hosts .row"))
      row.hidden = !row.textContent.toLowerCase().includes(words);
    count.textContent = words ? `${found} of ${cells().length}` : "";
  };
  const follow = () => {
    const told = document.getElementById("states"), map = document.getElementById("map");
    if (!told || fetching) return;
    if (!map) { // the page was made while the core was away
      if (told.dataset.states) location.reload();
      return;
    }
    if (told.dataset.hosts !== map.dataset.hosts) {
      fetching = true;
      htmx.ajax("GET", location.pathname, { target: "#map", select: "#map", swap: "outerHTML" })
        .finally(() => { fetching = false; });
      return;
    }
    const now = told.dataset.states, was = map.dataset.states;
    if (now !== was) {
      const all = cells();
      for (let i = 0; i < now.length; i++) if (now[i] !== was[i]) write(all[i], now[i]);
      map.dataset.states = now;
    }
    if (only?.value) narrow();
  };
  only?.addEventListener("input", narrow);
  document.addEventListener("htmx:afterSwap", follow);
  follow();
});
