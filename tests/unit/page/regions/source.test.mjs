// Where a source comes from, in a graph that has the page's shape.
import assert from "node:assert/strict";
import { test } from "node:test";

import { fileOf, lyricOf, originOf, placeOf } from "../../../../web/js/regions/source.js";

class Graph {
  constructor() {
    this.nodes = new Map();
    this.links = new Map();
  }

  add(id, type, inputs = [], outputs = [], more = {}) {
    const slots = inputs.map(([name, kind]) => ({ name, type: kind, link: null }));
    const made = { id, type, graph: this, inputs: slots, mode: 0, ...more };
    made.outputs = outputs.map((kind) => ({ type: kind, links: [] }));
    this.nodes.set(id, made);
    return made;
  }

  getNodeById(id) {
    return this.nodes.get(id) ?? null;
  }

  getLink(id) {
    return this.links.get(id);
  }

  wire(from, slot, to, input) {
    const id = this.links.size + 1;
    const link = { id, origin_id: from.id ?? from, origin_slot: slot, target_id: to.id, type: "AUDIO" };
    this.links.set(id, link);
    to.inputs[input].link = id;
    from.outputs?.[slot].links.push(id);
    return id;
  }
}

const AUDIO = [["source_audio", "AUDIO"]];
const loader = (graph, id, file) => graph.add(id, "LoadAudio", [], ["AUDIO"], { widgets: [{ name: "audio", value: file }] });
const none = () => null;

test("a file, straight and through a reroute", () => {
  const graph = new Graph();
  const node = graph.add(1, "AceSuiteInpaintMask", AUDIO, ["TASK"]);
  assert.equal(fileOf(node, "source_audio", none), null);
  const load = loader(graph, 2, "song.flac");
  graph.wire(load, 0, node, 0);
  assert.equal(fileOf(node, "source_audio", none), "song.flac");
  const reroute = graph.add(3, "Reroute", [["", "*"]], ["*"]);
  graph.wire(load, 0, reroute, 0);
  graph.wire(reroute, 0, node, 0);
  assert.equal(fileOf(node, "source_audio", none), "song.flac");
});

test("a file that is opened, not loaded", () => {
  const graph = new Graph();
  const node = graph.add(1, "AceSuiteInpaintMask", AUDIO, ["TASK"]);
  const widget = { name: "audio", value: "song.flac" };
  const open = graph.add(2, "AceSuiteOpenAudio", [], ["AUDIO"], { widgets: [widget] });
  graph.wire(open, 0, node, 0);
  assert.equal(fileOf(node, "source_audio", none), "song.flac");
  widget.value = "none"; // nothing is chosen
  assert.equal(fileOf(node, "source_audio", none), "");
});

test("a bypassed node hands its input on, a muted one nothing", () => {
  const graph = new Graph();
  const node = graph.add(1, "AceSuiteExtend", AUDIO, ["TASK"]);
  const gain = graph.add(3, "Gain", [["amount", "FLOAT"], ["audio", "AUDIO"]], ["AUDIO"], { mode: 4 });
  graph.wire(loader(graph, 2, "a.mp3"), 0, gain, 1);
  graph.wire(gain, 0, node, 0);
  assert.equal(fileOf(node, "source_audio", none), "a.mp3");
  gain.mode = 0;
  assert.equal(fileOf(node, "source_audio", none), "");
  gain.mode = 2;
  assert.equal(fileOf(node, "source_audio", none), null);
});

