// Makes land.txt and points.tsv. Run in a folder that holds the packages:
//   npm install world-atlas topojson-client d3-geo i18n-iso-countries && node generate.mjs <zone.tab> <names.tsv> <output folder>
// zone.tab is that of the IANA time zone database; names.tsv is data/places/names.tsv, which lists the codes wanted.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "here.js"));
const { feature } = require("topojson-client");
const atlas = require("world-atlas/package.json").version;
const { geoArea, geoBounds, geoCentroid, geoContains, geoDistance, geoEquirectangular, geoStream } = await import(
  join(process.cwd(), "node_modules/d3-geo/dist/d3-geo.mjs")
);
const [zones, names, output] = process.argv.slice(2);

// --- Coastline -------------------------------------------------------------------------------------------
const tenths = (point) => point.map((degrees) => Math.round(degrees * 10));

function ring(points) {
  const [first, ...rest] = points.map(tenths);
  const line = [...first];
  let last = first;
  for (const point of rest) {
    const step = [point[0] - last[0], point[1] - last[1]];
    if (step[0] !== 0 || step[1] !== 0) line.push(...step);
    last = point;
  }
  return line.join(" ");
}

/** The rings of a shape, cut along 180 degrees, where the map has its edges. */
function cut(shape) {
  const rings = [];
  const sink = {
    polygonStart() {},
    polygonEnd() {},
    lineStart: () => rings.push([]),
    lineEnd() {},
    point: (x, y) => rings.at(-1).push([x, -y]),
  };
  const plain = geoEquirectangular().scale(180 / Math.PI).translate([0, 0]).precision(0);
  geoStream(shape, plain.stream(sink));
  return rings;
}

const topology = require("world-atlas/land-110m.json");
const polygons = feature(topology, topology.objects.land).features.flatMap((land) =>
  land.geometry.type === "Polygon" ? [land.geometry.coordinates] : land.geometry.coordinates,
);
// Nobody reports from Antarctica, and without it the map is a third less high.
const inhabited = polygons.filter((polygon) => polygon[0].some(([, latitude]) => latitude > -60));
const land = inhabited.flatMap((coordinates) => cut({ type: "Polygon", coordinates }).map(ring));
writeFileSync(
  join(output, "land.txt"),
  `# Coastline without borders, Antarctica left out. Natural Earth 1:110m (public domain) by npm world-atlas ${atlas} (ISC).\n` +
    "# Made by generate.mjs; do not edit. A line is a closed ring: longitude and latitude in tenths of a degree, then steps.\n" +
    land.join("\n") +
    "\n",
);

// --- Where the symbol of a country stands ----------------------------------------------------------------
const codes = require("i18n-iso-countries/codes.json");
const byNumber = new Map(codes.map(([, alpha3, number]) => [number, alpha3]));

/** The centroid of the largest part; if that lies outside of it, the inner point farthest from the edge. */
function inside(geometry) {
  const parts = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
  const shapes = parts.map((coordinates) => ({ type: "Polygon", coordinates }));
  const largest = shapes.reduce((a, b) => (geoArea(b) > geoArea(a) ? b : a));
  const centroid = geoCentroid(largest);
  if (geoContains(largest, centroid)) return centroid;
  const [[west, south], [east, north]] = geoBounds(largest);
  const edge = largest.coordinates[0];
  let best = edge[0];
  let distance = 0;
  for (let x = 1; x < 40; x += 1) {
    for (let y = 1; y < 40; y += 1) {
      const point = [west + ((east - west) * x) / 40, south + ((north - south) * y) / 40];
      if (!geoContains(largest, point)) continue;
      const nearest = Math.min(...edge.map((corner) => geoDistance(corner, point)));
      if (nearest > distance) [best, distance] = [point, nearest];
    }
  }
  return best;
}

const points = new Map();
for (const scale of ["countries-50m", "countries-10m"]) {
  const world = require(`world-atlas/${scale}.json`);
  for (const country of feature(world, world.objects.countries).features) {
    const alpha3 = byNumber.get(country.id);
    if (alpha3 && country.geometry && !points.has(alpha3)) points.set(alpha3, [inside(country.geometry), scale]);
  }
}

/** ±DDMM±DDDMM or with seconds, ISO 6709. */
function degrees(text) {
  const [, latitude, longitude] = /^([+-]\d+)([+-]\d+)$/.exec(text);
  const read = (part, width) => {
    const sign = part[0] === "-" ? -1 : 1;
    const digits = part.slice(1);
    const minutes = Number(digits.slice(width, width + 2)) + Number(digits.slice(width + 2) || 0) / 60;
    return sign * (Number(digits.slice(0, width)) + minutes / 60);
  };
  return [read(longitude, 3), read(latitude, 2)];
}

const places = readFileSync(names, "utf8").split("\n").filter((line) => /^[A-Z]{3}\t/.test(line)).map((line) => line.split("\t"));
const byAlpha2 = new Map(places.filter((place) => place[1]).map((place) => [place[1], place[0]]));
for (const line of readFileSync(zones, "utf8").split("\n").filter((text) => text && !text.startsWith("#"))) {
  const [alpha2, where] = line.split("\t");
  const alpha3 = byAlpha2.get(alpha2);
  if (alpha3 && !points.has(alpha3)) points.set(alpha3, [degrees(where), "zone.tab"]);
}

const rows = [];
const without = [];
for (const [alpha3] of places) {
  const found = points.get(alpha3);
  if (!found) without.push(alpha3);
  else rows.push([alpha3, ...found[0].map((value) => value.toFixed(1)), found[1]].join("\t"));
}
writeFileSync(
  join(output, "points.tsv"),
  `# Where a place's symbol stands: inside its largest part. Natural Earth 1:50m and 1:10m (public domain) by npm world-atlas ${atlas} (ISC);\n` +
    "# places that have no shape of their own there: a city of the IANA time zone database's zone.tab (public domain).\n" +
    "# Made by generate.mjs; do not edit. alpha3, longitude, latitude, source.\n" +
    rows.join("\n") +
    "\n",
);
console.log(`${land.length} rings, ${rows.length} points; without a point: ${without.join(" ") || "none"}`);
