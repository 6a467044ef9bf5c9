// Pointer, touch, wheel and keys on the picture, as commands of its editor.

import { added, hit, moved, placed, resized } from "./algebra.js";
import { END, REACH, START } from "./editor.js";
import { MAP, SECTIONS } from "./paint.js";
import { fitted, kept, scrolled, timeAt, xOf, zoomed } from "./time.js";

const SLACK = 3; // pixels that a click may move
const WIDER = 2; // how much wider a finger's reach is

export function listen(canvas, editor) {
  const gestures = new Gestures(canvas, editor);
  const on = (name, act, options) =>
    canvas.addEventListener(name, (event) => act.call(gestures, event), options);
  on("pointerdown", gestures.down);
  on("pointermove", gestures.move);
  on("pointerup", gestures.up);
  on("pointercancel", gestures.cancel);
  on("dblclick", gestures.twice);
  on("wheel", gestures.wheel, { passive: false });
  on("keydown", gestures.key);
  on("contextmenu", gestures.menu);
}

class Gestures {
  constructor(canvas, editor) {
    Object.assign(this, { canvas, editor });
    this.pointers = new Map(); // id -> x
    this.drag = null; // (time, isFree, x) => void, for what is dragged
    this.isPinching = false; // until all fingers are up
    this.pinched = null; // {apart, middle} of two fingers, as they were last seen
    this.hold = (event) => this.held(event);
  }

  // The page zooms its graph by two fingers wherever they are: it must not hear of these.
  held(event) {
    if (this.pointers.size && this.canvas.isConnected) event.stopPropagation();
    else this.release();
  }

  release() {
    globalThis.removeEventListener("touchmove", this.hold, true);
  }

  // In the picture's own pixels, at whatever zoom the graph is shown.
  at(event) {
    const box = this.canvas.getBoundingClientRect();
    const { width, height } = this.editor;
    const x = ((event.clientX - box.left) * width) / (box.width || 1);
    const y = ((event.clientY - box.top) * height) / (box.height || 1);
    return { x, y };
  }

  down(event) {
    const { editor } = this;
    if (event.button > 0) return;
    editor.refresh(); // what is changed is what is there now
    if (!editor.view) return;
    event.preventDefault();
    event.stopPropagation();
    this.canvas.focus({ preventScroll: true });
    try {
      this.canvas.setPointerCapture(event.pointerId);
    } catch {
      // a pointer that is gone by now
    }
    const { x, y } = this.at(event);
    this.pointers.set(event.pointerId, x);
    const isTouch = event.pointerType === "touch";
    if (isTouch) globalThis.addEventListener("touchmove", this.hold, true);
    if (this.pointers.size > 1) return this.pinch();
    this.begun = { x, y, time: timeAt(editor.view, x) };
    this.isMoved = false;
    this.drag = this.dragOf(x, y, isTouch ? WIDER : 1, event.shiftKey);
  }

  // A long press of a finger is a slow drag.
  menu(event) {
    event.stopPropagation();
    if (this.pointers.size) event.preventDefault();
  }

  dragOf(x, y, wider, isMore) {
    const { editor } = this;
    const time = timeAt(editor.view, x);
    if (y > editor.height - MAP) return this.scroll(x);
    if (editor.spans?.length && y < SECTIONS) return null;
    const reach = (REACH * wider) / editor.view.scale;
    if (editor.added) return this.extension(time, reach);
    const found = hit(editor.regions, time, reach, editor.seconds, editor.chosen);
    if (!editor.canEdit) return null;
    if (!found || isMore) return this.fresh(time, isMore);
    editor.chosen = found.index;
    editor.loopAgain();
    editor.follow();
    return found.edge ? this.edge(found) : this.body(found.index, time);
  }

  scroll(x) {
    const { editor } = this;
    const go = (at) => {
      const whole = fitted(editor.bounds, editor.width);
      const from = timeAt(whole, at) - editor.width / editor.view.scale / 2;
      editor.look(kept({ ...editor.view, from }, editor.bounds));
    };
    go(x);
    return (time, isFree, at) => go(at);
  }

  fresh(from, isMore) {
    const { editor } = this;
    const list = editor.beside(isMore);
    return (time, isFree) => {
      const [one, other] = [from, time].map((each) => editor.snappedTo(each, isFree));
      editor.chosen = list.length;
      editor.draft = added(list, one, other, editor.seconds);
    };
  }

  edge({ index, edge }) {
    const { editor } = this;
    return (time, isFree) => {
      const to = editor.snappedTo(time, isFree);
      editor.draft = resized(editor.regions, index, edge, to, editor.seconds);
    };
  }

  body(index, from) {
    const { editor } = this;
    const { start } = placed(editor.regions[index], editor.seconds);
    return (time, isFree) => {
      const to = editor.snappedTo(start + time - from, isFree);
      editor.draft = moved(editor.regions, index, to, editor.seconds);
    };
  }

