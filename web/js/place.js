// Where nodes that are added to a graph lie: beside all there is. Nodes grow downwards alone, by
// players, reports and what is unfolded in them; so none of those that are there grows over these.
//   the right edges of what is there, a top, columns of [width, height] -> columns of [x, y]

export const GAP = 60;

export function placed(edges, top, columns) {
  let x = Math.max(...edges) + 2 * GAP;
  return columns.map((column) => {
    let y = top;
    const places = column.map(([, height]) => {
      const place = [x, y];
      y += height + GAP;
      return place;
    });
    if (column.length) x += Math.max(...column.map(([width]) => width)) + GAP;
    return places;
  });
}

// "Inpaint", or "Inpaint 2" where the graph has that already.
export function freeName(name, titles) {
  const taken = new Set(titles);
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name} ${number}`;
  return free;
}

// "Inpaint 2: Sampler" of a node that the page calls "Sampler (ACE-Step)".
export const partOf = (name, title) => `${name}: ${title.replace(/\s*[(（]ACE-Step[)）]$/, "")}`;
