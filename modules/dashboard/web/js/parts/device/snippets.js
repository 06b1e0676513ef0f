// How a device sends readings: examples with its id and key in them, to be pasted as they are.

/**
 * @typedef {object} Snippet
 * @property {string} id
 * @property {string} name of the language or program, which is the same in each language of the page
 * @property {string} text
 */

/**
 * The line that sends one reading.
 * @param {{origin: string, key: string, device: string, metric?: string}} of
 */
export function curlLine({ origin, key, device, metric = 'temperature' }) {
  return `curl ${origin}/api/readings -H 'Authorization: Bearer ${key}' -H 'Content-Type: application/json' -d '${body(device, metric, '21.5')}'`
}

/**
 * @param {{origin: string, key: string, device: string, metric?: string}} of origin is the server's, such as http://192.168.1.20:8000
 * @returns {Snippet[]}
 */
export function snippets({ origin, key, device, metric = 'temperature' }) {
  const of = { origin, key, device, metric }
  return [
    { id: 'curl', name: 'curl', text: curlLine(of) },
    { id: 'python', name: 'Python', text: python(of) },
    { id: 'esp32', name: 'Arduino, ESP32', text: esp32(of) },
    { id: 'telegraf', name: 'Telegraf', text: telegraf(of) },
    { id: 'home-assistant', name: 'Home Assistant', text: homeAssistant(of) },
  ]
}

/**
 * A name for a first device, which those patterns cover.
 * @param {string[] | null} devices
 */
export function coveredName(devices) {
  const [first] = devices ?? []
  return first ? first.replace(/[*?]/g, '1').replace(/\[(.)[^\]]*\]/g, '$1') : 'my-device'
}

/** @typedef {{origin: string, key: string, device: string, metric: string}} Of */

/**
 * @param {string} device
 * @param {string} metric
 * @param {string} value as it stands in the text
 */
function body(device, metric, value) {
  return `{"readings":[{"device":"${device}","values":{"${metric}":${value}}}]}`
}

/** @param {Of} of */
function python({ origin, key, device, metric }) {
  return `import json, urllib.request

body = ${body(device, metric, '21.5')}
request = urllib.request.Request(
    "${origin}/api/readings",
    data=json.dumps(body).encode(),
    headers={"Content-Type": "application/json", "Authorization": "Bearer ${key}"},
)
with urllib.request.urlopen(request) as answer:
    print(json.load(answer))
`
}

/** @param {Of} of */
function esp32({ origin, key, device, metric }) {
  const format = body(device.replaceAll('%', '%%'), metric.replaceAll('%', '%%'), '%.2f').replaceAll('"', '\\"')
  const room = Math.ceil((format.length + 32) / 64) * 64
  return `#include <WiFi.h>
#include <HTTPClient.h>

const char *url = "${origin}/api/readings";
const char *key = "${key}";

void setup() {
  WiFi.begin("network", "password");
}

void loop() {
  if (WiFi.status() == WL_CONNECTED) {
    char body[${room}];
    snprintf(body, sizeof body, "${format}", temperatureRead());
    HTTPClient http;
    http.begin(url);
    http.addHeader("Authorization", String("Bearer ") + key);
    http.addHeader("Content-Type", "application/json");
    int status = http.POST(body); // 200: stored for good. 503 or below 0: send the same again later.
    http.end();
  }
  delay(10000);
}
`
}

/** @param {Of} of */
function telegraf({ origin, key, device }) {
  return `[agent]
  hostname = "${device}"

[[inputs.cpu]]
  percpu = false

[[outputs.influxdb_v2]]
  urls = ["${origin}"]
  token = "${key}"
  organization = "any"
  bucket = "${device}"
`
}

/** @param {Of} of */
function homeAssistant({ origin, key, device, metric }) {
  const name = 'telltale_' + device.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  return `rest_command:
  ${name}:
    url: "${origin}/api/readings"
    method: post
    content_type: "application/json"
    headers:
      authorization: "Bearer ${key}"
    payload: '${body(device, metric, '{{ states("sensor.temperature") }}')}'

automation:
  - alias: "${device} to Telltale"
    triggers:
      - trigger: state
        entity_id: sensor.temperature
    conditions:
      - condition: template
        value_template: "{{ is_number(states('sensor.temperature')) }}"
    actions:
      - action: rest_command.${name}
`
}
