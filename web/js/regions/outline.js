// A sound's drawing as the server makes it: asked for bit by bit, kept while somebody shows it.
//   name of a file -> {seconds, done, glance, pulse}, peaks(level, tile), picture(level, tile)

import { api } from "../comfy.js";

const BINS = 2048; // of a tile of peaks
const MOST = 96; // tiles of each kind
const ASK_AGAIN = 500; // milliseconds, while the server still reads
const known = new Map(); // name -> Outline

// The drawing of a file, the same for everybody; `changed` is called whenever more of it is there.
export function outlineOf(name, changed) {
  const outline = known.get(name) ?? new Outline(name);
  known.set(name, outline);
  outline.watchers.add(changed);
  return outline;
}

class Outline {
  constructor(name) {
    this.name = name;
    this.watchers = new Set();
    this.state = null; // as the server says it
    this.pulse = null;
    this.error = "";
    this.version = 0; // of all that can be drawn
    this.tiles = new Map(); // key -> {data, done, isAsked}
    this.ask();
  }

  leave(changed) {
    this.watchers.delete(changed);
    if (this.watchers.size) return;
    clearTimeout(this.timer);
    for (const { data } of this.tiles.values()) data?.close?.();
    this.tiles.clear();
    known.delete(this.name);
  }

  get seconds() {
    return this.state?.seconds ?? 0;
  }

  // As far as it has been read.
  get done() {
    return this.state?.done ?? 0;
  }

  get finished() {
    return Boolean(this.state?.finished);
  }

  tell() {
    this.version += 1;
    for (const changed of this.watchers) changed();
  }

  async get(route, query = {}) {
    const asked = new URLSearchParams({ file: this.name, ...query });
    const answer = await api.fetchApi(`/acestepsuite/sound${route}?${asked}`, { cache: "no-store" });
    if (!answer.ok) throw new Error((await answer.json()).error ?? answer.statusText);
    return answer;
  }

  async ask() {
    try {
      this.state = await (await this.get("")).json();
      this.error = this.state.error;
      if (this.finished) this.pulse = await (await this.get("/pulse")).json();
    } catch (error) {
      this.error = error.message;
    }
    this.tell();
    if (this.watchers.size && !this.finished && !this.error)
      this.timer = setTimeout(() => this.ask(), ASK_AGAIN);
  }

  // Seconds of a tile of peaks, of pictures, at a level of zoom.
  peakSeconds(level) {
    return BINS * this.state.bin * this.state.group ** level;
  }

  pictureSeconds(level) {
    return this.state.tile * this.state.column * this.state.group ** level;
  }

  peaks(level, tile) {
    const query = { zoom: level, first: tile * BINS, count: BINS };
    const end = (tile + 1) * this.peakSeconds(level);
    return this.tile(`p${level}:${tile}`, end, async () => {
      const answer = await this.get("/peaks", query);
      return new Int8Array(await answer.arrayBuffer());
    });
  }

  picture(level, tile) {
    const end = (tile + 1) * this.pictureSeconds(level);
    if (tile * this.pictureSeconds(level) >= this.done) return null;
    return this.tile(`m${level}:${tile}`, end, async () => {
      const answer = await this.get("/levels", { zoom: level, tile });
      return createImageBitmap(await answer.blob());
    });
  }

  // What is there of a tile; asked for where it is not, or where more has been read since.
  tile(key, end, fetched) {
    const found = this.tiles.get(key) ?? { data: null, done: -1, isAsked: false };
    this.tiles.delete(key);
    this.tiles.set(key, found); // the latest last
    const reach = this.finished ? Infinity : Math.min(end, this.done);
    if (reach > found.done && !found.isAsked) this.fetch(found, reach, fetched);
    this.forget();
    return found.data;
  }

  async fetch(found, reach, fetched) {
    found.isAsked = true;
    try {
      const data = await fetched();
      found.data?.close?.();
      found.data = data;
    } catch {
      // asked for again once more of the sound has been read
    }
    found.done = reach;
    found.isAsked = false;
    this.tell();
  }

  forget() {
    for (const [key, { data, isAsked }] of this.tiles) {
      if (this.tiles.size <= MOST) return;
      if (isAsked) continue;
      data?.close?.();
      this.tiles.delete(key);
    }
  }
}
