// Sections of lines as elements.

import { element } from "./panel.js";

const NAMES = { error: "acesuite-wrong" };

export function errorPart(sentences) {
  const lines = sentences.map((text) => element("p", "acesuite-error", text));
  for (const one of lines) one.setAttribute("role", "alert");
  return lines.length ? element("div", "acesuite-section", ...lines) : null;
}

export function sectionsPart(sections) {
  const made = sections.map(section);
  return made.length ? element("div", "acesuite-section", ...made) : null;
}

export function paragraphs(lines) {
  return lines.flatMap(({ text, level, badge, under = [] }) => {
    const name = NAMES[level] ?? `acesuite-${level}`;
    const inside = badge ? [element("span", "acesuite-badge", badge), text] : [text];
    const below = paragraphs(under);
    for (const one of below) one.classList.add("acesuite-under");
    return [element("p", name, ...inside), ...below];
  });
}

function section({ title, folded, lines }) {
  const inside = paragraphs(lines);
  if (!folded) return element("div", "acesuite-section", ...inside);
  const folder = element("details", "", element("summary", "", title));
  folder.append(element("div", "", ...inside));
  return element("div", "acesuite-section", folder);
}
