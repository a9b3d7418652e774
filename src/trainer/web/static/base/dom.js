// Elements made from plain values, and form controls.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** Set an element's text, if it is another one: a screen reader reads out each change of a status. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Switch a button off or on. Unlike the attribute `disabled` this leaves the focus on it; what it calls asks `isOff`. */
export const switchOff = (button, off) => button.setAttribute("aria-disabled", String(off));
export const isOff = (button) => button.getAttribute("aria-disabled") === "true";

/** Give an element the colours of a game's players and of its board. */
export function dress(element, info) {
  const [first, second] = info.player_names.map((name) => name.toLowerCase());
  Object.assign(element.dataset, { game: info.env_id, board: info.board_type, first, second });
}

/** A choice of one option: radio buttons that look like one switch. `options`: [[value, text]]. */
export function choice(label, name, options, chosen, onchange) {
  return el(
    "fieldset",
    { class: "choice" },
    el("legend", {}, label),
    el(
      "div",
      { class: "segments" },
      ...options.map(([value, text]) =>
        el(
          "label",
          {},
          el("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }),
          el("span", {}, text),
        ),
      ),
    ),
  );
}

/** Whether a key press is meant for the browser or a form control. Switches and sliders only take arrow keys. */
export function typing(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  const field = event.target.closest("input:not([type=checkbox]), select, textarea");
  return field !== null && (!["radio", "range"].includes(field.type) || event.key.startsWith("Arrow"));
}
