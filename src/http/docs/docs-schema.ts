import type { JsonSchema } from '@valibot/to-json-schema';
import { type Html, html, prose } from './html.ts';

/** JSON Schemas for readers: a table of fields, and what a field is in a few words. */
export function fieldsTable(schema: JsonSchema): Html | undefined {
  const rows = fieldRows(schema, '');
  if (rows.length === 0) return undefined;
  return html`<div class="scroll"><table>
    <thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead>
    <tbody>${rows}</tbody>
  </table></div>`;
}

/** Objects inside objects and lists are listed with their path, as errors name them. */
function fieldRows(schema: JsonSchema, prefix: string): readonly Html[] {
  const required = new Set(schema.required);
  return Object.entries(schema.properties ?? {}).flatMap(([name, definition]) => {
    if (typeof definition === 'boolean') return [];
    const path = `${prefix}${name}`;
    const { target, suffix } = insideOf(definition);
    return [
      fieldRow(path, definition, required.has(name)),
      ...(target === undefined ? [] : fieldRows(target, `${path}${suffix}.`)),
    ];
  });
}

const fieldRow = (path: string, schema: JsonSchema, isRequired: boolean): Html =>
  html`<tr>
    <td><code>${path}</code>${isRequired ? html` <span class="required">required</span>` : ''}</td>
    <td>${typeWords(schema)}</td>
    <td class="note">${meaning(schema)}</td>
  </tr>`;

/** The object whose fields are listed below a field. */
function insideOf(schema: JsonSchema): { readonly target?: JsonSchema; readonly suffix: string } {
  if (schema.type === 'object') return { target: schema, suffix: '' };
  const { items } = schema;
  if (typeof items !== 'object' || Array.isArray(items)) return { suffix: '' };
  const inside = insideOf(items);
  return { ...inside, suffix: `[]${inside.suffix}` };
}

export function typeWords(schema: JsonSchema): Html {
  const { $ref, items, type, anyOf } = schema;
  if ($ref !== undefined) return schemaLink($ref);
  const values = schema.enum;
  if (values !== undefined)
    return html`${values.map((value, i) => html`${i > 0 ? ' | ' : ''}<code>${String(value)}</code>`)}`;
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (anyOf !== undefined) {
    return html`${anyOf.map((one, i) => html`${i > 0 ? ' or ' : ''}${typeof one === 'boolean' ? '' : typeWords(one)}`)}`;
  }
  if (type === 'array' && typeof items === 'object' && !Array.isArray(items)) {
    return html`list of ${typeWords(items)}`;
  }
  return html`${schema.format === 'date-time' ? 'time' : String(type ?? 'any')}`;
}

export function meaning(schema: JsonSchema): Html {
  const notes: string[] = [];
  if (schema.description !== undefined) notes.push(schema.description);
  if (schema.default !== undefined) notes.push(`default \`${JSON.stringify(schema.default)}\``);
  const { minimum, maximum, minItems, maxItems, pattern } = schema;
  if (minimum !== undefined || maximum !== undefined) notes.push(rangeWords(minimum, maximum));
  if (minItems !== undefined || maxItems !== undefined)
    notes.push(`${rangeWords(minItems, maxItems)} of them`);
  if (pattern !== undefined) notes.push(`matches \`${pattern}\``);
  return prose(notes.join('; '));
}

function rangeWords(min: number | undefined, max: number | undefined): string {
  if (max === undefined || max === Number.MAX_SAFE_INTEGER) return `${min ?? 0} or more`;
  return min === undefined ? `at most ${max}` : `${min} to ${max}`;
}

export function schemaLink(ref: string): Html {
  const name = ref.slice(ref.lastIndexOf('/') + 1);
  return html`<a href="#schema-${name}">${name}</a>`;
}
