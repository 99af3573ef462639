// The page's one socket. `{` patches cells, `<` swaps panels. Nothing is ever ordered through it.
(() => {
  "use strict";
  const root = document.getElementById("live");
  if (!root) return;
  const link = document.getElementById("link");
  const bar = document.getElementById("link-bar");
  const failure = document.getElementById("failure");
  const pauseButtons = document.querySelectorAll("[data-pause]");
  const { carry, htmx } = window;
  const SIGNED_OUT = 4401, LOST_AFTER = 3000, ALARM_AFTER = 5000;
  const pending = new Map();
  const known = new Map();
  let socket, sequence = 0, tries = 0, paused = false, painting = false, heardAt = Date.now(), signedOut = false;

  function cell(key) {
    const element = known.get(key);
    if (element && element.isConnected) return element;
    known.clear();
    for (const found of document.querySelectorAll("[data-cell]")) known.set(found.dataset.cell, found);
    return known.get(key);
  }

  function paint() {
    painting = false;
    for (const [key, [text, classes, title]] of pending) {
      const element = cell(key);
      if (!element) continue;
      const all = `${element.dataset.base || ""} ${classes}`.trim();
      if (element.className !== all) element.className = all;
      if (title) element.title = title;
      const place = element.childElementCount ? element.querySelector("[data-text]") : element;
      if (place) carry.write(place, text);
    }
    pending.clear();
  }

  function patch(message) {
    if (!message.snapshot && message.seq !== sequence + 1) return socket.close(4000, "gap");
    sequence = message.seq;
    carry.offset = message.at - Date.now();
    for (const [key, value] of Object.entries(message.cells)) pending.set(key, value);
    for (const [key, at] of Object.entries(message.until || {})) {
      const element = cell(key);
      if (!element) continue;
      element.dataset.until = at;
      carry.write(element, carry.countdown(at - carry.now()));
    }
    if (pending.size && !painting) {
      painting = true;
      // A hidden tab paints once, when it is looked at again.
      requestAnimationFrame(paint);
    }
  }

  function show(state, word) {
    link.firstElementChild.className = `gl ${state}`;
    carry.write(link.querySelector("b"), word);
  }

  function judge() {
    const silent = Date.now() - heardAt;
    const lost = !paused && (silent > LOST_AFTER || !socket || socket.readyState !== WebSocket.OPEN);
    document.body.classList.toggle("link-lost", lost && silent > LOST_AFTER);
    if (signedOut) return;
    if (paused) show("warn", "Paused");
    else if (!lost) show("", "Live");
    else show("down", silent > LOST_AFTER ? `Not live, last update ${carry.time(heardAt + carry.offset)}` : "Connecting");
    bar.hidden = !(lost && silent > ALARM_AFTER);
    if (!bar.hidden) carry.write(bar, `Not live: the figures are those of ${carry.time(heardAt + carry.offset)} UTC. The kill switch still works.`);
  }

  function connect() {
    if (paused || signedOut) return;
    const query = new URLSearchParams({ panels: root.dataset.panels, tab: currentTab() });
    if (root.dataset.position) query.set("position", root.dataset.position);
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live?${query}`);
    socket.onmessage = ({ data }) => {
      heardAt = Date.now();
      tries = 0;
      if (paused) return;
      if (data[0] === "{") patch(JSON.parse(data));
      else htmx.swap(document.body, data, { swapStyle: "none" });
      judge();
    };
    socket.onclose = ({ code }) => {
      if (code === SIGNED_OUT) return leave();
      judge();
      tries += 1;
      setTimeout(connect, Math.min(5000, 250 * 2 ** tries) * (0.5 + Math.random() / 2));
    };
  }

  function leave() {
    signedOut = true;
    show("down", "Signed out");
    bar.hidden = false;
    const again = document.createElement("a");
    again.className = "tl";
    again.href = `${root.dataset.login}?next=${encodeURIComponent(location.pathname)}`;
    again.textContent = "Sign in again";
    bar.replaceChildren("You are signed out: nothing on this page is current. ", again);
  }

  const currentTab = () => document.querySelector("#positions [data-tab][aria-current]")?.dataset.tab || "open";
  const hint = (what) => socket && socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(what));

  document.addEventListener("visibilitychange", () => hint({ hidden: document.hidden }));
  for (const button of pauseButtons) button.addEventListener("click", () => {
    paused = !paused;
    for (const each of pauseButtons) {
      each.setAttribute("aria-pressed", paused);
      carry.write(each, paused ? "Resume updates" : "Pause updates");
    }
    if (paused) socket?.close(4001, "paused");
    else { heardAt = Date.now(); connect(); }
    judge();
  });

  // What htmx swapped in: dialogs open, the chosen row is marked, the socket learns the tab.
  const dialog = document.getElementById("dialog");
  document.body.addEventListener("htmx:afterSwap", ({ detail }) => {
    failure.hidden = true;
    const target = detail.target;
    if (!target) return;
    if (target === dialog && !dialog.open) dialog.showModal();
    if (target.id === "positions") hint({ tab: currentTab() });
    const chosen = document.getElementById("chart")?.dataset.selected;
    if (target.id === "chart") {
      for (const row of document.querySelectorAll("tr[data-base-asset]")) row.classList.toggle("sel", row.dataset.baseAsset === chosen);
    }
  });
  dialog.addEventListener("close", () => dialog.replaceChildren());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-dismiss]")) {
      event.preventDefault();
      dialog.close();
    }
  });

  function fail(sentence) {
    failure.hidden = false;
    carry.write(failure, sentence);
  }
  document.body.addEventListener("htmx:responseError", ({ detail }) => {
    const status = detail.xhr.status;
    const cause = { 403: "The form is too old or you may not do this.", 404: "It does not exist any more.", 429: "Too many tries: wait a minute." }[status];
    fail(`${cause || "The server failed; the reason is in its log."} Nothing was done (${status}). Reload the page.`);
  });
  document.body.addEventListener("htmx:sendError", () => fail("The server cannot be reached: nothing was sent."));

  // Old figures open nothing and close nothing; the kill switch is a plain form and stays.
  document.addEventListener("click", (event) => {
    if (!document.body.classList.contains("link-lost") || !event.target.closest(".needs-link")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    fail("Not live: wait for the link to come back, or reload the page.");
  }, true);

  setInterval(judge, 1000);
  connect();
})();
