// What the page takes from Preact, its hooks, signals and htm: one module, so that all of them share one Preact.
import { h } from 'preact'
import htm from 'htm'

export { Component, Fragment, cloneElement, createContext, createRef, h, render, toChildArray } from 'preact'
export {
  useCallback,
  useContext,
  useDebugValue,
  useEffect,
  useErrorBoundary,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from 'preact/hooks'
export {
  Signal,
  batch,
  computed,
  effect,
  signal,
  untracked,
  useComputed,
  useSignal,
  useSignalEffect,
} from '@preact/signals'

// htm keeps elements that never change for the next time, and an element that has been drawn keeps its parents: each tree that was
// ever drawn would hold the one before. A first bit pattern of 3 says that an element changes.
export const html = htm.bind(function (...given) {
  this[0] = 3
  return h(...given)
})
