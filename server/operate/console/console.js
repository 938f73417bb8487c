// The console works without this. With it a page follows what happens, and has keyboard shortcuts.
"use strict";
(() => {
  const KEYS = "riposte-shortcuts";
  const listening = document.querySelector(".listening");
  const live = () => document.querySelector("[data-live]");

  // ---- following: the marked part of the page is replaced by the same part of the page as it is now

  const say = (on, text) => {
    if (listening) {
      listening.dataset.on = on ? "yes" : "no";
      if (listening.textContent !== text) {
        listening.textContent = text;
      }
    }
  };

  const placeOf = (element) => element && live().contains(element)
    ? element.id || element.getAttribute("href") : null;

  const restore = (place) => {
    if (place) {
      const found = [...live().querySelectorAll("[id], a[href]")]
        .find((element) => element.id === place || element.getAttribute("href") === place);
      found?.focus({preventScroll: true});
    }
  };

  const markNew = (known) => {
    for (const row of live().querySelectorAll(".incident")) {
      const link = row.querySelector("a");
      if (link && !known.has(link.id)) {
        row.classList.add("new");
        setTimeout(() => row.classList.remove("new"), 4000);
      }
    }
  };

  const refresh = async () => {
    const answer = await fetch(location.href, {credentials: "same-origin", cache: "no-store"});
    if (answer.redirected || answer.status === 401) {
      location.reload(); // the session is over: to the login
      return;
    }
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    if (!answer.ok || !next) {
      return;
    }
    const known = new Set([...live().querySelectorAll(".incident a")].map((link) => link.id));
    const open = [...live().querySelectorAll("details")].map((details) => details.open);
    const place = placeOf(document.activeElement);
    const isSame = next.querySelectorAll("details").length === open.length;
    next.querySelectorAll("details").forEach((details, at) => { details.open = isSame && open[at]; });
    live().replaceWith(document.adoptNode(next));
    if (known.size > 0) {
      markNew(known);
    }
    restore(place);
  };

  let waiting = null, busy = false;
  const later = () => {
    waiting ??= setTimeout(async () => {
      waiting = null;
      if (busy) {
        later();
        return;
      }
      busy = true;
      try {
        await refresh();
      } catch {
        say(false, "Not connected: trying again");
      }
      busy = false;
    }, 150);
  };

  const follow = () => {
    const wanted = live().dataset.live;
    const source = new EventSource(`/stream?after=${encodeURIComponent(live().dataset.after)}`);
    const on = () => say(true, "Live");
    source.addEventListener("open", on);
    source.addEventListener("ready", on);
    source.addEventListener("reset", later);
    source.addEventListener("incident", (event) => {
      if (wanted === "list" || JSON.parse(event.data).id === wanted) {
        later();
      }
    });
    source.addEventListener("error", () => {
      say(false, "Not connected: trying again");
      if (source.readyState === EventSource.CLOSED) { // refused: the session is over, or there are enough
        setTimeout(() => { later(); follow(); }, 5000);
      }
    });
    addEventListener("pagehide", () => source.close());
  };

  if (live()) {
    say(false, "Connecting");
    follow();
  }

  // ---- shortcuts: single letters, which can be turned off

  const isOn = () => {
    try { return localStorage.getItem(KEYS) !== "off"; } catch { return true; }
  };
  const turn = (on) => {
    try { localStorage.setItem(KEYS, on ? "on" : "off"); } catch { /* then for this page alone */ }
  };

  const rows = [
    ["?", "this help"], ["j, k", "next, previous incident or call"], ["Enter", "open it"], ["/", "to the filters"],
    ["i t r p h", "incidents, reactions, rules, playground, health"], ["a d u", "approve, dismiss, undo: asks first"],
  ];

  const make = (name, text, parent) => {
    const element = document.createElement(name);
    element.textContent = text;
    parent.append(element);
    return element;
  };

  let dialog = null;
  const help = () => {
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.setAttribute("aria-labelledby", "keys-title");
      make("h2", "Keyboard shortcuts", dialog).id = "keys-title";
      const list = make("dl", "", dialog);
      list.className = "facts";
      for (const [keys, what] of rows) {
        make("kbd", keys, make("dt", "", list));
        make("dd", what, list);
      }
      const check = make("p", "", dialog);
      check.className = "check";
      const box = document.createElement("input");
      Object.assign(box, {type: "checkbox", id: "keys-on", checked: isOn()});
      box.addEventListener("change", () => turn(box.checked));
      check.append(box);
      make("label", "Shortcuts are on", check).htmlFor = "keys-on";
      const close = make("button", "Close", dialog);
      close.addEventListener("click", () => dialog.close());
      document.body.append(dialog);
    }
    dialog.showModal();
  };

  const step = (by) => {
    const links = [...document.querySelectorAll(".incident .what a, .call summary")];
    const at = links.indexOf(document.activeElement);
    links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + by))]?.focus();
  };

  const isTyping = (element) => element.matches("input, select, textarea, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || dialog?.open) {
      return;
    }
    if (event.key === "?") {
      help();
    } else if (!isOn()) {
      return;
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    } else if (event.key === "/") {
      document.querySelector(".filters select")?.focus();
    } else {
      const link = [...document.querySelectorAll("[data-key]")].find((a) => a.dataset.key === event.key);
      if (!link) {
        return;
      }
      link.click();
    }
    event.preventDefault();
  });

  const keys = document.querySelector("button.keys");
  if (keys) {
    keys.hidden = false;
    keys.addEventListener("click", help);
  }
})();
