// ComfyUI's page as this pack uses it; the only file that knows its objects by name.

import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";
import { sayer } from "./words.js";

export { api, app };

export const root = () => app.rootGraph ?? app.graph;
export const shownGraph = () => app.canvas?.graph ?? app.graph; // the root or a subgraph
export const setting = (id) => app.extensionManager?.setting?.get(id);
export const say = (...what) => sayer(setting("Comfy.Locale"))(...what);

// Nodes 2.0 lay themselves out; on the canvas a node has the size it is given.
export const isCanvas = () => !setting("Comfy.VueNodes.Enabled");

export function addressOf({ filename, subfolder, type }) {
  const asked = new URLSearchParams({ filename, subfolder: subfolder ?? "", type });
  asked.set("rand", String(Math.random())); // temporary names come again after a restart
  return api.apiURL(`/view?${asked}`);
}

// A copy of a result in the input folder, where ComfyUI's loader has a player for it and where
// it outlives the temporary folder. Its name there, or null where the server does not take it.
export async function asInput(clip) {
  try {
    const sound = await (await fetch(addressOf(clip))).blob();
    const form = new FormData();
    form.append("image", sound, clip.filename); // so named for every kind of file
    const answer = await api.fetchApi("/upload/image", { method: "POST", body: form });
    if (!answer.ok) return null;
    const { name, subfolder } = await answer.json();
    return subfolder ? `${subfolder}/${name}` : name;
  } catch {
    return null;
  }
}

// Ids in messages and prompts are "57:3" for node 3 of the subgraph in node 57.
export function nodeAt(id) {
  let graph = root();
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById(/^-?\d+$/.test(part) ? Number(part) : part) ?? null;
    graph = node?.subgraph;
  }
  return node;
}

// [id, node] of all nodes, those of subgraphs as well.
export function everyNode(graph = root(), before = "") {
  return (graph?.nodes ?? graph?._nodes ?? []).flatMap((node) => {
    const id = `${before}${node.id}`;
    return [[id, node], ...(node.subgraph ? everyNode(node.subgraph, `${id}:`) : [])];
  });
}

export const registered = (type) => globalThis.LiteGraph?.registered_node_types?.[type];
export const typeOf = (node) => node.comfyClass ?? node.type;
export const titleOf = (node, type) => node?.title ?? type;

// What the page calls a node's inputs, by their names.
export function labelsOf(node) {
  const all = [...(node?.inputs ?? []), ...(node?.widgets ?? [])];
  return Object.fromEntries(all.map((one) => [one.name, one.label || one.localized_name || one.name]));
}

const TOAST = "acesuite-toast";
const toasts = new Map(); // what a toast is about -> a function that takes it away
const watched = new WeakSet(); // boxes of the page that toasts keep below

// `key` names what it is about: a newer one takes the place of the older.
export function toast(key, severity, summary, detail, life) {
  untoast(key);
  const shown = app.extensionManager?.toast;
  if (!shown) return;
  if (shown.dismiss) {
    // Newer pages: a function for each kind, and an id; without a duration it stays.
    const kind = severity === "warn" ? "warning" : severity;
    const id = shown[kind](summary, { description: detail, ...(life ? { duration: life } : {}) });
    toasts.set(key, () => shown.dismiss(id));
  } else {
    const message = { severity, summary, detail, styleClass: TOAST, ...(life ? { life } : {}) };
    shown.add(message);
    toasts.set(key, () => shown.remove?.(message));
  }
  for (const late of [400, 1500, 4000]) setTimeout(below, late); // as busy as the page may be
}

// Newer pages have a box of their own for errors in the place of toasts, and it grows.
function below() {
  const box = document.querySelector("[data-testid=error-overlay]");
  const first = document.querySelector(`.${TOAST}`);
  if (!box || !first) return;
  if (!watched.has(box)) new ResizeObserver(below).observe(box);
  watched.add(box);
  // Where it would be without what it was moved by: the box may have grown since.
  const own = first.getBoundingClientRect().top - (Number.parseFloat(first.style.marginTop) || 0);
  const { bottom } = box.getBoundingClientRect();
  if (bottom > own) first.style.marginTop = `${bottom - own + 8}px`;
}

export function untoast(key) {
  toasts.get(key)?.();
  toasts.delete(key);
}

export const untoastAll = () => [...toasts.keys()].forEach(untoast);

export async function lastRuns(most = 32) {
  try {
    const answer = await api.fetchApi(`/history?max_items=${most}`);
    return answer.ok ? await answer.json() : {};
  } catch {
    return {}; // the server is gone; the page says so by itself
  }
}
