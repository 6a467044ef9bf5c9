// What a node's facts say, in sections of lines: facts, say -> [{title, lines, folded}].
// A line is {text, level, badge, under}; level is one of info, quiet, good, warning, error.

export const KEY = "acesuite"; // of ours in what a node shows

const line = (text, level = "info", more = {}) => ({ text, level, ...more });

// One node may have run once for each entry of a list.
export function sectionsOf(all, say) {
  return all.flatMap((facts) => [
    ...seeds(facts, say),
    ...levels(facts, say),
    ...reports(facts, say),
    ...warnings(facts, say),
    ...(facts.edits ?? []).flatMap((edit) => edited(edit, say)),
    ...lyrics(facts.lyrics, say),
  ]).filter((section) => section.lines.length);
}

export function clipsOf(all) {
  return all.flatMap((facts) => facts.clips ?? []);
}

export function labelOf(clip, clips, say) {
  if (clip.kind === "source") return say("source");
  const key = clips.filter((one) => one.kind === "take").length > 1 ? "take" : "only";
  return clip.seed ? say(`${key}_seed`, clip) : say(key, clip);
}

// Length, loudness and peak of one clip in a line; what is wrong with it beside.
export function levelsOf(clip, say) {
  const parts = [];
  if (clip.seconds) parts.push(say("seconds", { seconds: fixed(clip.seconds, 1) }));
  if (clip.loudness != null) parts.push(say("loudness", { loudness: fixed(clip.loudness, 1) }));
  if (clip.peak != null) parts.push(say("peak", { peak: fixed(clip.peak, 1) }));
  const lines = parts.length ? [line(parts.join(" · "), "quiet")] : [];
  if (clip.clipped) lines.push(line(say("clipped", clip), "warning"));
  if (clip.seconds && clip.peak === null) lines.push(line(say("silent"), "warning"));
  return lines;
}

function seeds(facts, say) {
  const lines = [];
  const many = facts.seeds?.length > 1;
  // Where there are players, each names its seed.
  if (facts.seeds && !facts.clips) {
    const key = many ? "made_with_many" : "made_with";
    lines.push(line(say(key, { seeds: facts.seeds.join(", ") })));
  }
  if (facts.source_seeds) {
    const own = [...new Set(facts.source_seeds)].join(", ");
    lines.push(line(say("source_seed", { seeds: own }), "quiet"));
  }
  return [{ lines }];
}

function levels(facts, say) {
  const isSound = facts.peak !== undefined && !facts.clips;
  return [{ lines: isSound ? levelsOf(facts, say) : [] }];
}

const STANDING = { MISSING: "error", Optional: "quiet", OK: "good" };

function reports(facts, say) {
  const lines = (facts.report ?? []).map((text) => line(say(text), STANDING[text.split(" ")[0]]));
  if (facts.demonstration) lines.push(line(say("demonstration"), "warning"));
  const known = (facts.known ?? []).map((text) => line(say(text)));
  return [{ lines }, { title: say("known"), folded: true, lines: known }];
}

function warnings(facts, say) {
  const wrong = (facts.warnings ?? []).map((text) => line(say(text), "warning"));
  return [{ lines: [...wrong, ...(facts.notes ?? []).map((text) => line(say(text), "quiet"))] }];
}

const CLOSE = 0.005; // seconds, as they are told

function edited(edit, say) {
  const task = say(`task_${edit.task}`);
  const regions = edit.regions
    .map(([start, end]) => say("region", { start: fixed(start, 2), end: fixed(end, 2) }))
    .join(", ");
  const about = { task, regions, seconds: fixed(edit.seconds, 2) };
  const [first] = edit.regions;
  const isWhole = first && first[0] <= 0 && first[1] >= edit.seconds - CLOSE;
  const key = isWhole ? "edit_whole" : regions ? "edit" : "edit_nothing";
  const lines = [line(say(key, about))];
  const { change } = edit;
  if (edit.outside_identical) lines.push(line(say("outside_identical"), "good"));
  else if (change.outside !== null)
    lines.push(line(say("outside_changed", { outside: fixed(change.outside, 1) })));
  lines.push(...(edit.warnings ?? []).map((text) => line(say(text), "warning")));
  lines.push(...(edit.notes ?? []).map((text) => line(say(text), "quiet")));
  return [{ lines }, { title: say("edit_more"), folded: true, lines: numbers(edit, say) }];
}

function numbers(edit, say) {
  const lines = edit.change.edges.map((edge) =>
    line(
      say("edge", {
        seconds: fixed(edge.seconds, 2),
        level: signed(edge.level),
        own: signed(edge.own_level),
        spectrum: fixed(edge.spectrum, 1),
        ownSpectrum: fixed(edge.own_spectrum, 1),
      }),
    ),
  );
  const { inside, spectrum } = edit.change;
  if (inside !== null && spectrum !== null)
    lines.push(line(say("inside", { inside: fixed(inside, 1), spectrum: fixed(spectrum, 1) })));
  lines.push(line(say("steps", { run: edit.steps_run, steps: edit.steps }), "quiet"));
  for (const level of edit.levels ?? [])
    lines.push(
      line(
        say("level", {
          gain: signed(level.gain),
          before: fixed(level.before, 1),
          after: fixed(level.after, 1),
          unit: level.unit,
          source: fixed(level.source, 1),
        }),
        "quiet",
      ),
    );
  return lines;
}

function lyrics(heard, say) {
  if (!heard) return [];
  const wrong = (heard.notes ?? []).map((text) => line(say(text), "warning"));
  const advice = (heard.advice ?? []).map((one) =>
    line(
      one.line ? say("line", { ...one, text: say(one.text) }) : say(one.text),
      one.level === "warning" ? "warning" : "quiet",
    ),
  );
  const lines = (heard.lines ?? []).map((one) => spoken(one, say));
  const title = say(lines.length === 1 ? "lyrics_one" : "lyrics", { count: lines.length });
  return [{ lines: [...wrong, ...advice] }, { title, folded: true, lines }];
}

function spoken(one, say) {
  const under = [];
  if (one.heard) under.push(line(say("heard", one), "quiet"));
  if (one.unknown.length)
    under.push(line(say("unknown", { unknown: one.unknown.join(" ") }), "warning"));
  if (one.advice) under.push(line(say(one.advice), "warning"));
  return line(one.text, one.language ? "info" : "quiet", { badge: one.language, under });
}

function fixed(value, digits) {
  return value === null ? "–" : Number(value).toFixed(digits);
}

function signed(value) {
  return value === null ? "–" : `${value < 0 ? "" : "+"}${Number(value).toFixed(1)}`;
}
