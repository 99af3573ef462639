// Shortcuts (Help lists them). No single key moves money; single letters can be turned off.
(() => {
  "use strict";
  const stored = (name) => localStorage.getItem(`carry.${name}`) !== "off";
  for (const name of ["single-keys", "function-keys"]) {
    const box = document.getElementById(name);
    if (!box) continue;
    box.checked = stored(name);
    box.addEventListener("change", () => localStorage.setItem(`carry.${name}`, box.checked ? "on" : "off"));
  }

  let chord = 0;
  const command = document.getElementById("command");
  const basis = (index) => document.querySelectorAll("#funding .seg a")[index]?.click();
  const page = (selector) => document.querySelector(`.fn ${selector}`)?.click();

  function move(step) {
    const links = [...document.querySelectorAll("#rates-table tbody th a, #positions tbody th a")];
    const at = links.indexOf(document.activeElement);
    links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
  }

  const single = {
    j: () => move(1),
    k: () => move(-1),
    t: () => document.querySelector("#ticket-form [name=symbol]")?.focus(),
    p: () => document.querySelector("[data-pause]")?.click(),
    g: () => { chord = Date.now(); },
    "/": () => command?.focus(),
    1: () => basis(0),
    2: () => basis(1),
    3: () => basis(2),
    "?": () => page("[data-go=H]"),
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      document.getElementById("kill")?.click();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k" && command?.offsetParent) {
      event.preventDefault();
      command.select();
      return;
    }
    if (event.key === "Escape" && event.target === command) command.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, dialog")) return;
    const functionKey = stored("function-keys") && document.querySelector(`.fn [data-function-key=${CSS.escape(event.key)}]`);
    if (functionKey) {
      event.preventDefault();
      functionKey.click();
    } else if (stored("single-keys")) {
      if (Date.now() - chord < 1000) {
        chord = 0;
        page(`[data-go=${CSS.escape(event.key.toUpperCase())}]`);
      } else if (single[event.key]) {
        event.preventDefault();
        single[event.key]();
      }
    }
  });
})();
