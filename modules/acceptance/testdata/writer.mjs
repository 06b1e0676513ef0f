// Writes to URL with the client library of InfluxDB, and prints what becomes of it.
import { InfluxDB, Point } from '@influxdata/influxdb-client'

const { URL: url, TOKEN: token } = process.env
const zero = 1_700_000_000_000 // the instants are after it, in ms
const client = new InfluxDB({ url, token })

const writer = client.getWriteApi('org', 'bucket', 'ms', { gzipThreshold: 1, maxRetries: 0 })
writer.useDefaultTags({ device: 'node' })
for (let ts = 1; ts <= 5000; ts++) {
  writer.writePoint(new Point('temperature').floatField('value', ts / 10).intField('raw', ts).stringField('unit', '°C').timestamp(zero + ts))
}
writer.writePoint(new Point('relay').tag('place', 'roof').booleanField('value', true).timestamp(zero + 1))
await writer.close()
console.log('written')

const failing = client.getWriteApi('org', 'bucket', 'ms', { maxRetries: 0, writeFailed: (error) => {
  console.log(JSON.stringify({ status: error.statusCode, code: error.code, message: error.message }))
} })
failing.writeRecords([`m,device=node value=1 ${zero + 1}`, 'm,device=node value=1 1'])
await failing.close().catch(() => console.log('refused'))

const stranger = new InfluxDB({ url, token: 'nobody' }).getWriteApi('org', 'bucket', 'ms', { maxRetries: 0, writeFailed: (error) => {
  console.log(JSON.stringify({ status: error.statusCode, code: error.code }))
} })
stranger.writeRecord(`m,device=node value=1 ${zero + 1}`)
await stranger.close().catch(() => console.log('refused'))
