"use strict";
// Without this the page is as complete; with it an open page stays true.
setInterval(async () => {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = document.querySelector("main");
    const after = fresh.querySelector("main");
    if (!after || before.innerHTML === after.innerHTML) return;
    before.replaceWith(document.adoptNode(after));
    document.title = fresh.title;
  } catch {
    // The next turn tries again.
  }
}, 15000);
