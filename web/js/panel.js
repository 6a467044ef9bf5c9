// What a node shows on itself: one DOM widget, the last of its widgets, made when it is needed.
//   parts {error, clips, sections} -> elements -> the widget, as high as they are

import { isCanvas, shownGraph } from "./comfy.js";

const MARGIN = 10; // of a DOM widget on the canvas
const panels = new WeakMap();

export const element = (tag, name, ...inside) => {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside);
  return made;
};

// `name`: ComfyUI's page looks for a widget of its own name on nodes that give sound to hear.
export function panelOf(node, name = "acesuite") {
  if (!panels.has(node)) panels.set(node, new Panel(node, name));
  return panels.get(node);
}

export const existingPanel = (node) => panels.get(node);

// The newer renderer of some versions (0.20.1) keeps what it drew of a node for the next one of
// the same id, when another graph is opened: the element of the node that is there takes its
// place. Whether it is drawn.
export function settle(node, outer) {
  if (!outer.isConnected && node.graph === shownGraph())
    document.querySelector(`[data-node-id="${node.id}"] .${outer.className}`)?.replaceWith(outer);
  return outer.isConnected;
}

class Panel {
  constructor(node, name) {
    this.node = node;
    this.height = 0;
    this.grown = 0; // by how much this panel has made its node higher
    this.parts = new Map();
    this.content = element("div", "acesuite-content");
    this.outer = element("div", "acesuite-panel", this.content);
    this.widget = node.addDOMWidget(name, "acesuite_panel", this.outer, {
      serialize: false,
      hideOnZoom: false,
      margin: MARGIN,
      getValue: () => "",
      setValue: () => {},
    });
    // Exactly as high as its content: in Nodes 2.0 a layout size would ask for all that is free.
    this.widget.computeLayoutSize = undefined;
    this.widget.computeSize = (width) => [width ?? 0, this.room];
    this.widget.serialize = false; // neither in workflows nor in prompts
    this.widget.hidden = true;
    this.observer = new ResizeObserver(() => this.fit());
    this.observer.observe(this.content);
    const removed = node.onRemoved;
    node.onRemoved = (...words) => {
      this.observer.disconnect();
      for (const audio of this.content.querySelectorAll("audio")) audio.pause();
      return removed?.apply(node, words);
    };
  }

  // The page adds 4 to it.
  get room() {
    return this.height ? this.height + 2 * MARGIN : -4;
  }

  // Parts keep the order in which PARTS names them; null takes one away.
  put(part, made) {
    if (made) this.parts.set(part, made);
    else this.parts.delete(part);
    const all = PARTS.map((name) => this.parts.get(name)).filter(Boolean);
    this.content.replaceChildren(...all);
    this.widget.hidden = !all.length;
    if (!all.length) this.resize(0);
    else if (!this.height) this.resize(24);
    this.node.setDirtyCanvas?.(true, true);
  }

  settle() {
    settle(this.node, this.outer);
  }

  // The first of its clips; browsers may forbid it until the page was clicked on.
  play() {
    this.content.querySelector("audio")?.play().catch(() => {});
  }

  fit() {
    const height = this.content.offsetHeight;
    if (height && Math.abs(height - this.height) > 1) this.resize(height);
  }

  resize(height) {
    const more = height - this.height;
    this.height = height;
    if (!isCanvas() || !more) return;
    const { node } = this;
    const [width, before] = node.size;
    const needed = node.computeSize()[1];
    if (more > 0 && needed > before) {
      this.grown += needed - before;
      node.setSize([width, needed]);
    } else if (more < 0 && this.grown) {
      const back = Math.min(this.grown, -more);
      this.grown -= back;
      node.setSize([width, Math.max(before - back, needed)]);
    }
    node.setDirtyCanvas?.(true, true);
  }
}

const PARTS = ["error", "clips", "sections"];

export function styled() {
  for (const sheet of ["./panel.css", "./regions/regions.css"]) {
    const link = element("link");
    link.rel = "stylesheet";
    link.href = new URL(sheet, import.meta.url).href;
    document.head.append(link);
  }
}
