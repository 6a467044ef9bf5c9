// The buttons above the picture, the choice of what it snaps to, and the tempo.

import { say } from "../comfy.js";
import { element } from "../panel.js";
import { FASTEST, KINDS, SLOWEST } from "./snap.js";
import { isLonger } from "./values.js";

// [name, sign, act, whether it is on]
const BUTTONS = [
  ["play", "▶", (editor) => editor.play(), (editor) => editor.player.isPlaying],
  ["loop", "⟳", (editor) => editor.toggleLoop(), (editor) => editor.isLooping],
  ["roll", "⇥", (editor) => editor.toggleRoll(), (editor) => editor.hasRoll],
  ["add", "+", (editor) => editor.addHere()],
  ["delete", "✕", (editor) => editor.remove()],
  ["undo", "↶", (editor) => editor.undo()],
  ["closer", "⊕", (editor) => editor.zoom(1.6)],
  ["farther", "⊖", (editor) => editor.zoom(1 / 1.6)],
];
const OF_REGIONS = new Set(["add", "delete", "roll", "loop"]);

export function toolbar(editor, node) {
  const isFor = ([name]) => !(isLonger(node.kind) && OF_REGIONS.has(name));
  const buttons = BUTTONS.filter(isFor);
  const made = buttons.map(([name, sign, act, isOn]) => button(name, sign, () => act(editor), isOn));
  const snap = choice(editor);
  const tempo = tempoField(editor, node);
  // A narrow node has them in two rows.
  const keys = element("div", "acesuite-regions-keys", ...made);
  const fields = element("div", "acesuite-regions-fields", snap, note(), tempo);
  const bar = element("div", "acesuite-regions-bar", keys, fields);
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", say("regions_tools"));
  for (const event of ["pointerdown", "keydown", "dblclick"])
    bar.addEventListener(event, (one) => one.stopPropagation());
  const follow = () => {
    for (const [index, [name, sign, , isOn]] of buttons.entries()) {
      if (isOn) made[index].setAttribute("aria-pressed", String(Boolean(isOn(editor))));
      if (name === "play") made[index].textContent = isOn(editor) ? "❚❚" : sign;
    }
    const guess = editor.outline?.pulse?.tempo;
    tempo.placeholder = guess ? `≈${Math.round(guess)}` : "–";
    if (document.activeElement !== tempo) tempo.value = node.tempo() || "";
    snap.value = editor.snap;
  };
  return { bar, follow };
}

function button(name, sign, act, isOn) {
  const made = element("button", "", sign);
  made.type = "button";
  made.dataset.name = name;
  made.title = say(`regions_${name}`);
  made.setAttribute("aria-label", made.title);
  if (isOn) made.setAttribute("aria-pressed", "false");
  made.addEventListener("click", act);
  return made;
}

function choice(editor) {
  const group = element("optgroup", "", ...KINDS.map((kind) => option(kind)));
  group.label = say("regions_snap_to");
  const made = element("select", "", group);
  made.title = say("regions_snap");
  made.setAttribute("aria-label", made.title);
  made.addEventListener("change", () => {
    editor.snap = made.value;
    editor.draw();
  });
  return made;
}

function option(kind) {
  const made = element("option", "", say(`regions_snap_${kind}`));
  made.value = kind;
  return made;
}

// What stands before a tempo in print; the field has a label of its own.
function note() {
  const made = element("span", "", "\u2669");
  made.setAttribute("aria-hidden", "true");
  return made;
}

function tempoField(editor, node) {
  const made = element("input");
  made.type = "number";
  [made.min, made.max, made.step] = [SLOWEST, FASTEST, 0.1].map(String);
  made.title = say("regions_tempo");
  made.setAttribute("aria-label", made.title);
  made.addEventListener("change", () => {
    const value = Number(made.value);
    node.setTempo(value >= SLOWEST && value <= FASTEST ? value : 0);
    editor.refresh();
    editor.draw();
  });
  return made;
}
