// Follows the stream at URL with the stand-in for EventSource that STANDIN names, and writes what it receives in the format of
// the stream.
const headers = {Authorization: `Bearer ${process.env.TOKEN}`}
const kinds = ['reading', 'gap']
const url = process.env.URL
const write = (name, id, data) => process.stdout.write(`id: ${id}\nevent: ${name}\ndata: ${data}\n\n`)
const listen = (source) => {
  for (const name of kinds) source.addEventListener(name, (e) => write(name, e.lastEventId, e.data))
}

const standIns = {
  async 'event-source-polyfill'() {
    const {EventSourcePolyfill} = (await import('event-source-polyfill')).default
    listen(new EventSourcePolyfill(url, {headers}))
  },
  // As its page shows it: the parameter is in the URL already, and is there twice after the first reconnection.
  async 'event-source-polyfill by last_event_id'() {
    const {EventSourcePolyfill} = (await import('event-source-polyfill')).default
    listen(new EventSourcePolyfill(`${url}&last_event_id=`, {headers, lastEventIdQueryParameterName: 'last_event_id'}))
  },
  // The id in the URL is where it began; the EventSource beneath it sends newer ones in the header.
  async 'reconnecting-eventsource'() {
    const {EventSource} = await import('eventsource')
    globalThis.MessageEvent ??= Event
    class Authorized extends EventSource {
      constructor(address) {
        super(address, {fetch: (to, init) => fetch(to, {...init, headers: {...init.headers, ...headers}})})
      }
    }
    globalThis.EventSource = Authorized
    const {default: made} = await import('reconnecting-eventsource')
    const Reconnecting = made.default ?? made
    listen(new Reconnecting(url, {max_retry_time: 1000}))
  },
  async '@microsoft/fetch-event-source'() {
    globalThis.window = globalThis
    globalThis.document = {hidden: false, addEventListener() {}, removeEventListener() {}}
    const {fetchEventSource} = await import('@microsoft/fetch-event-source')
    fetchEventSource(url, {
      headers: {...headers, 'X-Requested-With': 'XMLHttpRequest', 'Cache-Control': 'no-cache'}, openWhenHidden: true,
      onmessage: (m) => kinds.includes(m.event) && write(m.event, m.id, m.data),
      onclose: () => { throw new Error('ended') }, // which has it come back
      onerror: () => 500,
    })
  },
}
await standIns[process.env.STANDIN]()
