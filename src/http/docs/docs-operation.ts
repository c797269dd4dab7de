import { fieldsTable, meaning, schemaLink, typeWords } from './docs-schema.ts';
import { type Html, html, prose } from './html.ts';
import type { Operation, OperationResponse, Parameter } from './openapi.ts';

/** One operation of the interface, for readers. */
export function operationSection(path: string, method: string, operation: Operation): Html {
  const verb = method.toUpperCase();
  return html`<section class="operation" id="${operation.operationId}">
    <h3>${operation.summary}</h3>
    <div class="route"><span class="method ${verb}">${verb}</span><span>${path}</span>${accessChip(operation)}</div>
    ${operation.description === undefined ? '' : html`<p>${prose(operation.description)}</p>`}
    ${parametersTable(operation.parameters)}
    ${bodySection(operation)}
    ${operation['x-codeSamples'].map(({ source }) => example('Try it', source))}
    ${responsesTable(operation.responses)}
    ${successExample(operation.responses)}
  </section>`;
}

export const example = (title: string, source: string): Html =>
  html`<h4>${title}</h4>
    <div class="example"><button type="button">Copy</button><pre><code>${source}</code></pre></div>`;

function accessChip({ security }: Operation): Html {
  if (security.length === 0) return html`<span class="access">no token</span>`;
  const words = security.map((scheme) => {
    const [name] = Object.keys(scheme);
    if (name === undefined) return 'this machine';
    if (name === 'operator') return 'admin token';
    return name === 'client' ? 'client credentials' : `scope ${scheme[name]?.join(' ')}`;
  });
  return html`<span class="access">${words.join(', or ')}</span>`;
}

function parametersTable(parameters: readonly Parameter[]): Html | undefined {
  if (parameters.length === 0) return undefined;
  return html`<h4>Parameters</h4><div class="scroll"><table>
    <thead><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead>
    <tbody>${parameters.map(
      (parameter) => html`<tr>
        <td><code>${parameter.name}</code>${
          parameter.required ? html` <span class="required">required</span>` : ''
        }</td>
        <td>${parameter.in}</td>
        <td>${typeWords(parameter.schema)}</td>
        <td class="note">${prose(parameter.description ?? '')} ${meaning(parameter.schema)}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

function bodySection({ requestBody }: Operation): Html | undefined {
  const schema = requestBody?.content['application/json']?.schema;
  if (schema === undefined) return undefined;
  const table = fieldsTable(schema);
  if (table === undefined && schema.description === undefined) return undefined;
  return html`<h4>Body</h4>${table ?? html`<p>${prose(schema.description ?? '')}</p>`}`;
}

const responsesTable = (responses: Operation['responses']): Html =>
  html`<h4>Answers</h4><div class="scroll"><table><tbody>${Object.entries(responses).map(
    ([status, response]) => html`<tr>
      <td><strong>${status}</strong></td>
      <td>${prose(response.description)} ${headerNotes(response)}</td>
      <td class="note">${contentWords(response)}</td>
    </tr>`,
  )}</tbody></table></div>`;

const headerNotes = ({ headers = {} }: OperationResponse): readonly Html[] =>
  Object.entries(headers).map(
    ([name, { description }]) => html`<div class="soft"><code>${name}</code> ${prose(description)}</div>`,
  );

const contentWords = ({ content = {} }: OperationResponse): readonly Html[] =>
  Object.entries(content).map(
    ([mediaType, { schema }]) =>
      html`<div>${schema?.$ref === undefined ? html`<code>${mediaType}</code>` : schemaLink(schema.$ref)}</div>`,
  );

function successExample(responses: Operation['responses']): Html | undefined {
  const found = Object.values(responses).find(
    ({ content }) => content?.['application/json']?.example !== undefined,
  );
  const value = found?.content?.['application/json']?.example;
  return value === undefined ? undefined : example('Example', JSON.stringify(value, null, 2));
}
