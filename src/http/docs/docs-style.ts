/** The look of /docs, and the few lines that copy an example. Both are allowed by their hash (docs-page.ts). */
export const docsStyle = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1d2433, #dfe4ee);
  --soft: light-dark(#5b6478, #98a2b7);
  --paper: light-dark(#ffffff, #12161f);
  --panel: light-dark(#f5f7fb, #1a2030);
  --line: light-dark(#dde2ec, #2b3347);
  --accent: light-dark(#3451d1, #8ea6ff);
  --get: light-dark(#1a7f4b, #54c98b);
  --post: light-dark(#3451d1, #8ea6ff);
  --delete: light-dark(#b4322f, #ff8f89);
  --code: light-dark(#f0f2f8, #0c1018);
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body {
  margin: 0; display: grid; grid-template-columns: 17rem minmax(0, 1fr); color: var(--ink);
  background: var(--paper); font: 16px/1.55 system-ui, sans-serif;
}
nav {
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 3rem;
  background: var(--panel); border-right: 1px solid var(--line); font-size: .875rem;
}
nav h2 { margin: 1.4rem .5rem .4rem; font-size: .75rem; letter-spacing: .08em; text-transform: uppercase; color: var(--soft); }
nav a { display: block; padding: .2rem .5rem; border-radius: .35rem; color: inherit; text-decoration: none; }
nav a:hover { background: var(--line); }
main { max-width: 58rem; padding: 2.5rem clamp(1rem, 4vw, 3.5rem) 6rem; }
h1 { margin: 0; font-size: 2.2rem; letter-spacing: -.02em; }
h1 small { font-size: .9rem; font-weight: 500; color: var(--soft); letter-spacing: 0; }
h2 { margin: 3.5rem 0 .5rem; font-size: 1.5rem; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 1.15rem; }
h4 { margin: 1.4rem 0 .4rem; font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); }
a { color: var(--accent); }
p { margin: .5rem 0; }
section.operation { margin: 1.5rem 0; padding: 1.4rem 1.5rem; border: 1px solid var(--line); border-radius: .8rem; }
.route { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .45rem 0; font: 600 .95rem ui-monospace, monospace; }
.method { min-width: 4.2em; padding: .1rem .5rem; border: 1px solid currentColor; border-radius: .4rem; text-align: center; font-size: .8rem; }
.GET { color: var(--get); } .POST { color: var(--post); } .DELETE { color: var(--delete); }
.access { margin-left: auto; padding: .1rem .6rem; border-radius: 1rem; background: var(--panel); color: var(--soft); font: .8rem system-ui, sans-serif; }
code { padding: .08em .35em; border-radius: .3em; background: var(--code); font: .88em ui-monospace, monospace; overflow-wrap: anywhere; }
pre { position: relative; margin: .4rem 0; padding: .9rem 1rem; overflow-x: auto; border-radius: .6rem; background: var(--code); font: .84rem/1.5 ui-monospace, monospace; }
pre code { padding: 0; background: none; font: inherit; overflow-wrap: normal; }
.example { position: relative; }
.example button {
  position: absolute; top: .5rem; right: .5rem; z-index: 1; padding: .15rem .6rem; border: 1px solid var(--line);
  border-radius: .4rem; background: var(--paper); color: var(--soft); font: .8rem system-ui, sans-serif; cursor: pointer;
}
.example button:hover { color: var(--accent); border-color: currentColor; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
th { font-weight: 600; color: var(--soft); }
td.note, .soft { color: var(--soft); }
.required { color: var(--delete); font-size: .8em; }
tr:target, section:target { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: .4rem; }
@media (max-width: 56rem) {
  body { display: block; }
  nav { position: static; height: auto; border-right: 0; border-bottom: 1px solid var(--line); }
}
@media print { nav, .example button { display: none; } body { display: block; } }
`;

export const docsScript = `
for (const button of document.querySelectorAll('.example button')) {
  button.addEventListener('click', async () => {
    const code = button.parentElement.querySelector('code');
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
}
`;
