/**
 * The style sheet of the console: dark and light as the visitor's system is, one column on a small screen.
 *
 * @module
 */

/** The style sheet. */
export const CONSOLE_STYLE: string = String.raw`
:root {
  color-scheme: light dark;
  --paper: light-dark(#ffffff, #14161b);
  --shade: light-dark(#f5f6f8, #1b1e25);
  --line: light-dark(#dcdfe6, #313642);
  --edge: light-dark(#868d9c, #767e8f);
  --ink: light-dark(#1a1d24, #e8eaf0);
  --soft: light-dark(#565d6b, #a5adbd);
  --accent: light-dark(#4338ca, #a5b4fc);
  --on-accent: light-dark(#ffffff, #14161b);
  --good: light-dark(#166534, #86efac);
  --bad: light-dark(#b42318, #fda29b);
  --bad-shade: light-dark(#fef3f2, #35191a);
  --string: light-dark(#166534, #a7e3b4);
  --number: light-dark(#9a3412, #fdba74);
  --key: light-dark(#1d4ed8, #93c5fd);
  font: 15px/1.5 system-ui, sans-serif;
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; background: var(--paper); color: var(--ink); }
h1, h2, h3 { margin: 0; line-height: 1.25; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; } h3 { font-size: .95rem; }
p { margin: .25rem 0; overflow-wrap: anywhere; }
code, pre, .mono, textarea.json { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .86rem; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main:focus-visible { outline: none; }
.skip { position: absolute; left: -100vw; background: var(--paper); padding: .5rem 1rem; z-index: 2; }
.skip:focus { left: .5rem; top: .5rem; }
header { display: flex; align-items: center; gap: .75rem; padding: .5rem 1rem; border-bottom: 1px solid var(--line); }
.brand { font-weight: 700; font-size: 1.1rem; letter-spacing: -.02em; color: inherit; text-decoration: none; }
#node { color: var(--soft); flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.state { font-size: .85rem; color: var(--soft); white-space: nowrap; }
.state::before { content: ""; display: inline-block; width: .6em; height: .6em; border-radius: 50%; margin-right: .4em;
  background: currentColor; }
.state.good::before { background: var(--good); }
.state.bad { color: var(--bad); }
button, input, select, textarea { font: inherit; color: inherit; border: 1px solid var(--edge); border-radius: .4rem;
  background: var(--paper); padding: .35rem .65rem; }
button { cursor: pointer; min-height: 2.25rem; }
button:hover { background: var(--shade); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
button.main:hover { filter: brightness(1.1); }
button.small { min-height: 1.75rem; padding: 0 .5rem; font-size: .82rem; }
button:disabled { opacity: .55; cursor: default; }
#layout { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(14rem, 22rem) 1fr; }
nav { border-right: 1px solid var(--line); background: var(--shade); overflow-y: auto; padding-bottom: 1rem; }
.finder { position: sticky; top: 0; background: var(--shade); padding: .75rem 1rem .5rem; z-index: 1; }
.finder label { font-weight: 600; display: block; margin-bottom: .25rem; }
.finder input { width: 100%; }
#count { color: var(--soft); font-weight: 400; }
.hint { color: var(--soft); font-size: .82rem; }
nav h2 { font-size: .82rem; color: var(--soft); font-weight: 600; padding: .75rem 1rem .15rem; }
nav ul { list-style: none; margin: 0; padding: 0 .5rem; }
nav li a { display: flex; gap: .5rem; align-items: baseline; justify-content: space-between; padding: .3rem .5rem;
  border-radius: .4rem; color: inherit; text-decoration: none; }
nav li a:hover { background: var(--line); }
nav li a[aria-current] { background: var(--accent); color: var(--on-accent); }
nav li a[aria-current] .kind { color: inherit; }
nav .name { overflow-wrap: anywhere; unicode-bidi: isolate; }
.kind { font-size: .75rem; color: var(--soft); white-space: nowrap; }
.note { padding: .5rem 1rem; color: var(--soft); overflow-wrap: anywhere; }
main { overflow-y: auto; padding: 1.25rem 1.5rem 3rem; }
main > * { max-width: 60rem; }
section { margin-top: 1.5rem; }
.back { display: none; }
.soft { color: var(--soft); }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .75rem 0; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.25rem; margin: .75rem 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; font-size: .85rem; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
fieldset { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem .75rem; margin: .75rem 0; min-width: 0; }
fieldset.bare { border: 0; padding: 0; margin: 0; }
legend { font-weight: 600; padding: 0 .35rem; } fieldset.bare > legend { padding: 0; font-size: 1.1rem; }
.field { margin: .65rem 0; } .field .hint { display: block; } fieldset button.small { margin: .15rem 0; }
.field > label, .field > .title { display: block; font-weight: 600; overflow-wrap: anywhere; }
.field input, .field select, .field textarea { width: min(100%, 34rem); }
.field input[type="checkbox"] { width: auto; }
textarea { field-sizing: content; min-height: 2.25rem; max-height: 24rem; resize: vertical; display: block; }
textarea.json { width: 100%; min-height: 7rem; }
.fault { color: var(--bad); font-size: .88rem; margin: .15rem 0 0; }
.fault:empty { display: none; }
[aria-invalid="true"] { border-color: var(--bad); outline: 1px solid var(--bad); }
.error { border: 1px solid var(--bad); background: var(--bad-shade); border-radius: .5rem; padding: .75rem 1rem; }
.error h3 { color: var(--bad); }
pre { background: var(--shade); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .5rem 0;
  overflow: auto; max-height: 32rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre .s { color: var(--string); } pre .n { color: var(--number); } pre .k { color: var(--key); }
ol.events { list-style: none; margin: .5rem 0; padding: 0; max-height: 28rem; overflow-y: auto; border: 1px solid var(--line);
  border-radius: .5rem; background: var(--shade); }
ol.events li { padding: .2rem .9rem; border-bottom: 1px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin-top: 1rem; } summary { cursor: pointer; color: var(--soft); }
dialog { border: 1px solid var(--line); border-radius: .75rem; background: var(--paper); color: var(--ink); width: min(30rem, 92vw);
  padding: 1.25rem; }
dialog::backdrop { background: rgb(0 0 0 / .45); }
dialog label { display: block; font-weight: 600; margin-top: .75rem; } dialog input { width: 100%; }
@media (max-width: 44rem) {
  #layout { grid-template-columns: 1fr; grid-template-rows: 1fr; }
  nav { border-right: 0; }
  body.detail nav { display: none; } body:not(.detail) main { display: none; }
  .back { display: inline-block; margin-bottom: .75rem; }
  #filter-hint, #node { display: none; } header { justify-content: space-between; }
  main { padding: 1rem; } input, select, textarea { font-size: 16px; }
}
@media (forced-colors: active) { nav li a[aria-current] { outline: 2px solid; } }
`;
