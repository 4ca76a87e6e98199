/**
 * Completion in the shells themselves: what is on the line after Tab.
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { runProgram } from "../support/process.ts";
import { needs } from "../support/programs.ts";
import { PYTHON } from "../support/python.ts";
import { initHome, type ServingNode, type TestHome } from "./home.ts";

const DRIVER = new URL("./shell_terminal.py", import.meta.url).pathname;
const MAIN = new URL("../../cli/main.ts", import.meta.url).pathname;

/** How a shell is started, told of the command, and of a variable. */
interface Shell {
  readonly name: "bash" | "zsh";
  readonly start: readonly string[];
  readonly setup: (home: string, variables: Readonly<Record<string, string>>) => string[];
}

const command = (home: string) => `ALKNET_HOME='${home}' '${Deno.execPath()}' run -A '${MAIN}' "$@"`;
const assignments = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables).map(([name, value]) => `${name}='${value}'`);

const SHELLS: readonly Shell[] = [
  {
    name: "bash",
    start: ["bash", "--norc", "--noprofile", "-i"],
    setup: (home, variables) => [
      `alknet () { ${command(home)}; }`,
      ...assignments(variables),
      "source <(alknet completions bash)",
    ],
  },
  {
    name: "zsh",
    start: ["zsh", "-f", "-i"],
    setup: (home, variables) => [
      "autoload -U compinit && compinit -D -u",
      `alknet () { ${command(home)}; }`,
      ...assignments(variables),
      "source <(alknet completions zsh)",
      "compdef _alknet alknet",
    ],
  },
];

/** Lines up to the Tab, and what is to stand there after it. */
function casesAt(home: TestHome, node: ServingNode): { typed: string; shown: string }[] {
  const at = `${home.nodeId}@${node.address}`;
  return [
    { typed: "alknet ser", shown: "alknet serve" },
    { typed: "alknet dns zone cre", shown: "alknet dns zone create" },
    { typed: "alknet dns record list --nod", shown: "alknet dns record list --node" },
    { typed: "alknet call --time", shown: "alknet call --timeout" },
    { typed: `alknet call ${at} node/i`, shown: "node/info" },
    { typed: `alknet call "${at}" node/i`, shown: "node/info" },
    { typed: `alknet call '${at}' node/i`, shown: "node/info" },
    { typed: `alknet call --transport tls ${at} node/i`, shown: "node/info" },
    { typed: `alknet call --home=${home.path} ${at} node/i`, shown: "node/info" },
  ];
}

for (const { name, start, setup } of SHELLS) {
  Deno.test({
    name: `${name}: Tab completes commands, options, and operations at every form of an address`,
    ...needs("linux", name),
    async fn() {
      await using home = await initHome();
      await using node = await home.serve();
      const cases = casesAt(home, node);
      // Others do not say what a variable holds without evaluating whatever stands there.
      if (name === "bash") {
        for (const id of ["$ID", "${ID}", `"$ID"`, `'${home.nodeId}'`]) {
          cases.push({ typed: `alknet call ${id}@${node.address} node/i`, shown: "node/info" });
        }
        cases.push({ typed: `alknet call "$ID@${node.address}" node/i`, shown: "node/info" });
        // What could be run is not: the file that it would make stays away.
        cases.push({ typed: `alknet call $(touch ${home.path}/made)@x --timeo`, shown: "--timeout" });
      }
      const input = JSON.stringify({ setup: setup(home.path, { ID: home.nodeId }), cases, patience: 30 });
      const { code, stdout, stderr } = await runProgram(PYTHON, [DRIVER, ...start], { stdin: input });
      equal(code, 0, stderr);
      const results: { shown: boolean; screen: string }[] = JSON.parse(stdout);
      const failed = results.flatMap(({ shown, screen }, at) => shown ? [] : [`${cases[at].typed}: ${screen}`]);
      deepEqual(failed, []);
      equal([...Deno.readDirSync(home.path)].some(({ name }) => name === "made"), false);
    },
  });
}

Deno.test({
  name: "fish: Tab completes commands, options, and operations at every form of an address",
  ...needs("linux", "fish"),
  async fn() {
    await using home = await initHome();
    await using node = await home.serve();
    const cases = casesAt(home, node);
    // What fish offers at the end of a line, asked of fish itself.
    const script = [
      `function alknet; ALKNET_HOME='${home.path}' '${Deno.execPath()}' run -A '${MAIN}' $argv; end`,
      "alknet completions fish | source",
      ...cases.map(({ typed }) => `echo :; complete -C '${typed.replaceAll("'", "\\'")}'`),
    ].join("\n");
    const { code, stdout, stderr } = await runProgram("fish", ["--no-config", "-c", script]);
    equal(code, 0, stderr);
    const offered = stdout.split(/^:\n/m).slice(1);
    const failed = cases.flatMap(({ typed, shown }, at) => {
      const word = shown.split(" ").at(-1)!;
      return offered[at].split("\n").some((line) => line.split("\t")[0] === word) ? [] : [`${typed}: ${offered[at]}`];
    });
    deepEqual(failed, []);
  },
});
