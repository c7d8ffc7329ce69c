import { describeApp } from '../../src/http/app.ts'
import { HUB_OPERATIONS } from '../../src/hub/operations.ts'
import { OPERATOR_OPERATIONS } from '../../src/operator/operations.ts'
import { readVersion } from '../../src/processes/version.ts'
import { WEBHOOK_OPERATIONS } from '../../src/webhook/operations.ts'

/** The files of docs/openapi: what `web` and `hub` say of themselves at `/openapi.json`. */
export function openApiReference(): ReadonlyMap<string, string> {
  const described = {
    web: { ...WEBHOOK_OPERATIONS, ...OPERATOR_OPERATIONS },
    hub: HUB_OPERATIONS,
  }
  return new Map(
    Object.entries(described).map(([name, operations]) => [
      `docs/openapi/${name}.json`,
      `${JSON.stringify(describeApp(readVersion(), operations), undefined, 2)}\n`,
    ]),
  )
}
