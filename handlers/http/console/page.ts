/**
 * The document of the console: the frame that its script fills.
 *
 * @module
 */

/** Where the document finds its parts. */
export interface ConsoleParts {
  /** Path of the script. */
  readonly script: string;
  /** Path of the style sheet. */
  readonly style: string;
}

const ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E" +
  "%3Crect width='32' height='32' rx='8' fill='%234f46e5'/%3E" +
  "%3Cpath d='M9 23 16 8l7 15M11.5 18h9' fill='none' stroke='white' stroke-width='3' stroke-linecap='round'/%3E%3C/svg%3E";

/** The document. */
export function consolePage({ script, style }: ConsoleParts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Alknet console</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to the operation</a>
<header>
<a class="brand" href="#/">Alknet</a>
<span id="node" class="mono"></span>
<span id="state" class="state" role="status">Connecting…</span>
<button id="account" type="button">Sign in</button>
</header>
<div id="layout">
<nav aria-label="Operations">
<div class="finder">
<label for="filter">Operations <span id="count"></span></label>
<input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="Name, text or type"
 aria-keyshortcuts="/" aria-describedby="filter-hint">
<span id="filter-hint" class="hint">Press / to find, arrows to move.</span>
</div>
<div id="list"></div>
</nav>
<main id="main" tabindex="-1"><noscript><p>This page needs JavaScript. Without it, the operations are at
<a href="/search">/search</a>, and their document at <a href="/openapi.json">/openapi.json</a>.</p></noscript></main>
</div>
<dialog id="sign" aria-labelledby="sign-title">
<form id="sign-form">
<h2 id="sign-title">Sign in with a token</h2>
<p>It stays in this tab, and is gone when the tab is closed. <code>alknet token create</code> makes one.</p>
<label for="token">Token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false" aria-describedby="token-fault">
<p id="token-fault" class="fault" role="alert"></p>
<div class="row"><button class="main" type="submit">Sign in</button>
<button id="sign-cancel" type="button">Cancel</button></div>
</form>
</dialog>
</body>
</html>
`;
}
