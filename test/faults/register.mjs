// node --import ./test/faults/register.mjs: lets Node load the tests' TypeScript as it stands.
import { register } from 'node:module'

register('./typescript-hook.mjs', import.meta.url)
