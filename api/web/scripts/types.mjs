// Writes src/api/types.ts from the committed OpenAPI document, or with --check says whether it is
// up to date. The document itself is made by the server and compared there by a test.
import { readFile, writeFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const document = new URL('../../openapi.json', import.meta.url)
const target = new URL('../src/api/types.ts', import.meta.url)

const head = '// Made by `npm run types` from api/openapi.json. Do not edit.\n\n'
const text = head + astToString(await openapiTS(document))

if (process.argv.includes('--check')) {
  const committed = await readFile(target, 'utf8').catch(() => '')
  if (committed !== text) {
    console.error('src/api/types.ts is not what api/openapi.json says: run `npm run types`.')
    process.exit(1)
  }
} else {
  await writeFile(target, text)
}
