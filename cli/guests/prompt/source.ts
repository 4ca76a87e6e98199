/**
 * What is typed at the prompt, as the guest evaluates it.
 *
 * @module
 */

const CLOSES: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

/** Whether more has to come: a bracket, a template or a comment is open. Regular expressions are read as they come. */
export function isIncomplete(text: string): boolean {
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (open.at(-1) === "`") {
      if (char === "\\") at++;
      else if (char === "`") open.pop();
      else if (text.startsWith("${", at)) open.push("}"), at++;
    } else if (char === '"' || char === "'") {
      const end = endOfText(text, at);
      if (end === undefined) return false;
      at = end;
    } else if (text.startsWith("//", at)) {
      const end = text.indexOf("\n", at);
      at = end < 0 ? text.length : end;
    } else if (text.startsWith("/*", at)) {
      const end = text.indexOf("*/", at + 2);
      if (end < 0) return true;
      at = end + 1;
    } else if (char === "`") open.push("`");
    else if (CLOSES[char]) open.push(CLOSES[char]);
    else if (")]}".includes(char) && open.pop() !== char) return false;
  }
  return open.length > 0;
}

/** Where a text in quotes ends; nothing when its line does first. */
function endOfText(text: string, begin: number): number | undefined {
  for (let at = begin + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === text[begin]) return at;
  }
  return undefined;
}

/** Ways to read a text, the likeliest first: the next counts where one does not parse. */
export function* readings(text: string): Generator<string> {
  // An object, not a block.
  if (/^\s*\{/.test(text) && !/;\s*$/.test(text)) yield `(${text}\n)`;
  yield text;
  if (!/\bawait\b/.test(text)) return;
  // A script has no await of its own. What is declared with one stays, as a variable.
  const [, name, value] = /^\s*(?:const|let|var)\s+([\w$]+)\s*=\s*(await\b[\s\S]+?);?\s*$/.exec(text) ?? [];
  if (name !== undefined) yield `var ${name}; (async () => void (${name} = ${value}\n))()`;
  yield `(async () => (${text.replace(/;\s*$/, "")}\n))()`;
  yield `(async () => {${text}\n})()`;
}

/** Names that a text declares: completion cannot see them in the guest. */
export function declaredNames(text: string): string[] {
  return [...text.matchAll(/\b(?:let|const|class)\s+([A-Za-z_$][\w$]*)/g)].map(([, name]) => name);
}
