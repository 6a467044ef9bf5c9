// What is seen of one node's source, and all that can be done to its regions there.
//   node's inputs -> refresh -> scene -> paint        commands -> node's inputs
// The node's inputs are the truth: after every change they are written, and read again.

import { History, added, counted, merged, moved, placed, plain, removed, resized } from "./algebra.js";
import { outlineOf } from "./outline.js";
import { Player } from "./player.js";
import { Screen } from "./screen.js";
import { spanAt, spansOf } from "./sections.js";
import { beatsOf, snapped, stepped } from "./snap.js";
import { END, START } from "./spelling.js";
import { kept } from "./time.js";
import { isLonger, leastOf, longerOf, mostOf, stateOf, valuesOf } from "./values.js";

const ROLL = 1; // seconds that a loop plays before a region and behind it
const REACH = 8; // pixels within which something is taken hold of, or draws to itself
const LENGTH = 4; // seconds or beats of a region that a key makes

export class Editor extends Screen {
  // node: {kind, values(), put(values), isLocked(), file(), sections(), tempo(), setTempo(bpm)};
  // said(what, values): tells what changed; updated(): the buttons follow
  constructor(canvas, node, said, updated) {
    super(canvas);
    Object.assign(this, { node, said, updated });
    this.history = new History();
    this.player = new Player(() => this.heard());
    this.snap = "beat";
    this.isLooping = false;
    this.hasRoll = true;
    this.chosen = 0;
    this.time = 0; // of the playhead
    this.regions = [];
    this.draft = null; // regions, or {before, after}, while they are dragged
    this.sections = [];
    this.changed = () => this.outlined();
    this.seen = "";
  }

  // --- what there is ---------------------------------------------------------------------

  // From the node's inputs, whoever changed them. Called again and again: cheap if nothing did.
  refresh() {
    const file = this.node.file();
    if (file !== this.file) this.open(file);
    const values = this.node.values();
    const now = JSON.stringify([values, this.node.isLocked(), this.node.tempo()]);
    if (now === this.seen) return;
    this.seen = now;
    Object.assign(this, stateOf(this.node.kind, values), { isLocked: this.node.isLocked() });
    this.drop();
    if (this.view) this.view = kept(this.view, this.bounds);
    this.follow();
  }

  open(file) {
    this.outline?.leave(this.changed);
    this.file = file;
    this.view = null;
    this.time = 0;
    this.player.load(file || "");
    this.outline = file ? outlineOf(file, this.changed) : null;
    this.seen = "";
  }

  outlined() {
    if (this.seconds && this.lastSeconds !== this.seconds) {
      const isFirst = !this.view;
      this.lastSeconds = this.seconds;
      this.view = isFirst ? null : kept(this.view, this.bounds);
      this.sectioned(this.sections);
    }
    this.follow();
  }

  sectioned(sections) {
    this.sections = sections;
    this.spans = spansOf(sections, this.seconds);
    this.draw();
  }

  get seconds() {
    return this.outline?.seconds ?? 0;
  }

  get known() {
    const { seconds } = this;
    return { pulse: this.outline?.pulse, tempo: this.node.tempo(), spans: this.spans ?? [], seconds };
  }

  get current() {
    return this.draft ?? this.regions;
  }

  get canEdit() {
    return !this.isLocked && this.seconds > 0 && !isLonger(this.node.kind);
  }

  snappedTo(time, isFree) {
    if (isFree) return time;
    return snapped(time, this.snap, this.known, REACH / (this.view?.scale ?? 1));
  }

  // --- what is done ----------------------------------------------------------------------

  // What is dragged is given up.
  drop() {
    this.draft = null;
    this.chosen = Math.min(Math.max(this.chosen, 0), this.regions.length - 1);
  }

  // New regions into the node's inputs; what was is kept for undo.
  commit(regions, said) {
    this.draft = null;
    if (!this.canEdit || regions.length < leastOf(this.node.kind)) return this.refuse(regions);
    this.put(valuesOf(this.node.kind, regions, this.node.values()));
    if (said) this.tell(said);
    return true;
  }

  refuse(regions) {
    if (this.canEdit && !regions.length) this.said("regions_one_stays");
    this.drop();
    this.draw();
    return false;
  }

  // New music of so many seconds at the ends, {before, after}.
  lengthen(added) {
    this.put(longerOf(this.node.kind, added));
  }

