// A history for a page: it is loaded for what the view shows and for as many pixels as there are.

import { useEffect, useLayoutEffect, useMemo, useState } from 'preact'
import { History } from './history.js'

const axis = 60 // px beside what is plotted
const grain = 100 // px that a width may change by before it is worth another load

/**
 * @param {import('./ask.js').Wanted | null} wanted null as long as it is not known
 * @param {{view: import('./view.js').View, box: {current: HTMLElement | null}, aggregate?: import('./ask.js').Aggregate}} how box is
 *   as wide as the charts
 * @returns {History} the same one, whatever is wanted: what was there stays until the next answer
 */
export function useHistory(wanted, { view, box, aggregate = 'avg' }) {
  const history = useMemo(() => new History({ devices: [] }), [view])
  const pixels = usePixels(box)
  const range = view.range.value
  useEffect(() => {
    if (!wanted || !pixels) return
    history.want(wanted, aggregate)
    void history.load(range, pixels)
  }, [history, JSON.stringify(wanted), aggregate, range, pixels])
  useEffect(() => () => history.close(), [history])
  return history
}

/**
 * @param {{current: HTMLElement | null}} box
 * @returns {number} 0 before it is drawn
 */
function usePixels(box) {
  const [pixels, setPixels] = useState(0)
  useLayoutEffect(() => {
    const measure = () => {
      const width = box.current?.clientWidth ?? 0
      if (width) setPixels(Math.max(2, Math.floor((width - axis) / grain)) * grain)
    }
    measure()
    const resized = new ResizeObserver(measure)
    if (box.current) resized.observe(box.current)
    return () => resized.disconnect()
  }, [])
  return pixels
}
