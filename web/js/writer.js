// Song Writer: what it wrote stands in two text widgets, where it can be changed and locked.
// A prompt holds these texts only while they are locked: shown there merely to be read, they
// would make another key of the cache, and the song would be sampled again at every run.

import { typeOf } from "./comfy.js";

export const WRITER = "AceSuiteSongWriter";
const TEXTS = ["tags", "lyrics"];
const known = new WeakMap(); // node -> {widget's name: text that nobody has typed}

const widgetOf = (node, name) => node.widgets?.find((one) => one.name === name);

export function prepareWriter(node) {
  if (typeOf(node) !== WRITER || !widgetOf(node, "lock")) return;
  remember(node);
  for (const name of TEXTS) {
    const widget = widgetOf(node, name);
    widget.serializeValue = () => (widgetOf(node, "lock").value ? widget.value : "");
    const changed = widget.callback;
    widget.callback = (...words) => {
      if (widget.value !== known.get(node)[name]) lock(node);
      return changed?.apply(widget, words);
    };
  }
  const configure = node.configure;
  node.configure = (info) => {
    known.set(node, new Proxy({}, { get: (_, name) => widgetOf(node, name).value }));
    try {
      return configure.call(node, info);
    } finally {
      remember(node);
    }
  };
}

function remember(node) {
  known.set(node, Object.fromEntries(TEXTS.map((name) => [name, widgetOf(node, name).value])));
}

function lock(node) {
  const widget = widgetOf(node, "lock");
  if (!widget.value) widget.value = true;
  remember(node);
  node.setDirtyCanvas?.(true, true);
}

// What a run wrote, unless the user's own text stands there.
export function written(node, facts) {
  const texts = facts.find((one) => one.written)?.written;
  if (typeOf(node) !== WRITER || !texts || widgetOf(node, "lock")?.value) return;
  known.set(node, { tags: texts.tags, lyrics: texts.lyrics });
  for (const name of TEXTS) widgetOf(node, name).value = texts[name];
}
