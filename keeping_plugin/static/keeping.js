// What makes the panel and the settings pleasant; every page works without it.
//
// The markup says what happens, in data-k-* attributes:
//   form, a [data-k-fetch]    is fetched as a fragment instead of loading a page
//   [data-k-region] with id   what an answer replaces: the element with the id of the answer's own
//                             region, else the region around whatever was submitted
//   region[data-k-src]        fetched at once; with data-k-poll="seconds" again after that time
//   region[data-k-keep]       an open form that survives when an answer replaces what is around it
//   [data-k-status]           its text is spoken through the root's [data-k-live]
//   [data-k-focus]            takes the focus after an answer; else focus goes back where it was
//   [data-k-busy]             on a button: what is spoken while its form is under way
//   [data-k-cancel]           is clicked by Esc in its form
//   select[data-k-controls]   ids of selects whose optgroups [data-k-for] depend on its value
//   input[data-k-suggest]     URL of a search, asked with q= while somebody types; the answer goes
//                             into the region whose id is the input's with "-found"
//   select[data-k-press]      id of a button that is pressed when its value changes
//   form[data-k-auto]         is submitted when one of its controls changes

//
// Mail stands in the same document as the panel and may hold any of these attributes, a
// <keeping-panel> or a <base>. So the script attends two kinds of roots only: the shadow root of a
// panel that embed.html printed, which this very script follows, and whole pages of the plugin.
// It fetches addresses of the plugin only, and reads them against the page's own address, never
// against a <base>.

import { isOwnPage, own } from "./own.js";

const RETRIES = 3; // of a save that found too many waiting
const roots = new WeakSet();
const running = new WeakMap(); // region -> its request under way
const timers = new WeakMap();

// Whether embed.html printed this panel. Sanitizers let unknown elements and templates pass, and
// never a script.
function isOwnPanel(panel) {
  const script = panel.nextElementSibling;
  if (!(script instanceof HTMLScriptElement) || script.type !== "module") return false;
  return own(script.getAttribute("src"))?.href === import.meta.url;
}

function find(root, id) {
  return id ? root.getElementById(id) : null;
}

function say(root, text) {
  const live = root.querySelector("[data-k-live]");
  if (live) live.textContent = text;
}

