// Times of the page for end users, in the reader's zone. It works without.
"use strict";
document.querySelectorAll("time[data-t]").forEach((one) => {
  const at = new Date(one.dateTime);
  if (!Number.isNaN(at.getTime())) one.textContent = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(at);
});
