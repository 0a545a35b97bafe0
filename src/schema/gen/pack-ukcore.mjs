/*
 * Reads StructureDefinitions (differentials) and ValueSets in FHIR's XML and
 * prints what of them a mapping is checked against, in the form of
 * mappings/formats/*.profiles. Usage: README.md beside this file.
 */
import fs from 'node:fs';
import path from 'node:path';

const [folder, source] = process.argv.slice(2);
if (!folder || !source) {
    console.error('usage: node pack-ukcore.mjs FOLDER SOURCE >x.profiles');
    process.exit(2);
}

/* FHIR's XML holds all values in attributes: a tag makes a node. */
function parse(text) {
    const root = { kids: [] };
    const stack = [root];
    const tags = /<!--[^]*?-->|<\?[^]*?\?>|<(\/?)([\w:]+)([^>]*?)(\/?)>/g;
    for (const [, close, name, rest, empty] of text.matchAll(tags)) {
        if (!name) {
            continue;
        }
        if (close) {
            stack.pop();
            continue;
        }
        const of = (key) =>
            rest.match(new RegExp(`\\b${key}="([^"]*)"`))?.[1] ?? '';
        const node = { name, id: of('id'), value: of('value'), kids: [] };
        stack.at(-1).kids.push(node);
        if (!empty) {
            stack.push(node);
        }
    }
    return root.kids[0];
}
const all = (node, name) => node.kids.filter((k) => k.name === name);
const one = (node, name) => all(node, name)[0];
const text = (node, name) => one(node, name)?.value ?? '';

function targets(element, own) {
    const names = all(element, 'type')
        .filter((t) => text(t, 'code') === 'Reference')
        .flatMap((t) => all(t, 'targetProfile'))
        .map((p) => p.value.replace(/^.*\/(UKCore-)?/, ''));
    return names.length > 0 && own ? ` to ${[...new Set(names)].join(',')}` : '';
}

/* Slices by the value of one member: its name, and the value of each. */
function slices(elements) {
    const found = new Map();
    for (const e of elements) {
        const [, list, slice, key] =
            e.id.match(/^([\w.[\]]+):(\w+)\.([\w.]+)$/) ?? [];
        const fixed = e.node.kids.find((k) =>
            /^(fixed|pattern)(Uri|Url|Code|String|Canonical)$/.test(k.name));
        if (fixed && key && !key.includes('.')) {
            found.set(`${list}:${slice}`, `${key}=${fixed.value}`);
        }
        const url = one(e.node, 'type') && text(one(e.node, 'type'), 'profile');
        if (/extension:\w+$/.test(e.id) && url) {
            found.set(e.id, `url=${url}`);
        }
    }
    return found;
}

function line(e, type, known) {
    const short = e.id.slice(type.length + 1).replaceAll('[x]', '');
    const slice = e.id.match(/^[^:]*:\w+/)?.[0];
    if (!short || e.id.split(':').length > 2 || /assigner$/.test(short) ||
        (slice && !known.has(slice))) {
        return '';
    }
    let out = '';
    const max = text(e.node, 'max');
    const binding = one(e.node, 'binding');
    const fixed = e.node.kids.find((k) => /^fixed[A-Z]/.test(k.name));
    out += +text(e.node, 'min') > 0 ? ` min ${text(e.node, 'min')}` : '';
    out += max && max !== '*' ? ` max ${max}` : '';
    out += text(e.node, 'mustSupport') === 'true' ? ' must' : '';
    if (binding && text(binding, 'valueSet')) {
        out += ` bind ${text(binding, 'strength')} ` +
            text(binding, 'valueSet').replace(/\|.*$/, '');
    }
    out += fixed && !slice ? ` fixed ${fixed.value}` : '';
    out += targets(e.node, !/identifier/.test(short));
    const where = e.id === slice ? ` where ${known.get(slice)}` : '';
    /* An extension slice that asks nothing only allows the extension. */
    const bare = /extension:\w+$/.test(e.id) && !out && !e.asked;
    return (out || where) && !bare ? `    ${short}${where}${out}` : '';
}

function profile(root) {
    const type = text(root, 'type');
    const elements = all(one(root, 'differential'), 'element')
        .map((node) => ({ id: node.id, node }));
    const known = slices(elements);
    for (const e of elements) {
        const inside = elements.some((k) => k.id.startsWith(`${e.id}.`) &&
            +text(k.node, 'min') > 0 && k.id.split(':').length < 3);
        e.asked = inside;
    }
    const name = text(root, 'id').toLowerCase();
    return [`profile ${name} ${type} ${text(root, 'url')} ` +
        `${text(root, 'version')} ${source}`,
    ...elements.map((e) => line(e, type, known)).filter(Boolean)].join('\n');
}

function valueSet(root) {
    const systems = all(one(root, 'compose') ?? root, 'include')
        .map((i) => text(i, 'system')).filter(Boolean);
    return systems.length === 0 ? ''
        : `valueset ${text(root, 'url')} ${[...new Set(systems)].join(' ')}`;
}

const roots = fs.readdirSync(folder).filter((f) => f.endsWith('.xml')).sort()
    .map((f) => parse(fs.readFileSync(path.join(folder, f), 'utf8')));
const profiles = roots.filter((r) => r?.name === 'StructureDefinition' &&
    text(r, 'type') !== 'Extension' && one(r, 'differential')).map(profile);
const sets = roots.filter((r) => r?.name === 'ValueSet').map(valueSet);
console.log([...profiles, sets.filter(Boolean).join('\n')].join('\n\n'));
