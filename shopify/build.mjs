// Bundles the UI extensions as `shopify app build` does, without Shopify, and prints their sizes; bundles web/'s page for the
// theme's section, which Shopify takes as it is.
//
//   node build.mjs OUT ASSETS   OUT/<handle>.js for each UI extension, ASSETS/ for the section; exit 1 if one is too large

import { build } from "esbuild";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const EXTENSIONS = join(HERE, "extensions");
const WEB = join(HERE, "..", "web");

// https://shopify.dev/docs/apps/build/app-extensions/optimize-bundle-size
const LIMIT_KB = 64;
const LIMIT_KB_OF_A_PAGE = 128;
const FULL_PAGE = "customer-account.page.render";

const TARGET = /target = "([^"]+)"\s+module = "([^"]+)"/g;

// The options of Shopify CLI 4.8, with which the result is the same byte for byte.
const AS_SHOPIFY = {
  bundle: true,
  minify: true,
  target: "es6",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  define: { "process.env.NODE_ENV": '"production"' },
  loader: { ".esnext": "ts", ".js": "jsx" },
  resolveExtensions: [".tsx", ".ts", ".js", ".json", ".esnext", ".mjs", ".ejs"],
  logLevel: "warning",
};

const [out, assets] = process.argv.slice(2);
if (!assets) throw new Error("Name the folders to write to: node build.mjs OUT ASSETS");
await mkdir(out, { recursive: true });
let isTooLarge = false;
for (const name of await readdir(EXTENSIONS)) {
  const toml = await readFile(join(EXTENSIONS, name, "shopify.extension.toml"), "utf8");
  if (toml.includes('type = "ui_extension"')) await bundle(name, [...toml.matchAll(TARGET)]);
}
await section();
process.exitCode = isTooLarge ? 1 : 0;

async function bundle(name, targets) {
  const imports = targets.map(
    ([, target, module], at) =>
      `import Target_${at} from '${module}';shopify.extend('${target}', (...args) => Target_${at}(...args));`,
  );
  const outfile = join(out, `${name}.js`);
  await build({
    ...AS_SHOPIFY,
    stdin: { contents: imports.join("\n"), resolveDir: join(EXTENSIONS, name), loader: "tsx" },
    outfile,
  });
  const limit = targets.some(([, target]) => target === FULL_PAGE) ? LIMIT_KB_OF_A_PAGE : LIMIT_KB;
  await report(`${name}.js`, outfile, limit);
}

async function section() {
  await mkdir(assets, { recursive: true });
  const script = join(assets, "points.js");
  await build({
    entryPoints: [join(HERE, "shared", "section.js")],
    outfile: script,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    logLevel: "warning",
  });
  await writeFile(join(assets, "points.css"), await readFile(join(WEB, "points.css")));
  await report("points-section/assets/points.js", script, LIMIT_KB);
}

async function report(name, file, limitKb) {
  const content = await readFile(file);
  const compressed = Math.max(gzipSync(content).length, brotliCompressSync(content).length);
  const verdict = compressed > limitKb * 1024 ? "TOO LARGE" : "ok";
  isTooLarge ||= verdict !== "ok";
  const kb = (bytes) => (bytes / 1024).toFixed(1).padStart(6);
  console.log(`${name.padEnd(34)}${kb(content.length)} KB, compressed ${kb(compressed)} KB of ${limitKb} KB  ${verdict}`);
}
