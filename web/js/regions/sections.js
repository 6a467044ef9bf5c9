// A lyric's sections as spans of a clip: [{mark, seconds}], seconds -> [{mark, start, end}].
// An estimate, stretched to the clip's length: the model keeps its own time.

export function spansOf(sections, seconds) {
  const total = sections.reduce((sum, one) => sum + one.seconds, 0);
  if (!total || !seconds) return [];
  let at = 0;
  return sections.map(({ mark, seconds: own }) => {
    const start = (at * seconds) / total;
    at += own;
    return { mark: mark || "…", start, end: (at * seconds) / total };
  });
}

export const spanAt = (spans, time) => spans.find((one) => one.start <= time && time < one.end);
