// The wall: a clock, and a page that nobody has to touch. It says so when nothing is heard any more,
// and loads itself anew when that can succeed: hourly, and after the line was lost.
"use strict";
(() => {
  const SILENT = 30_000, ANEW = 3_600_000, TRY = 10_000;
  const clock = document.getElementById("clock"), old = document.getElementById("old");
  const began = Date.now();
  let heard = began, tried = began;
  for (const word of ["htmx:sseOpen", "htmx:sseBeforeMessage"])
    document.addEventListener(word, () => { heard = Date.now(); });
  // A page that cannot be had would leave the browser's own error on the wall for good.
  const anew = async () => {
    try {
      const answer = await fetch("/wall");
      if (answer.ok || answer.status === 401) location.reload(); // 401: what comes is the login
    } catch { /* nobody answers: `old` says so already, and it is tried again */ }
  };
  const tick = () => {
    const now = new Date(), silent = now - heard > SILENT;
    clock.textContent = now.toLocaleTimeString(undefined, { timeStyle: "medium" });
    clock.dateTime = now.toISOString();
    old.hidden = !silent;
    if ((silent || now - began > ANEW) && now - tried > TRY) { tried = +now; anew(); }
  };
  tick();
  setInterval(tick, 1000);
})();
