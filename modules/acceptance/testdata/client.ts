// A client whose types come from the OpenAPI document. It asks for history, newest readings and the stream, and prints them.
import createClient from 'openapi-fetch'
import type {components, paths} from './telltale.js'

const client = createClient<paths, 'application/json' | 'application/problem+json'>({baseUrl: process.env.URL!, headers: {Authorization: `Bearer ${process.env.TOKEN}`}})

const history = await client.GET('/api/readings', {
  params: {query: {device: ['a'], from: '0', interval: '1h', agg: ['avg', 'max']}},
})
if (!history.data) throw new Error(history.error.title)
for (const series of history.data.series) {
  const point: (number | null)[] = series.points[0]!
  console.log('history', series.device, series.metric, point[1]! + 1)
}

const latest = await client.GET('/api/readings/latest', {params: {query: {device: ['a']}}})
if (!latest.data) throw new Error(latest.error.title)
const newest = latest.data.series[0]!
console.log('latest', newest.device, newest.metric, newest.value + 1)

const stream = await client.GET('/api/stream', {params: {query: {device: ['a'], since: '0'}}, parseAs: 'stream'})
const reader = stream.data!.pipeThrough(new TextDecoderStream()).getReader()
for (let text = ''; ;) {
  text += (await reader.read()).value
  const found = /^event: reading\ndata: (.*)\n/m.exec(text)
  if (!found) continue
  const reading: components['schemas']['StreamReading'] = JSON.parse(found[1]!)
  console.log('stream', reading.device, reading.ts, reading.values['m']! + 1)
  break
}
await reader.cancel()

export function mistakes() {
  // @ts-expect-error: there is no such aggregate
  void client.GET('/api/readings', {params: {query: {agg: ['mean']}}})
  // @ts-expect-error: devices are a list
  void client.GET('/api/readings/latest', {params: {query: {device: 7}}})
  // @ts-expect-error: there is no such choice for slow viewers
  void client.GET('/api/stream', {params: {query: {slow: 'wait'}}})
  // @ts-expect-error: the value of a newest reading is a number
  newest.value.trim()
  // @ts-expect-error: a history has no points but those of its series
  void history.data!.points
}
