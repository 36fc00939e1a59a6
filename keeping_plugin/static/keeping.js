// templates/keeping/live.html says what this does, and which pages and addresses it trusts.

import { attendKeys, readyKeys } from "./keys.js";
import { isOwnPage, own } from "./own.js";

const RETRIES = 3; // of a save that found too many waiting
const LONG = 60; // characters, from which on a value is gone on with and not replaced
const PATIENCE = 600; // ms, after which the last known card is shown
const roots = new WeakSet();
const running = new WeakMap(); // region -> its request under way
const timers = new WeakMap();
const behind = new WeakMap(); // region -> what it replaced, and from which control
const changed = new Map(); // form with something typed -> its root

// Whether embed.html printed this panel: mail may hold unknown elements, and never a script.
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

function complain(root, kind, said = null) {
  for (const name of ["offline", "broken"]) {
    const notice = root.querySelector(`[data-k-${name}]`);
    if (!notice) continue;
    notice.keepingText ??= notice.textContent;
    if (said && name === kind) notice.replaceChildren(...said.childNodes);
    else notice.textContent = notice.keepingText;
    notice.hidden = name !== kind;
  }
}

// Where the person is: the focused element, across shadow roots; null when it is nowhere.
function whereabouts() {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at === document.body || at?.shadowRoot ? null : at;
}

