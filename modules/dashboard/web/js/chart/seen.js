// Whether an element is on the screen, or nearly.

import { useEffect, useSignal } from 'preact'

const near = '150px'

/**
 * @param {{current: HTMLElement | null}} element
 * @returns {import('preact').Signal<boolean>}
 */
export function useSeen(element) {
  const seen = useSignal(false)
  useEffect(() => {
    if (!element.current) return undefined
    const look = new IntersectionObserver((entries) => (seen.value = entries[entries.length - 1].isIntersecting), {
      rootMargin: near,
    })
    look.observe(element.current)
    return () => look.disconnect()
  }, [])
  return seen
}
