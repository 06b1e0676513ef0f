// Follows the stream at URL with the npm package eventsource, and writes what it receives in the format of the stream.
import {EventSource} from 'eventsource'

const source = new EventSource(process.env.URL, {
  fetch: (url, init) => fetch(url, {...init, headers: {...init.headers, Authorization: `Bearer ${process.env.TOKEN}`}}),
})
for (const name of ['reading', 'bucket', 'gap']) {
  source.addEventListener(name, (e) => process.stdout.write(`id: ${e.lastEventId}\nevent: ${name}\ndata: ${e.data}\n\n`))
}
