// Reads statements with the grammars of Trino, whose SQL Athena speaks, and of Hive, whose table definitions it takes.
// Standard input is a list of {"grammar": "trino" or "hive", "sql"}; standard output a list of texts: what is wrong, or "".
// The argument is the directory whose node_modules has dt-sql-parser.
import { register } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

// The package is written for bundlers: its imports leave out /index.js and .js.
register('data:text/javascript,' + encodeURIComponent(`
  export async function resolve(specifier, context, next) {
    let first;
    for (const end of ['', '.js', '/index.js']) {
      try {
        return await next(specifier + end, context);
      } catch (err) {
        first ??= err;
      }
    }
    throw first;
  }`));

const parser = join(process.argv[2], 'node_modules', 'dt-sql-parser', 'dist', 'index.js');
const { TrinoSQL, HiveSQL } = await import(pathToFileURL(parser));
const grammars = { trino: new TrinoSQL(), hive: new HiveSQL() };

const statements = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(statements.map(({ grammar, sql }) => {
  const errors = grammars[grammar].validate(sql);
  return errors.map((e) => `line ${e.startLine}: ${e.message}`).join('; ');
})));
