#!/usr/bin/env node
// Renames TypeScript symbols over the whole checkout. Usage, in the checkout's root:
//   node /work/wt/rename.mjs FILE:oldName=newName [FILE:oldName=newName ...]
//   FILE:LINE:oldName=newName  picks the first identifier oldName on that line (locals, fields).
// Without LINE: the first declaration named oldName in FILE. Edits every importer, keeps shorthand properties right.
import { createRequire } from "node:module"; import path from "node:path"; import fs from "node:fs";
const root = process.cwd(); const ts = createRequire(path.join(root, "package.json"))("typescript");
const cfg = ts.parseJsonConfigFileContent(JSON.parse(fs.readFileSync("tsconfig.json","utf8")), ts.sys, root);
const host = { getScriptFileNames: () => cfg.fileNames, getScriptVersion: (f) => { try { return String(fs.statSync(f).mtimeMs) } catch { return "0" } }, getScriptSnapshot: (f) => fs.existsSync(f) ? ts.ScriptSnapshot.fromString(fs.readFileSync(f,"utf8")) : undefined, getCurrentDirectory: () => root, getCompilationSettings: () => cfg.options, getDefaultLibFileName: ts.getDefaultLibFilePath, fileExists: ts.sys.fileExists, readFile: ts.sys.readFile, readDirectory: ts.sys.readDirectory, directoryExists: ts.sys.directoryExists, getDirectories: ts.sys.getDirectories, realpath: ts.sys.realpath };
const service = ts.createLanguageService(host);
let failed = 0;
for (const arg of process.argv.slice(2)) {
  const m = /^(.+?):(?:(\d+):)?([\w$]+)=([\w$]+)$/.exec(arg); if (!m) { console.error("bad argument", arg); failed++; continue }
  const [, rel, line, old, to] = m; const file = path.resolve(rel);
  const program = service.getProgram(); const sf = program.getSourceFile(file); if (!sf) { console.error("no file", rel); failed++; continue }
  let pos; const visit = (n) => { if (pos !== undefined) return; if (ts.isIdentifier(n) && n.text === old) { const at = sf.getLineAndCharacterOfPosition(n.getStart()).line + 1; const isDecl = n.parent.name === n || ts.isShorthandPropertyAssignment(n.parent); if (line ? at === Number(line) : (isDecl && !ts.isImportSpecifier(n.parent) && !ts.isPropertyAssignment(n.parent))) { pos = n.getStart(); return } } ts.forEachChild(n, visit) }; visit(sf);
  if (pos === undefined) { console.error("no", old, "in", rel); failed++; continue }
  const edits = new Map(); const seen = new Set();
  const add = (f, start, length, text) => { const k = f; if (!edits.has(k)) edits.set(k, new Map()); edits.get(k).set(start, { start, length, text }) };
  const go = (f, p) => { const key = f + ":" + p; if (seen.has(key)) return; seen.add(key);
    const locs = service.findRenameLocations(f, p, false, false, { providePrefixAndSuffixTextForRename: true }) ?? [];
    for (const l of locs) { const s = program.getSourceFile(l.fileName); const node = ts.getTokenAtPosition ? ts.getTokenAtPosition(s, l.textSpan.start) : undefined; const parent = node?.parent;
      if (l.fileName.includes("node_modules")) continue;
      if (parent && (ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent))) { add(l.fileName, l.textSpan.start, l.textSpan.length, to); if (!parent.propertyName || parent.propertyName === node) { if (!parent.propertyName) go(l.fileName, l.textSpan.start) } continue }
      add(l.fileName, l.textSpan.start, l.textSpan.length, (l.prefixText ?? "") + to + (l.suffixText ?? "")) } };
  go(file, pos);
  let n = 0; for (const [f, es] of edits) { let t = fs.readFileSync(f, "utf8"); for (const e of [...es.values()].sort((a, b) => b.start - a.start)) { if (t.slice(e.start, e.start + e.length) !== old) { console.error("changed meanwhile:", f, e.start); failed++; continue } t = t.slice(0, e.start) + e.text + t.slice(e.start + e.length); n++ } fs.writeFileSync(f, t) }
  console.log(`${old} -> ${to}: ${n} places in ${edits.size} files`);
}
process.exit(failed ? 1 : 0);
