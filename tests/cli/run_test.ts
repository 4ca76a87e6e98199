/**
 * `alknet run`: what a guest prints and gives, and how it fails.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ROOT } from "../support/python.ts";

/** Files, options, and what comes of them. */
const CASES: readonly {
  readonly title: string;
  readonly files: Readonly<Record<string, string>>;
  readonly options?: readonly string[];
  readonly code: number;
  readonly out: string;
  readonly err: RegExp;
}[] = [
  {
    title: "prints its console and what its default export returns, imports from its folder",
    files: {
      "main.ts":
        'import { two } from "./lib/two.ts";\nconsole.log("a\\x1b[31m");\nexport default (): number => two * 21;\n',
      "lib/two.ts": "export const two: number = 2;\n",
    },
    code: 0,
    out: "a\\x1b[31m\n42\n",
    err: /^$/,
  },
  {
    title: "a syntax error shows file, line, column and the line",
    files: { "main.ts": "const a = 1;\nconst b: number = ;\n" },
    code: 1,
    out: "",
    err: /main\.ts.*2:\d+/s,
  },
  {
    title: "a native loop is killed",
    files: { "main.ts": "export default () => [].indexOf.call({ length: 2 ** 53 - 1 }, 1 as never);\n" },
    options: ["--timeout", "1"],
    code: 1,
    out: "",
    err: /was killed/,
  },
];

for (const { title, files, options = [], code, out, err } of CASES) {
  Deno.test(`alknet run: ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      for (const [name, text] of Object.entries(files)) {
        if (name.includes("/")) await Deno.mkdir(`${folder}/${name.split("/")[0]}`);
        await Deno.writeTextFile(`${folder}/${name}`, text);
      }
      const result = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", `${ROOT}cli/main.ts`, "run", `${folder}/main.ts`, ...options],
        env: { NO_COLOR: "1" },
      }).output();
      const [stdout, stderr] = [result.stdout, result.stderr].map((bytes) => new TextDecoder().decode(bytes));
      assert.match(stderr, err);
      assert.deepEqual([result.code, stdout], [code, out]);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
