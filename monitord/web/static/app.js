// The console's only script: times in the reader's zone, keys, and whether the line to monitord holds.
// Pages work without it; nothing here decides anything.
"use strict";
(() => {
  const span = (seconds) => {
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return `${s} s`;
    if (s < 600) return `${Math.floor(s / 60)} min ${s % 60} s`;
    if (s < 3600) return `${Math.floor(s / 60)} min`;
    if (s < 86400) return `${Math.floor(s / 3600)} h${s % 3600 >= 60 ? ` ${Math.floor((s % 3600) / 60)} min` : ""}`;
    return `${Math.floor(s / 86400)} d${s < 864000 && s % 86400 >= 3600 ? ` ${Math.floor((s % 86400) / 3600)} h` : ""}`;
  };
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const hour = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  const write = (one, now) => {
    const at = new Date(one.dateTime);
    if (Number.isNaN(at.getTime())) return;
    const off = (at - now) / 1000;
    let text;
    if (one.dataset.t === "ago") text = span(-off);
    else if (one.dataset.t === "until") text = off > 0 ? span(off) : `${span(-off)} over`;
    else text = (Math.abs(off) < 43200 ? hour : day).format(at);
    if (one.textContent !== text) one.textContent = text;
    const title = day.format(at);
    if (one.title !== title) one.title = title;
  };
  const tick = () => {
    const now = new Date();
    document.querySelectorAll("time[data-t]").forEach((one) => write(one, now));
  };
  tick();
  setInterval(tick, 1000);

  // The line to monitord: what stands on the page is old when it breaks, and the page says so.
  const link = document.getElementById("link");
  const tell = (ok) => {
    if (!link) return;
    link.dataset.link = ok ? "ok" : "lost";
    link.textContent = ok ? "" : "no line to monitord: what you see may be old";
  };
  document.addEventListener("htmx:sseOpen", () => tell(true));
  document.addEventListener("htmx:sseError", () => tell(false));
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    const source = event.target;
    // What a stream begins with is what the page was made with, mostly: then there is nothing to do.
    const version = source?.id === "now" && source.querySelector("[data-version]")?.dataset.version;
    if (version && event.detail.data.includes(`data-version="${version}"`)) event.preventDefault();
    if (source && source.id === "pulse") {
      const fresh = document.querySelector(".fresh time");
      if (fresh && event.detail.data) fresh.dateTime = event.detail.data;
      event.preventDefault();
    }
  });
  document.addEventListener("htmx:afterSwap", () => { mark(at); tick(); });

  // Keys: rows carry data-row and data-open.
  let at = -1;
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const mark = (index) => {
    const all = rows();
    all.forEach((one, i) => one.classList.toggle("at", i === index));
    return all[index];
  };
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    at = Math.min(all.length - 1, Math.max(0, at + by));
    const row = mark(at);
    row.scrollIntoView({ block: "nearest" });
    const target = row.querySelector("a");
    if (target) target.focus({ preventScroll: true });
  };
  const places = { n: "/", i: "/incidents", t: "/tickets", o: "/oncall" };
  let going = false;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
    if (going) {
      going = false;
      if (places[event.key]) { location.assign(places[event.key]); event.preventDefault(); }
      return;
    }
    const row = rows()[at];
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "g") going = true;
    else if (event.key === "?") document.getElementById("keys")?.showModal();
    else if (event.key === "/") {
      const search = document.querySelector("input[type=search]");
      if (search) search.focus(); else location.assign("/incidents");
      event.preventDefault();
    } else if (event.key === "a") {
      const ask = document.querySelector("[data-approve]");
      const ack = document.getElementById("ack");
      if (ask) ask.focus();
      else if (ack) { ack.open = true; ack.querySelector("input:not([type=hidden])")?.focus(); event.preventDefault(); }
      else if (row?.dataset.open) location.assign(`${row.dataset.open}#ack`);
    }
  });
  // After the browser has gone to the fragment, which takes the focus away.
  if (location.hash === "#ack") addEventListener("load", () => setTimeout(() => {
    const ack = document.getElementById("ack");
    if (ack) { ack.open = true; ack.querySelector("input:not([type=hidden])")?.focus(); }
  }));
})();