  // The outer edge of new music, before the song or behind it.
  extension(time, reach) {
    const { editor } = this;
    const { before, after } = editor.added;
    const end = editor.seconds;
    const isFirst = Math.abs(time + before) <= reach || time < 0;
    const isLast = Math.abs(time - end - after) <= reach || time > end;
    if (editor.isLocked || !(isFirst || isLast)) return null;
    const whole = (value) => Math.round(Math.max(value, 0) * 1000) / 1000;
    return (at, isFree) => {
      const own = isFirst ? -at : at - end;
      const seconds = whole(isFree ? own : Math.round(own * 2) / 2);
      editor.draft = isFirst ? { before: seconds, after } : { before, after: seconds };
    };
  }

  move(event) {
    const { editor } = this;
    if (!editor.view) return;
    const { x, y } = this.at(event);
    if (!this.pointers.has(event.pointerId)) return this.hover(x, y);
    event.stopPropagation();
    this.pointers.set(event.pointerId, x);
    if (this.isPinching) return this.spread();
    if (Math.abs(x - this.begun.x) > SLACK) this.isMoved = true;
    if (!this.drag || !this.isMoved) return;
    this.drag(timeAt(editor.view, x), event.altKey, x);
    editor.draw();
  }

  hover(x, y) {
    const { editor } = this;
    const isMap = y > editor.height - MAP;
    const found = !isMap && !editor.added && hit(editor.regions, timeAt(editor.view, x), REACH / editor.view.scale, editor.seconds, editor.chosen);
    this.canvas.style.cursor = isMap ? "grab" : found?.edge ? "ew-resize" : found ? "move" : "text";
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId)) return;
    event.stopPropagation();
    const { editor } = this;
    const wasPinching = this.isPinching;
    this.pinched = this.drag = null;
    if (!this.pointers.size) {
      this.isPinching = false;
      this.release();
    }
    if (wasPinching) return;
    const { draft } = editor;
    if (draft && this.isMoved) {
      if (Array.isArray(draft)) editor.commit(draft, "regions_moved");
      else editor.lengthen(draft);
    } else if (!this.isMoved) this.click();
    editor.draft = null;
  }

  click() {
    const { editor, begun } = this;
    if (begun.y > editor.height - MAP) return;
    if (editor.spans?.length && begun.y < SECTIONS) editor.takeSection(begun.time);
    else editor.go(begun.time);
  }

  twice() {
    this.editor.zoomToRegion();
  }

  cancel() {
    this.pointers.clear();
    Object.assign(this, { drag: null, pinched: null, isPinching: false });
    this.release();
    this.editor.drop();
    this.editor.draw();
  }

  // From a second finger on nothing is dragged any more.
  pinch() {
    Object.assign(this, { drag: null, pinched: null, isPinching: true });
    this.editor.drop();
    this.spread();
  }

  // Two fingers: the times under them stay under them.
  spread() {
    const { editor } = this;
    if (this.pointers.size !== 2) return;
    const [one, other] = [...this.pointers.values()].sort((a, b) => a - b);
    const apart = Math.max(other - one, 10);
    const middle = (one + other) / 2;
    const last = this.pinched;
    if (last) {
      const view = zoomed(editor.view, apart / last.apart, last.middle, editor.bounds);
      editor.look(scrolled(view, (last.middle - middle) / view.scale, editor.bounds));
    }
    this.pinched = { apart, middle };
  }

  // Only while the picture has the keyboard: else the wheel is the graph's, as everywhere.
  wheel(event) {
    const { editor, canvas } = this;
    if (document.activeElement !== canvas || !editor.view) return;
    event.preventDefault();
    event.stopPropagation();
    const aside = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(aside) > Math.abs(event.shiftKey ? 0 : event.deltaY))
      editor.look(scrolled(editor.view, aside / editor.view.scale, editor.bounds));
    else editor.zoom(Math.exp(-event.deltaY / 300), this.at(event).x);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey) return; // the page's own: undo, run, copy
    const act = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.cancel();
    act(this.editor, event);
  }
}

const KEYS = {
  " ": (editor) => editor.play(),
  l: (editor) => editor.toggleLoop(),
  ArrowLeft: (editor, { shiftKey }) => (shiftKey ? editor.nudge(-1) : editor.walk(-1)),
  ArrowRight: (editor, { shiftKey }) => (shiftKey ? editor.nudge(1) : editor.walk(1)),
  Home: (editor) => editor.go(0),
  End: (editor) => editor.go(editor.seconds),
  Enter: (editor) => editor.addHere(),
  "[": (editor) => editor.setEdge(START),
  "]": (editor) => editor.setEdge(END),
  Delete: (editor) => editor.remove(),
  Backspace: (editor) => editor.remove(),
  n: (editor) => editor.choose(editor.chosen + 1),
  p: (editor) => editor.choose(editor.chosen - 1),
  m: (editor) => editor.merge(),
  u: (editor) => editor.undo(),
  r: (editor) => editor.redo(),
  z: (editor) => editor.zoomToRegion(),
  "+": (editor) => editor.zoom(1.5, xOf(editor.view, editor.time)),
  "-": (editor) => editor.zoom(1 / 1.5, xOf(editor.view, editor.time)),
  0: (editor) => editor.fit(),
  Escape: (editor) => editor.player.stop(),
};