function isWithin(region) {
  const at = whereabouts();
  return at === null || region.contains(at);
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// An element moves within the document; focus, caret and scrolling go along.
function move(element, place) {
  const at = whereabouts();
  const held = element.contains(at);
  const caret = held && [at.selectionStart, at.selectionEnd];
  if (element.isConnected && place.parentNode.moveBefore) {
    place.parentNode.moveBefore(element, place);
    place.remove();
  } else {
    place.replaceWith(element);
    if (held) at.focus({ preventScroll: true });
    if (caret?.[0] != null) at.setSelectionRange(...caret);
  }
}

// Open forms outlive the swap of the card around them; a typed one without a place stays above it.
function keepForms(old, fresh, finished) {
  const open = [...old.querySelectorAll("[data-k-keep]")];
  if (old.matches("[data-k-keep]")) open.push(old);
  for (const editor of open) {
    if (finished && editor.contains(finished)) continue;
    const place = editor === old ? null : fresh.querySelector(`[id="${CSS.escape(editor.id)}"]`);
    const form = editor.querySelector("form");
    if (place) {
      move(editor, place);
      behind.set(editor, { ...behind.get(editor), node: place });
    } else if (changed.has(form)) {
      const shelf = document.createElement(editor === old ? "div" : "dl");
      const space = document.createElement("div");
      shelf.append(space);
      shelf.className = "k-section";
      fresh.prepend(shelf);
      move(editor === old ? form : editor, space);
    }
  }
  for (const details of old.querySelectorAll("details[open][id]")) {
    const place = fresh.querySelector(`[id="${CSS.escape(details.id)}"]`);
    if (place) place.open = true;
  }
}

// A long text is gone on with at its end; a short one is mostly replaced.
function focusOn(element, region) {
  element.focus({ preventScroll: true });
  (element === region ? region.firstElementChild ?? region : element).scrollIntoView({ block: "nearest" });
  if (element.matches("[aria-invalid]")) return;
  if (element.matches("textarea") || element.value?.length > LONG) {
    const end = element.value.length;
    element.setSelectionRange?.(end, end);
    element.scrollTop = element.scrollHeight;
  } else element.select?.();
}

function swap(root, region, html, { trigger = null, sent = false } = {}) {
  const fresh = parse(html).querySelector("[data-k-region]");
  if (!fresh) throw new TypeError("the answer is no fragment");
  const target = find(root, fresh.id) ?? region;
  const at = whereabouts();
  const held = target.contains(at) || (at === null && trigger !== null);
  const before = behind.get(target);
  const opened = !sent && trigger && fresh.querySelector("[data-k-cancel]");
  const finished = sent || trigger?.matches("[data-k-cancel]") ? trigger : null;
  const marked = fresh.querySelector("[data-k-focus]");
  target.before(fresh);
  for (const old of opened ? [] : [target, before?.node]) {
    if (old) keepForms(old, fresh, finished);
    for (const form of changed.keys()) if (old?.contains(form)) changed.delete(form);
  }
  target.remove();
  if (opened) behind.set(fresh, { node: target, from: trigger.id });
  else if (before && fresh.querySelector("[data-k-cancel]")) behind.set(fresh, { from: before.from });
  if (sent) for (const form of fresh.querySelectorAll("[data-k-keep] form")) edited(root, form);
  if (sent && fresh.matches("[data-k-keep]")) edited(root, fresh.querySelector("form"));
  ready(root, fresh);
  const status = fresh.matches("[data-k-status]") ? fresh : fresh.querySelector("[data-k-status]");
  say(root, status ? status.textContent.trim() : "");
  if (!held || fresh.contains(whereabouts())) return;
  let focus = [marked, ...[at?.id, trigger?.id, before?.from].map((id) => find(root, id))].find((one) => one && fresh.contains(one));
  if (!focus) {
    fresh.tabIndex = -1; // what had the focus is gone; who listens goes on with what replaced it
    focus = fresh;
  }
  focusOn(focus, fresh);
}

// What the region replaced comes back as it was, with the focus; false when it has to be read again.
function putBack(root, region) {
  const before = behind.get(region);
  if (!before?.node || running.get(region)?.saves) return false;
  const held = isWithin(region);
  running.get(region)?.control.abort();
  region.replaceWith(before.node);
  for (const form of changed.keys()) if (region.contains(form)) changed.delete(form);
  ready(root, before.node);
  say(root, "");
  complain(root, "");
  if (held) (find(root, before.from) ?? before.node).focus();
  return true;
}

// A form in which something was typed: whoever leaves the page is asked first.
function edited(root, form) {
  changed.set(form, root);
  addEventListener("beforeunload", onLeave);
}

function onLeave(event) {
  if ([...changed.values()].some((root) => root.isConnected)) event.preventDefault();
}

// A refusal changes nothing: it stands above its form, or in the notice below the panel.
function refuse(root, region, content, trigger, { sent }) {
  const form = trigger?.form ?? trigger;
  const said = content.querySelector("[data-k-said]");
  if (!said || !region.querySelector("[data-k-state], form, dd")) return false;
  for (const link of said.querySelectorAll("[data-k-here]")) link.href = location.href;
  if (!sent || !(form instanceof HTMLFormElement)) {
    complain(root, "broken", said);
    return true;
  }
  const held = isWithin(region);
  region.querySelector("[data-k-refused]")?.remove();
  const notice = document.createElement("div");
  notice.className = "k-notice k-notice--bad";
  notice.dataset.kRefused = "";
  notice.tabIndex = -1;
  notice.append(...said.childNodes);
  form.prepend(notice);
  renew(root, content);
  say(root, notice.querySelector("[data-k-status]")?.textContent.trim() ?? "");
  if (held) focusOn(notice, region);
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

async function send(url, body, signal) {
  const answer = await fetch(url, {
    method: body ? "POST" : "GET",
    body,
    signal,
    mode: "same-origin",
    credentials: "same-origin",
    headers: {
      "X-Keeping-Fragment": "1",
      "X-Keeping-Time-Zone": Intl.DateTimeFormat().resolvedOptions().timeZone,
      Accept: "text/html",
    },
  });
  // A login page or a proxy's error page is not ours to show.
  if (!answer.headers.get("X-Keeping-Fragment") || !own(answer.url)) throw new TypeError("not a fragment");
  return answer;
}

// The button that was pressed says so until the answer is there; it cannot be pressed again.
function occupy(button) {
  if (!button?.dataset.kBusy) return () => {};
  const text = [...button.childNodes];
  button.textContent = `${button.dataset.kBusy.split(" ")[0]}…`;
  button.setAttribute("aria-disabled", "true");
  return () => {
    button.replaceChildren(...text);
    button.removeAttribute("aria-disabled");
  };
}

async function ask(root, region, address, { body = null, trigger = null, button = trigger } = {}) {
  const url = own(address);
  if (!url) {
    complain(root, "broken");
    return;
  }
  const before = running.get(region);
  if (before?.saves) return; // pressed twice: the first save is still under way
  before?.control.abort();
  const sent = body !== null;
  const mine = { control: new AbortController(), saves: sent };
  running.set(region, mine);
  region.setAttribute("aria-busy", "true");
  if (button?.dataset.kBusy) say(root, button.dataset.kBusy);
  const free = occupy(button);
  showKnown(root, region, mine);
  try {
    let answer = await send(url, body, mine.control.signal);
    // Nothing was done, for too many were waiting.
    for (let tries = 0; body && tries < RETRIES && answer.headers.get("X-Keeping-Retry"); tries += 1) {
      await new Promise((done) => setTimeout(done, 400 + 400 * Math.random()));
      answer = await send(url, body, mine.control.signal);
    }
    let html = await answer.text();
    if (!region.isConnected) return;
    complain(root, "");
    // Logged in again in another tab: the page goes on with the new session's token.
    const fresh = body && answer.headers.get("X-Keeping-Refused") === "csrf" ? renew(root, parse(html)) : null;
    if (fresh) {
      body.set(fresh.name, fresh.value);
      answer = await send(url, body, mine.control.signal);
      html = await answer.text();
      if (!region.isConnected) return;
    }
    const refused = sent ? answer.headers.get("X-Keeping-Refused") : !answer.ok && trigger;
    if (refused && refuse(root, region, parse(html), trigger, { sent })) return;
    swap(root, region, html, { trigger, sent });
  } catch (error) {
    if (error.name === "AbortError" || !region.isConnected) return;
    say(root, "");
    complain(root, navigator.onLine ? "broken" : "offline");
    later(root, region); // a poll goes on
  } finally {
    free();
    if (running.get(region) === mine) {
      running.delete(region);
      region.removeAttribute("aria-busy");
    }
  }
}

async function showKnown(root, region, mine) {
  const url = region.dataset.kKnown && own(region.dataset.kKnown);
  if (!url) return;
  await new Promise((done) => setTimeout(done, PATIENCE));
  if (running.get(region) !== mine) return;
  const html = await send(url, null, mine.control.signal)
    .then((answer) => answer.text())
    .catch(() => ""); // Salesforce has answered, or nobody does
  const known = parse(html).querySelector("[data-k-state=known]");
  if (!known || running.get(region) !== mine) return;
  region.replaceChildren(...known.childNodes);
  region.dataset.kState = "known";
  dress(root, region);
  say(root, region.querySelector("[data-k-status]")?.textContent.trim() ?? "");
}

function later(root, region) {
  const seconds = Number(region.dataset.kPoll);
  if (!seconds) return;
  clearTimeout(timers.get(region));
  timers.set(region, setTimeout(() => {
    if (region.isConnected) ask(root, region, region.dataset.kSrc);
  }, seconds * 1000));
}

// Groups of choices that do not belong leave the document.
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

function dress(root, within) {
  readyKeys(within);
  for (const select of within.querySelectorAll("[data-k-controls]")) depend(root, select);
  for (const select of within.querySelectorAll("[data-k-press]")) {
    const button = find(root, select.dataset.kPress);
    if (button) button.hidden = true; // choosing presses it
  }
  for (const button of within.querySelectorAll("[data-k-copy]")) button.hidden = !navigator.clipboard;
}

function ready(root, within) {
  dress(root, within);
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
  const trigger = button ?? form;
  // Enter in a text presses the hidden first button; the one that is seen tells what happens.
  const seen = button?.matches(".k-visually-hidden") ? form.querySelector(".k-button--primary") : button;
  if (form.method === "post") ask(root, region, url, { body: data, trigger, button: seen });
  else {
    url.search = new URLSearchParams(data).toString();
    ask(root, region, url, { trigger, button: seen });
  }
}

function onClick(event) {
  const root = event.currentTarget;
  const { target } = event;
  const value = target.closest("[data-k-edit]");
  // The end of a selection is no wish to edit.
  const chosen = (root.getSelection ? root : document).getSelection().toString();
  if (value && !chosen && !target.closest("a, button, summary")) {
    const pencil = find(root, value.dataset.kEdit);
    pencil?.focus({ preventScroll: true }); // text has no focus of its own
    pencil?.click();
  }
  const copy = target.closest("[data-k-copy]");
  if (copy) copyText(root, copy);
  const away = target.closest("[data-k-back]");
  if (away) addEventListener("focus", () => find(root, away.dataset.kBack)?.click(), { once: true });
  const link = target.closest("a[data-k-fetch]");
  const plain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey);
  const region = link?.closest("[data-k-region]");
  if (!region || !plain || event.defaultPrevented) return;
  event.preventDefault();
  if (running.get(region)?.saves || (link.matches("[data-k-cancel]") && putBack(root, region))) return;
  ask(root, region, link.getAttribute("href"), { trigger: link });
}

function copyText(root, button) {
  const done = () => {
    say(root, "Copied");
    button.dataset.kDone = "";
    setTimeout(() => delete button.dataset.kDone, 1500);
  };
  navigator.clipboard.writeText(button.dataset.kCopy).then(done, () => say(root, "Not copied"));
}

// Esc closes the editor in which the person is, else the last one that stands open.
function onEscape(event) {
  const root = event.currentTarget;
  const within = event.target.closest("[data-k-region]:has([data-k-cancel])") ?? root;
  const cancel = [...within.querySelectorAll("[data-k-cancel]")].pop();
  if (!cancel) return;
  event.stopPropagation();
  if (changed.has(cancel.closest("form")) && !confirm("Discard what you changed?")) return;
  cancel.click();
}

function onKey(event) {
  if (event.isComposing || event.keyCode === 229) return; // Safari
  const form = event.target.closest("form");
  if (event.key === "Escape") {
    onEscape(event);
  } else if (event.key !== "Enter" || !form) {
    return;
  } else if (event.target.matches("[data-k-suggest]")) {
    event.preventDefault();
    suggest(event.currentTarget, event.target);
  } else if (event.target.matches("textarea, select") && (event.ctrlKey || event.metaKey)) {
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

// A number as it is understood, as locales.py reads it.
function echo(input, output) {
  const format = new Intl.NumberFormat(output.dataset.kEcho, { maximumFractionDigits: 18 });
  const text = input.value.normalize("NFKC").replace(/[\s'’]/g, "").replace("−", "-");
  const [, whole, mark, rest] = /^([+-]?\d[\d.,]*?)(?:([.,])(\d*))?$/.exec(text) ?? [];
  const digits = whole?.replace(/[.,]/g, "");
  const both = [format.format(digits + rest), format.format(`${digits}.${rest}`)];
  if (!whole) output.textContent = "";
  else if (!mark) output.textContent = format.format(digits);
  else if (whole !== digits) output.textContent = both[whole.includes(mark) ? 0 : 1];
  else output.textContent = /^[+-]?[1-9]\d{0,2}$/.test(whole) && rest.length === 3 ? `${both[0]} or ${both[1]}?` : both[1];
}

function onInput(event) {
  const input = event.target;
  const root = event.currentTarget;
  if (input.form && input.closest("[data-k-keep]")) edited(root, input.form);
  const output = find(root, `${input.id}-echo`);
  if (output) echo(input, output);
  if (event.isComposing || !input.matches("[data-k-suggest]")) return;
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
  for (const name of ["input", "compositionend"]) root.addEventListener(name, onInput);
  root.addEventListener("change", onChange);
  attendKeys(root);
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
