// Clock and countdowns from the server's time: the device's own clock may be wrong.
(() => {
  "use strict";
  const two = (n) => String(n).padStart(2, "0");
  const clock = document.getElementById("clock");

  // Same rule as `countdown` in trading/templatetags/carry_format.py.
  function countdown(milliseconds) {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  }

  const carry = {
    offset: clock ? Number(clock.dataset.now) - Date.now() : 0,
    countdown,
    now() { return Date.now() + carry.offset; },
    time(at) {
      const date = new Date(at);
      return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
    },
    write(node, text) {
      if (node.firstChild && node.firstChild.nodeType === Node.TEXT_NODE) {
        if (node.firstChild.data !== text) node.firstChild.data = text;
      } else if (node.textContent !== text) node.textContent = text;
    },
  };
  window.carry = carry;

  const zone = clock && clock.dataset.zone !== "UTC" ? clock.dataset.zone : null;
  const local = zone && new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" });
  const city = zone && zone.split("/").pop().replaceAll("_", " ");

  function tick() {
    const now = carry.now();
    if (clock) {
      carry.write(clock.querySelector("b"), carry.time(now));
      clock.dateTime = `${new Date(now).toISOString().slice(0, 19)}Z`;
      if (local) carry.write(clock.querySelector(".x"), `${local.format(now)} ${city}`);
    }
    for (const element of document.querySelectorAll("time[data-until]")) {
      if (element.dataset.until) carry.write(element, countdown(Number(element.dataset.until) - now));
    }
    setTimeout(tick, 1000 - (carry.now() % 1000));
  }
  tick();
})();
