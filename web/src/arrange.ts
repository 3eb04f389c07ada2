// Where tiles stand: arithmetic alone. Distances run from the start of the line, so that right-to-left needs nothing of its own.

/** A rectangle, in CSS pixels; `start` is the distance from where the line begins. */
export interface Box {
  start: number;
  top: number;
  width: number;
  height: number;
}

/** Where the tiles of one page stand, and how many fit on a page. */
export interface Arrangement {
  /** One box for each tile of the page, in its order. */
  boxes: Box[];
  /** How many tiles a page takes at this size. */
  capacity: number;
}

/** A surface to put tiles on. */
export interface Area {
  width: number;
  height: number;
}

const GAP = 8;
/** Below this a face cannot be read any more. */
const NARROWEST = 168;
const ASPECT = 16 / 9;
/** More tiles than this at once nobody watches, and no line carries. */
const MOST = 30;

/** All alike: as large as they can be while `count` of them, or as many as are still readable, fit. */
export function grid(area: Area, count: number): Arrangement {
  const most = Math.min(count, capacity(area));
  const { columns, rows, width, height } = best(area, most);
  const used = rows * height + GAP * (rows - 1);
  const boxes: Box[] = [];
  for (let place = 0; place < most; place += 1) {
    const row = Math.floor(place / columns);
    const inRow = row === rows - 1 ? most - row * columns : columns;
    const rowWidth = inRow * width + GAP * (inRow - 1);
    boxes.push({
      start: Math.round((area.width - rowWidth) / 2) + (place - row * columns) * (width + GAP),
      top: Math.max(0, Math.round((area.height - used) / 2)) + row * (height + GAP),
      width,
      height,
    });
  }
  return { boxes, capacity: most };
}

/** How many tiles are still readable on an area. */
function capacity(area: Area): number {
  const narrowest = Math.min(NARROWEST, (area.width - GAP) / 2);
  const columns = Math.max(1, Math.floor((area.width + GAP) / (narrowest + GAP)));
  const rows = Math.max(1, Math.floor((area.height + GAP) / (narrowest / ASPECT + GAP)));
  return Math.min(MOST, columns * rows);
}

/** The number of columns at which tiles are largest. They may be as narrow as a square and as wide as two: faces bear it. */
function best(area: Area, count: number): { columns: number; rows: number; width: number; height: number } {
  let found = { columns: 1, rows: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const across = Math.floor((area.width - GAP * (columns - 1)) / columns);
    const down = Math.floor((area.height - GAP * (rows - 1)) / rows);
    const [width, height] = [Math.min(across, down * 2), Math.min(down, across)];
    if (width * height > found.width * found.height) found = { columns, rows, width, height };
  }
  return found;
}

/** One large, and the others in a strip beside or below it; the first box is the large one's. */
export function large(area: Area, others: number): Arrangement {
  if (others === 0) return { boxes: [{ start: 0, top: 0, ...area }], capacity: 0 };
  return area.width < area.height ? upright(area, others) : lying(area, others);
}

function lying(area: Area, others: number): Arrangement {
  const strip = Math.max(84, Math.min(124, Math.round(area.height * 0.17)));
  const width = Math.round(strip * ASPECT);
  const fits = Math.max(1, Math.floor((area.width + GAP) / (width + GAP)));
  const shown = Math.min(others, fits);
  const used = shown * width + GAP * (shown - 1);
  const top = area.height - strip;
  const boxes: Box[] = [{ start: 0, top: 0, width: area.width, height: top - GAP }];
  for (let place = 0; place < shown; place += 1) {
    boxes.push({ start: Math.round((area.width - used) / 2) + place * (width + GAP), top, width, height: strip });
  }
  return { boxes, capacity: fits };
}

function upright(area: Area, others: number): Arrangement {
  const height = Math.round(Math.min(area.height * 0.62, area.width / 1.35));
  const rest = { width: area.width, height: area.height - height - GAP };
  const below = grid(rest, Math.min(others, 6));
  const first = below.boxes[0]?.top ?? 0;
  return {
    boxes: [
      { start: 0, top: 0, width: area.width, height },
      // They stand right below the large one, whatever room is left.
      ...below.boxes.map((box) => ({ ...box, top: box.top - first + height + GAP })),
    ],
    capacity: Math.max(1, below.capacity),
  };
}

/** The tiles of a page, counted from 0; a page that is not there any more becomes the last one. */
export function page<T>(tiles: readonly T[], capacity: number, wanted: number): { tiles: T[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(tiles.length / Math.max(1, capacity)));
  const at = Math.max(0, Math.min(wanted, pages - 1));
  return { tiles: tiles.slice(at * capacity, (at + 1) * capacity), page: at, pages };
}
