// Where the keyboard goes on when what had the focus has gone.

import { useEffect, useRef } from 'preact'

/**
 * A reference to what takes the focus once it is drawn, unless the person is elsewhere. It has tabindex="-1".
 * @returns {{current: HTMLElement | null}}
 */
export function useArrival() {
  const element = useRef(/** @type {HTMLElement | null} */ (null))
  useEffect(() => {
    if (document.activeElement === document.body) element.current?.focus({ preventScroll: true })
  }, [])
  return element
}
