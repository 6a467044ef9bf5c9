// The source's sound: from a place on, to an end, or round and round over a stretch.

import { addressOf } from "../comfy.js";
import { placeOf } from "./source.js";

export class Player {
  // `moved` is called at every frame while it plays, and when that begins or ends.
  constructor(moved) {
    this.moved = moved;
    this.audio = document.createElement("audio");
    this.audio.preload = "none";
    this.audio.addEventListener("play", () => this.follow());
    for (const event of ["pause", "ended", "error"]) this.audio.addEventListener(event, moved);
    this.name = "";
    this.loop = null; // {start, end} in seconds
  }

  load(name) {
    if (name === this.name) return;
    this.stop();
    this.name = name;
    if (name) this.audio.src = addressOf(placeOf(name));
    else this.audio.removeAttribute("src");
  }

  get isPlaying() {
    return !this.audio.paused && !this.audio.ended;
  }

  get time() {
    return this.audio.currentTime;
  }

  async play(time) {
    if (!this.name) return;
    this.seek(time);
    try {
      await this.audio.play();
    } catch {
      this.moved(); // the page says by itself what it cannot play
    }
  }

  seek(time) {
    this.audio.currentTime = Math.max(time, 0);
  }

  stop() {
    this.audio.pause();
    cancelAnimationFrame(this.frame);
  }

  follow() {
    cancelAnimationFrame(this.frame);
    if (!this.isPlaying) return;
    if (this.loop && this.time >= this.loop.end) this.seek(this.loop.start);
    this.moved();
    this.frame = requestAnimationFrame(() => this.follow());
  }

  close() {
    this.stop();
    this.name = "";
    this.audio.removeAttribute("src");
    this.audio.load(); // lets go of what was loaded
  }
}