test("into a subgraph and out of it", () => {
  const graph = new Graph();
  // Newer pages write all ids as texts.
  for (const [edge, id] of [[-10, 9], ["-10", 19]]) {
    const inner = new Graph();
    const node = inner.add(1, "AceSuiteInpaintMask", AUDIO, ["TASK"]);
    inner.wire(edge, 1, node, 0);
    const owner = graph.add(id, "uuid", [["x", "INT"], ["audio", "AUDIO"]], ["TASK"], { subgraph: inner });
    graph.wire(loader(graph, id + 1, "deep.flac"), 0, owner, 1);
    assert.equal(fileOf(node, "source_audio", (one) => (one === inner ? owner : null)), "deep.flac");
    assert.equal(fileOf(node, "source_audio", none), null);
  }

  const source = new Graph();
  const link = source.wire(loader(source, 5, "inside.flac"), 0, { id: -20, inputs: [{}] }, 0);
  source.outputs = [{ linkIds: [link] }];
  const box = graph.add(30, "uuid2", [], ["AUDIO"], { subgraph: source });
  const other = graph.add(31, "AceSuiteExtend", AUDIO, ["TASK"]);
  graph.wire(box, 0, other, 0);
  assert.equal(fileOf(other, "source_audio", none), "inside.flac");
});

test("a name that comes through a link is not known", () => {
  const graph = new Graph();
  const node = graph.add(1, "AceSuiteExtend", AUDIO, ["TASK"]);
  const load = loader(graph, 2, "a.mp3");
  load.inputs.push({ name: "audio", widget: { name: "audio" }, link: 77 });
  graph.wire(load, 0, node, 0);
  assert.equal(fileOf(node, "source_audio", none), "");
});

test("a circle ends", () => {
  const graph = new Graph();
  const one = graph.add(1, "Reroute", [["", "*"]], ["*"]);
  const node = graph.add(2, "AceSuiteExtend", AUDIO, ["TASK"]);
  graph.wire(one, 0, one, 0);
  graph.wire(one, 0, node, 0);
  assert.equal(originOf(node, "source_audio", none), null);
});

test("the lyric of an edit, or of the Sampler that the task goes to", () => {
  const graph = new Graph();
  const words = [{ name: "lyrics", value: "[verse]\nla" }, { name: "language", value: "en" }];
  const encode = graph.add(1, "AceSuiteLyricEncode", [], ["LYRICS"], { widgets: words });
  const remix = graph.add(2, "AceSuiteRemixEdit", [["source_lyrics", "LYRICS"]], ["TASK"]);
  graph.wire(encode, 0, remix, 0);
  assert.deepEqual(lyricOf(remix, none), { lyrics: "[verse]\nla", language: "en" });
  const inpaint = graph.add(3, "AceSuiteInpaintMask", AUDIO, ["TASK"]);
  assert.equal(lyricOf(inpaint, none), null);
  const sampler = graph.add(4, "AceSuiteSampler", [["task", "TASK"], ["lyrics", "LYRICS"]], []);
  const reroute = graph.add(5, "Reroute", [["", "*"]], ["*"]);
  graph.wire(inpaint, 0, reroute, 0);
  graph.wire(reroute, 0, sampler, 0);
  graph.wire(encode, 0, sampler, 1);
  assert.equal(lyricOf(inpaint, none).language, "en");
  words[0].value = "  ";
  assert.equal(lyricOf(inpaint, none), null);
});

test("a box has a source and a lyric of its own", () => {
  const graph = new Graph();
  const widgets = [{ name: "lyrics", value: "[verse]\nla" }];
  const box = graph.add(1, "AceSuiteAudioInpaint", [["model", "M"], ["audio", "AUDIO"]], ["AUDIO"], { widgets });
  graph.wire(loader(graph, 2, "song.flac"), 0, box, 1);
  assert.equal(fileOf(box, "audio", none), "song.flac");
  assert.deepEqual(lyricOf(box, none), { lyrics: "[verse]\nla", language: "auto" });
  widgets[0].value = " ";
  assert.equal(lyricOf(box, none), null);
});

test("names as /view is asked for them", () => {
  assert.deepEqual(placeOf("song.flac"), { filename: "song.flac", subfolder: "", type: "input" });
  assert.deepEqual(placeOf("a/b/song x.flac [temp]"), { filename: "song x.flac", subfolder: "a/b", type: "temp" });
});
