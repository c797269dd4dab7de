import { createHash } from 'node:crypto';
import { problemCodes, problemKinds, problemType } from '../answer/error-response.ts';
import { exampleOrigins } from './curl-example.ts';
import { example, operationSection } from './docs-operation.ts';
import { fieldsTable } from './docs-schema.ts';
import { docsScript, docsStyle } from './docs-style.ts';
import { Html, html, prose } from './html.ts';
import type { OpenApiDocument, Operation } from './openapi.ts';

/** /docs: the OpenAPI document as one page that asks nothing of any other place. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags } = document;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${info.title} ${info.version}: HTTP interface</title>
<link rel="icon" href="data:,">
<style>${new Html(docsStyle)}</style>
</head>
<body>
<nav aria-label="Contents">
  <strong>${info.title}</strong>
  ${tags.map(
    ({ name }) => html`<h2>${name} port</h2>
      ${operationsOf(document, name).map(
        ({ operation }) => html`<a href="#${operation.operationId}">${operation.summary}</a>`,
      )}`,
  )}
  <h2>Reference</h2><a href="#errors">Errors</a><a href="#schemas">Schemas</a><a href="/openapi.json">OpenAPI file</a>
</nav>
<main>
  <h1>${info.title} <small>${info.version}</small></h1>
  <p>${prose(info.description)}</p>
  ${example('In the demo, a token first', tokenCommand)}
  ${tags.map(
    ({ name, description }) => html`<h2>The ${name} port</h2><p>${prose(description)}</p>
      ${operationsOf(document, name).map(({ path, method, operation }) =>
        operationSection(path, method, operation),
      )}`,
  )}
  ${errorsTable()}
  ${schemaSections(document)}
</main>
<script>${new Html(docsScript)}</script>
</body>
</html>
`;
  return page.text;
}

const tokenCommand =
  `TOKEN=$(curl -s ${exampleOrigins.public}/auth/token -H 'Content-Type: application/json' \\\n` +
  `  -d '{"userId":"ada"}' | sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/')`;

const HOST = /^[A-Za-z0-9.:[\]-]{1,255}$/;

/** The page with its examples calling the host that the reader asked; any other text is left out of it. */
export const withOrigin = (page: string, host: string | undefined): string =>
  host !== undefined && HOST.test(host) ? page.replaceAll(exampleOrigins.public, `http://${host}`) : page;

const hashSource = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but the page's own style and script. */
export const docsSecurityPolicy = [
  "default-src 'none'",
  `style-src ${hashSource(docsStyle)}`,
  `script-src ${hashSource(docsScript)}`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

interface Placed {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

const operationsOf = ({ paths }: OpenApiDocument, tag: string): readonly Placed[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { tags }]) => tags.some((name) => name === tag))
      .map(([method, operation]) => ({ path, method, operation })),
  );

const errorsTable = (): Html =>
  html`<h2 id="errors">Errors</h2>
  <p>${prose(
    'Every error is `application/problem+json` (RFC 9457) with a stable `code`. On 409, 429 and 503 ' +
      '`retryable` tells whether the same request may succeed later; 429 and 503 say when with `Retry-After`.',
  )}</p>
  <div class="scroll"><table>
    <thead><tr><th>Status</th><th>Code</th><th>Meaning</th></tr></thead>
    <tbody>${problemCodes.map((code) => {
      const { status, title } = problemKinds[code];
      return html`<tr id="${code}"><td>${status}</td><td><code title="${problemType(code)}">${code}</code></td><td>${title}</td></tr>`;
    })}</tbody>
  </table></div>`;

const schemaSections = ({ components }: OpenApiDocument): Html =>
  html`<h2 id="schemas">Schemas</h2>
  ${Object.entries(components.schemas).map(
    ([name, schema]) =>
      html`<section class="operation" id="schema-${name}"><h3>${name}</h3>${fieldsTable(schema)}</section>`,
  )}`;