function complain(root, kind) {
  for (const name of ["offline", "broken"]) {
    const notice = root.querySelector(`[data-k-${name}]`);
    if (notice) notice.hidden = name !== kind;
  }
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// Open forms with something typed outlive the swap of the card around them.
function keepForms(region, fresh, trigger) {
  for (const open of region.querySelectorAll("[data-k-keep]")) {
    const place = fresh.querySelector(`[id="${CSS.escape(open.id)}"]`);
    if (place && !open.contains(trigger)) place.replaceWith(open);
  }
  for (const details of region.querySelectorAll("details[open][id]")) {
    const place = fresh.querySelector(`[id="${CSS.escape(details.id)}"]`);
    if (place) place.open = true;
  }
}

function swap(root, region, html, trigger) {
  const content = parse(html);
  const fresh = content.querySelector("[data-k-region]");
  if (!fresh) throw new TypeError("the answer is no fragment");
  const target = find(root, fresh.id) ?? region;
  const had = root.activeElement;
  const held = target.contains(had) || (had === null && trigger !== null);
  keepForms(target, fresh, trigger);
  target.replaceWith(fresh);
  ready(root, fresh);
  const status = fresh.matches("[data-k-status]") ? fresh : fresh.querySelector("[data-k-status]");
  say(root, status ? status.textContent.trim() : "");
  let focus = fresh.querySelector("[data-k-focus]");
  if (!focus && held) focus = find(root, had?.id) ?? find(root, trigger?.id);
  if (!focus && held) {
    fresh.tabIndex = -1; // what had the focus is gone; who listens goes on with what replaced it
    focus = fresh;
  }
  focus?.focus();
  if (!focus?.matches("[aria-invalid]")) focus?.select?.();
  return fresh;
}

// A form that was refused as a whole stays as it is, with what the answer says above it.
function refuse(root, region, content, trigger) {
  const form = trigger?.form ?? trigger;
  const said = content.querySelector("[data-k-said]");
  if (!(form instanceof HTMLFormElement) || !said) return false;
  region.querySelector("[data-k-refused]")?.remove();
  const notice = document.createElement("div");
  notice.className = "k-notice k-notice--bad";
  notice.dataset.kRefused = "";
  notice.tabIndex = -1;
  notice.append(...said.childNodes);
  form.prepend(notice);
  renew(root, content);
  say(root, notice.querySelector("[data-k-status]")?.textContent.trim() ?? "");
  notice.focus();
  return true;
}

// The token of the session as it is now, for every form of ours; null when the answer has none.
function renew(root, content) {
  const fresh = content.querySelector("[data-k-typed] input");
  if (!fresh) return null;
  for (const old of root.querySelectorAll(`input[type=hidden][name="${CSS.escape(fresh.name)}"]`)) {
    old.value = fresh.value;
  }
  return fresh;
}

async function ask(root, region, address, { body = null, trigger = null, busy = "" } = {}) {
  const url = own(address);
  if (!url) {
    complain(root, "broken");
    return;
  }
  const before = running.get(region);
  if (before?.saves) return; // pressed twice: the first save is still under way
  before?.control.abort();
  const mine = { control: new AbortController(), saves: body !== null };
  running.set(region, mine);
  region.setAttribute("aria-busy", "true");
  if (busy) say(root, busy);
  try {
    const send = () => fetch(url, {
      method: body ? "POST" : "GET",
      body,
      signal: mine.control.signal,
      mode: "same-origin", // and a redirect to another origin fails before anything goes there
      credentials: "same-origin",
      headers: { "X-Keeping-Fragment": "1", Accept: "text/html" },
    });
    let answer = await send();
    // Nothing was done, for too many were waiting: that passes in a moment, mostly.
    for (let tries = 0; body && tries < RETRIES && answer.headers.get("X-Keeping-Retry"); tries += 1) {
      await new Promise((done) => setTimeout(done, 400 + 400 * Math.random()));
      answer = await send();
    }
    // A login page or a proxy's error page is not ours to show.
    const fragment = answer.headers.get("X-Keeping-Fragment") === "1";
    if (!fragment || !own(answer.url)) throw new TypeError("not a fragment");
    let html = await answer.text();
    if (!region.isConnected) return;
    complain(root, "");
    // Logged in again in another tab: the page goes on with the new session's token.
    const fresh = body && answer.headers.get("X-Keeping-Refused") === "csrf" ? renew(root, parse(html)) : null;
    if (fresh) {
      body.set(fresh.name, fresh.value);
      answer = await send();
      html = await answer.text();
      if (!region.isConnected) return;
      if (answer.headers.get("X-Keeping-Fragment") !== "1") throw new TypeError("not a fragment");
    }
    if (body && answer.headers.get("X-Keeping-Refused") && refuse(root, region, parse(html), trigger)) return;
    swap(root, region, html, trigger);
  } catch (error) {
    if (error.name === "AbortError" || !region.isConnected) return;
    say(root, "");
    complain(root, navigator.onLine ? "broken" : "offline");
    later(root, region); // a poll goes on
  } finally {
    if (running.get(region) === mine) {
      running.delete(region);
      region.removeAttribute("aria-busy");
    }
  }
}

function later(root, region) {
  const seconds = Number(region.dataset.kPoll);
  if (!seconds) return;
  clearTimeout(timers.get(region));
  timers.set(region, setTimeout(() => {
    if (region.isConnected) ask(root, region, region.dataset.kSrc);
  }, seconds * 1000));
}

// Selects whose choices depend on another's: the groups that do not belong leave the document.
function depend(root, controller, above = [controller]) {
  for (const id of controller.dataset.kControls.split(" ")) {
    const select = find(root, id);
    if (!select || above.includes(select)) continue;
    select.keepingGroups ??= [...select.querySelectorAll("optgroup[data-k-for]")];
    const chosen = select.value;
    const value = controller.type === "checkbox" ? String(controller.checked) : controller.value;
    select.replaceChildren(
      ...[...select.children].filter((child) => !select.keepingGroups.includes(child)),
      ...select.keepingGroups.filter((group) => group.dataset.kFor === value),
    );
    const still = [...select.options].find((option) => option.value === chosen);
    if (still) still.selected = true;
    else select.value = "";
    if (select.dataset.kControls) depend(root, select, [...above, select]);
  }
}

function ready(root, within) {
  for (const select of within.querySelectorAll("[data-k-controls]")) depend(root, select);
  for (const select of within.querySelectorAll("[data-k-press]")) {
    const button = find(root, select.dataset.kPress);
    if (button) button.hidden = true; // choosing presses it
  }
  const regions = [...within.querySelectorAll("[data-k-src]")];
  if (within.dataset?.kSrc) regions.push(within);
  for (const region of regions) {
    if (region.dataset.kPoll) later(root, region);
    else ask(root, region, region.dataset.kSrc);
  }
}

function onSubmit(event) {
  const form = event.target;
  const root = event.currentTarget;
  const region = form.closest("[data-k-region]");
  const button = event.submitter;
  if (event.defaultPrevented) return;
  const url = own(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href);
  if (!url && (form.matches("[data-k-fetch]") || root instanceof ShadowRoot)) {
    event.preventDefault(); // it would carry the session's token to somebody else
    complain(root, "broken");
    return;
  }
  if (!form.matches("[data-k-fetch]") || !region) return;
  event.preventDefault();
  const data = new FormData(form, button);
  const busy = button?.dataset.kBusy ?? "";
  if (form.method === "post") ask(root, region, url, { body: data, trigger: button ?? form, busy });
  else {
    url.search = new URLSearchParams(data).toString();
    ask(root, region, url, { trigger: button ?? form, busy });
  }
}

function onClick(event) {
  const root = event.currentTarget;
  const link = event.target.closest("a[data-k-fetch]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const region = link?.closest("[data-k-region]");
  if (!region || !plain || event.defaultPrevented) return;
  event.preventDefault();
  ask(root, region, link.getAttribute("href"), { trigger: link });
}

function onKey(event) {
  const form = event.target.closest("form");
  if (!form || event.isComposing) return;
  if (event.key === "Escape") {
    const cancel = form.querySelector("[data-k-cancel]");
    if (cancel) {
      event.stopPropagation();
      cancel.click();
    }
  } else if (event.key !== "Enter") {
    return;
  } else if (event.target.matches("[data-k-suggest]")) {
    event.preventDefault();
    suggest(event.currentTarget, event.target);
  } else if (event.target.matches("textarea") && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.requestSubmit();
  }
}

// A search box asks for what it found while somebody types, beside itself.
function suggest(root, input) {
  clearTimeout(timers.get(input));
  const found = find(root, `${input.id}-found`);
  const url = own(input.dataset.kSuggest);
  if (!url) return;
  const kind = input.parentElement.querySelector("select")?.value;
  if (kind) url.pathname = url.pathname.replace(/[^/]+$/, encodeURIComponent(kind));
  url.searchParams.set("q", input.value);
  if (found) ask(root, found, url);
}

function onInput(event) {
  const input = event.target;
  const root = event.currentTarget;
  if (!input.matches("[data-k-suggest]")) return;
  clearTimeout(timers.get(input));
  timers.set(input, setTimeout(() => input.isConnected && suggest(root, input), 300));
}

function onChange(event) {
  const root = event.currentTarget;
  const { target } = event;
  if (target.matches("[data-k-controls]")) depend(root, target);
  find(root, target.dataset.kPress)?.click();
  target.closest("form[data-k-auto]")?.requestSubmit();
}

function attend(root) {
  if (roots.has(root)) return;
  roots.add(root);
  root.addEventListener("submit", onSubmit);
  root.addEventListener("click", onClick);
  root.addEventListener("keydown", onKey);
  root.addEventListener("input", onInput);
  root.addEventListener("change", onChange);
  ready(root, root);
}

class KeepingPanel extends HTMLElement {
  connectedCallback() {
    if (!isOwnPanel(this)) return;
    // Browsers without declarative shadow roots leave the template where it stands.
    const template = this.querySelector(":scope > template[shadowrootmode]");
    if (template && !this.shadowRoot) {
      this.attachShadow({ mode: "open" }).append(template.content);
      template.remove();
    }
    if (this.shadowRoot) attend(this.shadowRoot);
  }
}

if (!customElements.get("keeping-panel")) customElements.define("keeping-panel", KeepingPanel);
if (isOwnPage()) attend(document);
