import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { problemCodes } from '../../../../src/http/answer/error-response.ts';
import { docsPage } from '../../../../src/http/docs/docs-page.ts';
import { html, prose } from '../../../../src/http/docs/html.ts';
import { openApiDocument } from '../../../../src/http/docs/openapi.ts';
import { routeTable } from '../../../../src/http/routes/route-table.ts';
import { call } from '../client.ts';
import { openPublicPort } from '../open-port.ts';

const table = routeTable(10);
const page = docsPage(openApiDocument(table, '1.2.3'));

const contentOf = (tag: string) => {
  const start = page.indexOf(`<${tag}>`) + tag.length + 2;
  return page.slice(start, page.indexOf(`</${tag}>`));
};

describe('the page', () => {
  test('asks nothing of any other place', () => {
    const targets = [...page.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, target]) => target ?? '');
    expect(targets.length).toBeGreaterThan(40);
    for (const target of targets) expect(target).toMatch(/^(?:#|data:,$|\/openapi\.json$)/);
    expect(contentOf('style')).not.toMatch(/url\(|@import/);
    expect(contentOf('script')).not.toMatch(/fetch|XMLHttpRequest|import\(/);
  });

  test('shows every route, with its example', () => {
    for (const { id, route } of table) {
      expect(page).toContain(`<section class="operation" id="${id}">`);
      expect(page).toContain(`<span>${route.path}</span>`);
    }
  });

  test('shows every error code', () => {
    for (const code of problemCodes) expect(page).toContain(`<tr id="${code}">`);
  });

  test('has every place that it links to', () => {
    const anchors = [...page.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor);
    for (const anchor of new Set(anchors)) expect(page).toContain(`id="${anchor}"`);
  });

  test('closes what it opens', () => {
    for (const tag of ['section', 'table', 'tbody', 'tr', 'td', 'div', 'pre', 'code', 'main', 'nav', 'p']) {
      const opened = page.match(new RegExp(`<${tag}[ >]`, 'g'))?.length;
      expect(page.match(new RegExp(`</${tag}>`, 'g'))?.length, tag).toBe(opened);
    }
  });
});

test('it is served, and only its own style and script may run', async () => {
  await using open = await openPublicPort({ version: '1.2.3' });
  const answered = await call(open.port, '/docs');
  expect(answered).toMatchObject({
    status: 200,
    headers: { 'content-type': 'text/html; charset=utf-8', 'x-content-type-options': 'nosniff' },
    text: page.replaceAll('http://127.0.0.1:8080', `http://127.0.0.1:${open.port}`),
  });
  const policy = answered.headers['content-security-policy'];
  const hashOf = (text: string) => createHash('sha256').update(text).digest('base64');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain(`style-src 'sha256-${hashOf(contentOf('style'))}'`);
  expect(policy).toContain(`script-src 'sha256-${hashOf(contentOf('script'))}'`);
});

describe('HTML', () => {
  test('escapes text, and not itself', () => {
    const { text } =
      html`<p title="${'"\'&'}">${'<b>'}${html`<i>${1}</i>`}${['&', html`<br>`]}${undefined}</p>`;
    expect(text).toBe('<p title="&quot;&#39;&amp;">&lt;b&gt;<i>1</i>&amp;<br></p>');
  });

  test('prose has code between backticks', () => {
    expect(prose('a `<b>` & c').text).toBe('a <code>&lt;b&gt;</code> &amp; c');
  });
});
