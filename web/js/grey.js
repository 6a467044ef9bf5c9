// Widgets without effect, greyed on their nodes: whenever a value or a link changes.

import { typeOf } from "./comfy.js";
import { UNKNOWN, hasRules, idle } from "./effect.js";

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
  const values = Object.fromEntries(node.widgets.map((one) => [one.name, one.value]));
  const without = idle(typeOf(node), values, linksOf(node));
  for (const widget of node.widgets)
    if (Boolean(widget.disabled) !== without.has(widget.name))
      Reflect.set(widget, "disabled", without.has(widget.name)); // a seed's control follows it
  node.setDirtyCanvas?.(true, true);
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
