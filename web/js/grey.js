// Widgets without effect, greyed on their nodes: whenever a value or a link changes.

import { isCanvas, typeOf } from "./comfy.js";
import { UNKNOWN, hasRules, idle, inputsOf } from "./effect.js";

const PASSING = "Reroute";

export function prepareGrey(node) {
  if (!hasRules(typeOf(node))) return;
  for (const widget of node.widgets ?? []) {
    const changed = widget.callback;
    widget.callback = (...words) => {
      const answer = changed?.apply(widget, words);
      queueMicrotask(() => grey(node));
      return answer;
    };
  }
  for (const event of ["onConnectionsChange", "onConfigure"]) {
    const before = node[event];
    node[event] = (...words) => {
      const answer = before?.apply(node, words);
      queueMicrotask(() => grey(node));
      return answer;
    };
  }
  grey(node);
}

// Once the whole graph is there: what a link comes from may have been made after this node.
export function grey(node) {
  if (!hasRules(typeOf(node)) || !node.widgets || !node.graph) return; // or it was taken away
  const inputs = inputsOf(node.widgets);
  const values = Object.fromEntries(inputs.map((one) => [one.name, one.value]));
  const without = idle(typeOf(node), values, linksOf(node));
  for (const widget of inputs) {
    const isIdle = without.has(widget.name);
    const text = textOf(widget);
    if (text) fade(text, isIdle);
    const isDisabled = isIdle && !text;
    if (Boolean(widget.disabled) !== isDisabled)
      Reflect.set(widget, "disabled", isDisabled); // a seed's control follows it
  }
  node.setDirtyCanvas?.(true, true);
}

// On the canvas the page takes a text away that is disabled; here it stays, to be read.
const textOf = ({ element }) => (isCanvas() && element?.tagName === "TEXTAREA" ? element : null);

function fade(text, isIdle) {
  text.readOnly = isIdle;
  text.style.opacity = isIdle ? "0.5" : "";
}

function linksOf(node) {
  const links = {};
  for (const [slot, input] of (node.inputs ?? []).entries()) {
    let from = input.link == null ? null : node.getInputNode?.(slot);
    while (from?.type === PASSING) from = from.getInputNode?.(0);
    if (input.link != null) links[input.name] = from ? typeOf(from) : UNKNOWN;
  }
  return links;
}
