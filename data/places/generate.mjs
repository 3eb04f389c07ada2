// Writes names.tsv and groups-m49.tsv from the Unicode CLDR: for every ISO 3166-1 entry its codes, and its name in the
// six official languages of the United Nations; for every region of the M49 standard its names and the entries in it.
// No name and no membership is typed here: what CLDR says is what is written.
//
//   cd data/places && npm install --no-save --prefix /tmp/cldr cldr-core@48.2.0 cldr-localenames-full@48.2.0
//   node generate.mjs /tmp/cldr/node_modules
//
// Run again with newer versions of the two packages when ISO 3166-1 or the names change; read the diff.

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const LANGUAGES = ["ar", "zh", "en", "fr", "ru", "es"];
// ISO 3166-1 numeric codes from 900 on are for users, not for countries.
const FIRST_USER_NUMERIC = 900;

const modules = process.argv[2];
if (!modules) {
  console.error("usage: node generate.mjs <node_modules with cldr-core and cldr-localenames-full>");
  process.exit(2);
}
const here = dirname(fileURLToPath(import.meta.url));
const json = (path) => JSON.parse(readFileSync(join(modules, path), "utf8"));

const version = json("cldr-core/package.json").version;
if (json("cldr-localenames-full/package.json").version !== version) {
  throw new Error("cldr-core and cldr-localenames-full must have the same version");
}
const mappings = json("cldr-core/supplemental/codeMappings.json").supplemental.codeMappings;
// Codes that ISO has withdrawn (AN, SU, YU, ...) are aliases of those in force.
const withdrawn = json("cldr-core/supplemental/aliases.json").supplemental.metadata.alias.territoryAlias;
const territories = Object.fromEntries(
  LANGUAGES.map((language) => [
    language,
    json(`cldr-localenames-full/main/${language}/territories.json`).main[language].localeDisplayNames.territories,
  ]),
);

const codes = Object.keys(mappings)
  .filter((code) => /^[A-Z]{2}$/.test(code) && !(code in withdrawn))
  .filter((code) => Number(mappings[code]._numeric ?? FIRST_USER_NUMERIC) < FIRST_USER_NUMERIC)
  .sort((a, b) => (mappings[a]._alpha3 < mappings[b]._alpha3 ? -1 : 1));
if (codes.length !== 249) {
  throw new Error(`ISO 3166-1 has 249 entries, found ${codes.length}: look at the filter before writing anything`);
}

const field = (text) => {
  if (!text || /[\t\n\r|]/.test(text)) throw new Error(`cannot be written: ${JSON.stringify(text)}`);
  return text;
};
// First the name to show, then CLDR's shorter and variant forms, which are matched but not shown.
const names = (language, code) =>
  [code, `${code}-alt-short`, `${code}-alt-variant`]
    .map((key) => territories[language][key])
    .filter((name, at) => at === 0 || name)
    .map(field)
    .join("|");

const lines = [
  `# Country names: Unicode CLDR ${version} (npm cldr-core, cldr-localenames-full), Unicode License v3, see UNICODE-LICENSE.txt.`,
  "# Made by generate.mjs; do not edit. A cell is the name to show, then other forms to match, parted by |.",
  ["alpha3", "alpha2", ...LANGUAGES].join("\t"),
  ...codes.map((code) =>
    [mappings[code]._alpha3, code, ...LANGUAGES.map((language) => names(language, code))].join("\t"),
  ),
];
writeFileSync(join(here, "names.tsv"), lines.join("\n") + "\n");

// The regions of M49 have three digits; each is written with all entries of ISO 3166-1 below it.
const containment = json("cldr-core/supplemental/territoryContainment.json").supplemental.territoryContainment;
const parts = (region) => containment[region]?._contains ?? [];
const below = (region) =>
  parts(region).flatMap((part) => (codes.includes(part) ? [mappings[part]._alpha3] : below(part)));
const regions = Object.keys(containment)
  .filter((region) => /^\d{3}$/.test(region) && below(region).length > 0)
  .sort();
const groups = [
  `# Regions of the UN standard M49, as the territory containment of the Unicode CLDR ${version} has them (npm cldr-core, cldr-localenames-full).`,
  "# Unicode License v3, see UNICODE-LICENSE.txt. Made by generate.mjs; do not edit. The columns are explained in README.md.",
  ["group", ...LANGUAGES, "members"].join("\t"),
  ...regions.map((region) =>
    [
      `m49:${region}`,
      ...LANGUAGES.map((language) => field(territories[language][region])),
      [...new Set(below(region))].sort().join(" "),
    ].join("\t"),
  ),
];
writeFileSync(join(here, "groups-m49.tsv"), groups.join("\n") + "\n");
copyFileSync(join(modules, "cldr-core/LICENSE"), join(here, "UNICODE-LICENSE.txt"));