  put(values) {
    const before = this.node.values();
    if (Object.entries(values).every(([name, value]) => before[name] === value)) return this.draw();
    this.history.keep(before);
    this.node.put(values);
    this.refresh();
    this.loopAgain();
  }

  undo() {
    this.step(this.history.undo(this.node.values()), "regions_undone");
  }

  redo() {
    this.step(this.history.redo(this.node.values()), "regions_redone");
  }

  step(values, said) {
    if (!values) return;
    this.node.put(values);
    this.refresh();
    this.said(said);
    this.loopAgain();
  }

  // A region from one time to another, to be chosen.
  add(one, other) {
    if (!this.canEdit) return;
    const list = added(this.beside(true), one, other, this.seconds);
    this.chosen = list.length - 1;
    this.commit(list, "regions_made");
  }

  // What stays when a region is drawn: a single one gives way to it, unless one more is asked for.
  beside(isMore) {
    const { regions } = this;
    if (mostOf(this.node.kind) === 1) return [];
    const isSeen = regions.length > 1 || regions.some((one) => this.placed(one));
    return regions.length > 1 || (isMore && isSeen) ? regions : [];
  }

  placed(region) {
    return placed(region, this.seconds);
  }

  addHere() {
    const { times } = beatsOf(this.known);
    const next = times.filter((time) => time > this.time + 1e-3)[LENGTH - 1];
    this.add(this.time, next ?? this.time + LENGTH);
  }

  remove() {
    if (this.chosen >= 0) this.commit(removed(this.regions, this.chosen), "regions_removed");
  }

  merge() {
    this.commit(merged(this.regions, this.seconds), "regions_merged");
  }

  // Both ends of the chosen region, or one, where a key moved them or the playhead is.
  nudge(way) {
    const at = this.chosenPlace;
    if (!at) return;
    const start = stepped(at.start, way, this.snap, this.known);
    this.commit(moved(this.regions, this.chosen, start, this.seconds), "regions_moved");
  }

  setEdge(edge) {
    if (this.chosenPlace)
      this.commit(resized(this.regions, this.chosen, edge, this.time, this.seconds), "regions_moved");
  }

  choose(index) {
    const count = this.regions.length;
    if (!count) return;
    this.chosen = (index + count) % count;
    this.loopAgain();
    this.tell("regions_chosen");
    this.draw();
  }

  // A section of the lyric becomes the chosen region.
  takeSection(time) {
    const span = spanAt(this.spans ?? [], time);
    if (!span || !this.canEdit) return;
    const one = counted(span.start, span.end, plain(0, 0), this.seconds);
    const list = this.regions.length <= 1 ? [one] : this.regions.map((own, n) => (n === this.chosen ? one : own));
    this.commit(list, "regions_made");
  }

  get chosenPlace() {
    const region = Array.isArray(this.current) ? this.current[this.chosen] : null;
    return region ? this.placed(region) : null;
  }

  tell(key) {
    const at = this.chosenPlace;
    this.said(key, at ? { number: this.chosen + 1, ...at } : null);
  }

  // --- what is heard ---------------------------------------------------------------------

  get stretch() {
    const at = this.chosenPlace;
    if (!at) return null;
    const roll = this.hasRoll ? ROLL : 0;
    return { start: Math.max(at.start - roll, 0), end: Math.min(at.end + roll, this.seconds) };
  }

  play() {
    if (this.player.isPlaying) return this.player.stop();
    this.loopAgain();
    const { loop } = this.player;
    const isInside = loop && this.time >= loop.start && this.time < loop.end;
    return this.player.play(loop && !isInside ? loop.start : this.time);
  }

  loopAgain() {
    this.player.loop = this.isLooping ? this.stretch : null;
  }

  toggleLoop(on = !this.isLooping) {
    this.isLooping = on;
    this.loopAgain();
    this.updated();
  }

  toggleRoll() {
    this.hasRoll = !this.hasRoll;
    this.loopAgain();
    this.updated();
  }

  heard() {
    if (this.player.isPlaying) this.time = this.player.time;
    this.draw();
    this.updated();
  }

  go(time) {
    this.time = Math.min(Math.max(time, 0), this.seconds);
    if (this.player.isPlaying) this.player.seek(this.time);
    this.draw();
  }

  walk(way) {
    this.go(stepped(this.time, way, this.snap, this.known));
    this.show(this.time);
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.outline?.leave(this.changed);
    this.outline = null;
    this.ready.clear();
    this.file = undefined;
    this.player.close();
  }
}

export { END, REACH, START };
