// What part of a sound is seen in a canvas, and drawn at the next frame.
//   view, and what an editor knows of the sound -> scene -> paint

import { MAP, paint, paintMap } from "./paint.js";
import { barsOf, beatsOf, linesOf } from "./snap.js";
import { around, fitted, kept, resized, zoomed } from "./time.js";

const ROOM = 10; // seconds beside a song that is to become longer, at least

export class Screen {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.view = null;
    this.ready = new Map(); // name -> {of, made}: what is the same from one frame to the next
  }

  // What was made for a name, made anew where what it is made of is another.
  keep(name, of, make) {
    const last = this.ready.get(name);
    if (last && last.of.every((one, index) => one === of[index])) return last.made;
    const made = make();
    this.ready.set(name, { of, made });
    return made;
  }

  get bounds() {
    const { before = 0, after = 0 } = this.added ?? {};
    const room = this.added ? Math.max(ROOM, this.seconds / 8) : 0;
    return [-Math.max(before + room / 2, room), this.seconds + Math.max(after + room / 2, room)].map(
      (edge) => (this.added ? edge : Math.min(Math.max(edge, 0), this.seconds)),
    );
  }

  zoom(factor, x = this.width / 2) {
    if (this.view) this.look(zoomed(this.view, factor, x, this.bounds));
  }

  fit() {
    if (this.view) this.look(fitted(this.bounds, this.width));
  }

  zoomToRegion() {
    const at = this.chosenPlace;
    if (at && this.view) this.look(around(this.view, at.start, at.end, this.bounds));
  }

  look(view) {
    this.view = view;
    this.draw();
  }

  // Scrolled so that a time is in sight.
  show(time) {
    const { view } = this;
    if (!view || (time >= view.from && time <= view.from + view.width / view.scale)) return;
    this.look(kept({ ...view, from: time - view.width / view.scale / 2 }, this.bounds));
  }

  resize(width, height, ratio) {
    const [wide, high] = [Math.max(width, 1), Math.max(height, 1)];
    if (this.width === wide && this.height === high && this.ratio === ratio) return;
    Object.assign(this, { width: wide, height: high, ratio });
    this.canvas.width = Math.round(wide * ratio);
    this.canvas.height = Math.round(high * ratio);
    if (this.view) this.view = resized(this.view, wide, this.bounds);
    this.draw();
  }

  follow() {
    this.draw();
    this.updated();
  }

  draw() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.painted();
    });
  }

  painted() {
    if (!this.width) return;
    if (!this.view && this.seconds) this.view = fitted(this.bounds, this.width);
    const { context, width, height, outline, chosen } = this;
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    const isOpen = Boolean(this.view && outline);
    const view = this.view ?? fitted([0, 1], width);
    const known = isOpen ? this.known : { pulse: null, spans: [], seconds: 0 };
    const regions = Array.isArray(this.current) ? this.current : [];
    const bounds = isOpen ? this.bounds : [0, 1];
    paint(context, {
      ...{ width, height, view, bounds, outline: isOpen ? outline : null, chosen },
      regions: isOpen ? regions.map((one) => this.placed(one) ?? { start: -9, end: -9 }) : [],
      playhead: this.time,
      ...this.linesOf(known),
      map: this.map(bounds, isOpen ? outline : null),
      spans: this.spans ?? [],
      added: isOpen && this.added ? (this.draft ?? this.added) : null,
    });
  }

  linesOf(known) {
    return this.keep("lines", [known.pulse, known.tempo, known.seconds, this.snap], () => ({
      lines: this.snap === "onset" ? linesOf("onset", known) : beatsOf(known).times,
      bars: barsOf(known),
    }));
  }

  map(bounds, outline) {
    const { width, ratio } = this;
    return this.keep("map", [...bounds, outline, outline?.version, width, ratio], () => {
      const made = document.createElement("canvas");
      [made.width, made.height] = [Math.round(width * ratio), Math.round(MAP * ratio)];
      const context = made.getContext("2d");
      context.scale(ratio, ratio);
      paintMap(context, { width, bounds, outline });
      return made;
    });
  }
}
