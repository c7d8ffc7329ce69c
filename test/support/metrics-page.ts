import { Counter, Gauge, Histogram } from 'prom-client'
import { z } from 'zod'
import { createHubMetrics } from '../../src/observe/hub-metrics.ts'
import { createMetrics } from '../../src/observe/metrics.ts'

/** The page docs/metrics.md. */
export function metricsReference(): string {
  return `# Metrics

This page is generated from \`src/observe\`: \`npm run docs\`. \`GET /metrics\` answers them as Prometheus reads them, to who
brings \`OPERATOR_TOKEN\`. A gauge that was not measured yet is left out.

## Of the bridge: \`worker\` and \`web\`

${table(createMetrics())}

## Of the \`hub\`

${table(createHubMetrics())}
`
}

/** What the library knows of a metric and does not declare. */
const described = z.object({ name: z.string(), help: z.string(), labelNames: z.array(z.string()) })

function table(metrics: object): string {
  const rows = Object.values(metrics).flatMap((metric: unknown) => {
    const kind = kindOf(metric)
    if (kind === undefined) return []
    const { name, help, labelNames } = described.parse(metric)
    const labels = labelNames.map((label) => `\`${label}\``).join(', ')
    return [`| \`${name}\` | ${kind} | ${labels} | ${help} |`]
  })
  return ['| metric | kind | labels | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')
}

function kindOf(metric: unknown): string | undefined {
  if (metric instanceof Counter) return 'counter'
  if (metric instanceof Gauge) return 'gauge'
  return metric instanceof Histogram ? 'histogram' : undefined
}
